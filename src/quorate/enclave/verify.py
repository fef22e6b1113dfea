"""One door to all verifiers: evidence in, claims out, under pinned anchors [RFC9334].

Which root counts follows from the kind the evidence says it is of, so nothing
simulated passes for hardware. Quotes of SGX and TDX, simulated ones too, are
also put before a second verifier.
"""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding

from quorate.enclave import quote as quotes
from quorate.enclave import second
from quorate.enclave.anchors import PRODUCTION, Anchors
from quorate.enclave.certificates import from_pem
from quorate.enclave.claims import Claims
from quorate.enclave.dcap import verify_dcap
from quorate.enclave.evidence import Evidence
from quorate.enclave.nitro import verify_nitro
from quorate.enclave.snp import verify_snp
from quorate.enclave.tpm import verify_tpm
from quorate.errors import MalformedMessage, VerificationFailed


def verify(evidence: Evidence, now: datetime, anchors: Anchors = PRODUCTION) -> Claims:
    """Return what `evidence` says, its signatures verified as of `now`.

    Raises `VerificationFailed` where something does not hold, `MalformedMessage` where
    it is not what it says it is. Good claims are not yet a good enclave: `appraise` them.
    """
    match evidence:
        case Evidence(kind="sgx" | "tdx", intel=collateral) if collateral is not None:
            return _twice(evidence, now, anchors.intel)
        case Evidence(kind="simulated", intel=collateral) if collateral is not None:
            if not anchors.simulation:
                raise VerificationFailed("the evidence is simulated, and nothing allows that")
            return _twice(evidence, now, _own_root(evidence, anchors.simulation))
        case Evidence(kind="snp", amd=chain) if chain is not None:
            return verify_snp(evidence.quote, chain, now, anchors.amd)
        case Evidence(kind="nitro"):
            return verify_nitro(evidence.quote, now, anchors.aws)
        case Evidence(kind="tpm", tpm=parts) if parts is not None:
            return verify_tpm(evidence.quote, parts, anchors.keys)
        case _:
            pass
    raise MalformedMessage(f"evidence of {evidence.kind} without what it is checked with")


def _twice(evidence: Evidence, now: datetime, root: bytes) -> Claims:
    collateral = evidence.intel
    if collateral is None:
        raise MalformedMessage("a quote without collateral")
    claims = verify_dcap(evidence.quote, collateral, now, root, evidence.kind)
    if claims.tcb is None:
        raise VerificationFailed("a quote of a platform whose state is not known")
    top = _top(evidence)
    opinion = second.compare(claims.tcb, evidence.quote, collateral, now, root, top)
    return replace(claims, checked=(opinion,))


def _own_root(evidence: Evidence, roots: tuple[bytes, ...]) -> bytes:
    """Return which of several known roots the evidence must hang on."""
    own = sha256(_top(evidence)).digest()
    return own if own in roots else roots[0]


def _top(evidence: Evidence) -> bytes:
    return from_pem(quotes.parse(evidence.quote).chain)[-1].public_bytes(Encoding.DER)
