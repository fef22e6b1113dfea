"""Our own verifier of SGX and TDX quotes, from Intel's description alone [DCAP24].

Who wrote the quote, the collateral and the certificates is unknown; Intel's
root is pinned. Bytes are believed in this order: certificates up to the root
and none revoked, what Intel signed about the platform, the quoting enclave,
the key it made, the quote. Unreviewed; `second` asks another verifier as well.
"""

import hashlib
import hmac
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from quorate.enclave import quote as quotes
from quorate.enclave.certificates import (
    Chain,
    Window,
    from_pem,
    public_key,
    verify_chain,
    verify_crl,
    verify_ecdsa,
    verify_not_revoked,
)
from quorate.enclave.claims import Claims, Flag, Number, Value
from quorate.enclave.collateral import (
    QeIdentity,
    Statement,
    TcbInfo,
    validity,
    verify_statement,
)
from quorate.enclave.evidence import Collateral, Kind
from quorate.enclave.pck import PckExtension, pck_extension
from quorate.enclave.quote import Quote, SgxBody, TdBody
from quorate.enclave.tcb import assess, hexadecimal, masked_equal, verify_module
from quorate.errors import VerificationFailed

_SGX_INIT, _SGX_DEBUG, _SGX_PROVISION, _SGX_LAUNCH = 0x01, 0x02, 0x10, 0x20
_SGX_KNOWN = 0x4F7  # and 64-bit mode, CET, KSS, AEX notify
_SEPT_VE_DISABLE, _TD_PERFMON = 28, 63
_TD_KNOWN = 0xFF | 1 << 28 | 1 << 30 | 1 << 31 | 1 << 63  # and protection keys, key locker


def verify_dcap(
    data: bytes, collateral: Collateral, now: datetime, root: bytes, kind: Kind
) -> Claims:
    """Return the claims of an SGX or TDX quote that holds under the root of SHA-256 `root`.

    Raises `VerificationFailed` and `MalformedMessage`. About 8 signatures on P-256.
    """
    quote = quotes.parse(data)
    if kind in {"sgx", "tdx"} and quote.tee != kind:
        raise VerificationFailed(f"a quote of {quote.tee} that is said to be of {kind}")
    chain, window = _platform_chain(quote, collateral, now, root)
    pck = pck_extension(chain.leaf)
    info, identity, said = _statements(quote, collateral, now, root)
    if hexadecimal(info.fmspc) != pck.fmspc or hexadecimal(info.pce_id) != pck.pce_id:
        raise VerificationFailed("the TCB info is of another family of processors")
    _verify_signatures(quote, chain)
    _verify_quoting_enclave(quote, identity)
    if isinstance(quote.body, TdBody):
        verify_module(info, quote.body)
    tcb = assess(info, identity, pck, quote.body, quote.qe)
    whole = window.both(said)
    debug, values, numbers, flags = _body_claims(quote.body)
    return Claims(
        kind=kind,
        report_data=quote.body.report_data,
        debug=debug,
        values=values,
        numbers=numbers,
        flags=(*flags, *_platform_flags(pck)),
        hardware=pck.ppid,
        anchor=root,
        not_before=whole.begin,
        not_after=whole.end,
        tcb=tcb,
        issued=min(info.issue_date, identity.issue_date),
    )


def _platform_chain(
    quote: Quote, collateral: Collateral, now: datetime, root: bytes
) -> tuple[Chain, Window]:
    chain = verify_chain(from_pem(quote.chain), root, now, "the platform")
    if len(chain.certificates) != 3:
        raise VerificationFailed("the chain of the platform is not of three certificates")
    leaf, middle, top = chain.certificates
    issuers = verify_chain(
        from_pem(collateral.pck_crl_issuer_chain.encode(errors="replace")),
        root,
        now,
        "the revocation list",
    )
    if issuers.leaf != middle:
        raise VerificationFailed("the revocation list is by another authority")
    of_root, first = verify_crl(collateral.root_ca_crl, top, now, "the root")
    of_middle, second = verify_crl(collateral.pck_crl, middle, now, "the platforms")
    verify_not_revoked(of_root, middle, "the platforms' authority")
    verify_not_revoked(of_middle, leaf, "the platform")
    for text in (collateral.tcb_info_issuer_chain, collateral.qe_identity_issuer_chain):
        for signer in from_pem(text.encode(errors="replace"))[:1]:
            verify_not_revoked(of_root, signer, "the signer of the collateral")
    return chain, chain.window.both(issuers.window).both(first).both(second)


def _statements(
    quote: Quote, collateral: Collateral, now: datetime, root: bytes
) -> tuple[TcbInfo, QeIdentity, Window]:
    levels = Statement(
        collateral.tcb_info, collateral.tcb_info_signature, collateral.tcb_info_issuer_chain
    )
    enclave = Statement(
        collateral.qe_identity,
        collateral.qe_identity_signature,
        collateral.qe_identity_issuer_chain,
    )
    info, first = verify_statement(levels, TcbInfo, root, now, "the TCB info")
    identity, second = verify_statement(enclave, QeIdentity, root, now, "the QE identity")
    wanted = ("SGX", "QE") if quote.tee == "sgx" else ("TDX", "TD_QE")
    if (info.id, identity.id) != wanted or (info.version, identity.version) != (3, 2):
        raise VerificationFailed("the collateral is of another kind or version")
    window = first.both(second)
    for said, whose in ((info, "the TCB info"), (identity, "the QE identity")):
        window = window.both(validity(said, now, whose))
    return info, identity, window


def _verify_signatures(quote: Quote, chain: Chain) -> None:
    """The platform's key signs the quoting enclave, which binds the key that signs the quote."""
    whose = "the quoting enclave"
    key = public_key(chain.leaf, whose)
    verify_ecdsa(key, quote.qe_signature, quote.qe_body, hashes.SHA256(), whose)
    bound = hashlib.sha256(quote.attestation_key + quote.qe_auth).digest() + bytes(32)
    if not hmac.compare_digest(bound, quote.qe.report_data):
        raise VerificationFailed("the attestation key is not the quoting enclave's")
    try:
        made = ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP256R1(), b"\x04" + quote.attestation_key
        )
    except (ValueError, UnsupportedAlgorithm):
        raise VerificationFailed("the attestation key is not a point") from None
    verify_ecdsa(made, quote.signature, quote.signed, hashes.SHA256(), "the quote")


def _verify_quoting_enclave(quote: Quote, identity: QeIdentity) -> None:
    selected = quote.qe.miscselect.to_bytes(4, "big")
    same = (
        masked_equal(selected, identity.miscselect, identity.miscselect_mask)
        and masked_equal(quote.qe.attributes, identity.attributes, identity.attributes_mask)
        and quote.qe.mrsigner == hexadecimal(identity.mrsigner)
        and quote.qe.isv_prod_id == identity.isvprodid
    )
    if not same:
        raise VerificationFailed("the quoting enclave is not Intel's")


def _body_claims(
    body: SgxBody | TdBody,
) -> tuple[bool, tuple[Value, ...], tuple[Number, ...], tuple[Flag, ...]]:
    return _sgx_claims(body) if isinstance(body, SgxBody) else _td_claims(body)


def _sgx_claims(
    body: SgxBody,
) -> tuple[bool, tuple[Value, ...], tuple[Number, ...], tuple[Flag, ...]]:
    attributes = int.from_bytes(body.attributes[:8], "little")
    values = (
        Value("mrenclave", body.mrenclave),
        Value("mrsigner", body.mrsigner),
        Value("config-id", body.config_id),
        Value("xfrm", body.attributes[8:]),
    )
    numbers = (
        Number("isv-prod-id", body.isv_prod_id),
        Number("isv-svn", body.isv_svn),
        Number("config-svn", body.config_svn),
    )
    flags = (
        Flag("initialised", bool(attributes & _SGX_INIT)),
        Flag("provisioning-key", bool(attributes & _SGX_PROVISION)),
        Flag("launch-key", bool(attributes & _SGX_LAUNCH)),
        Flag("unknown-attributes", bool(attributes & ~_SGX_KNOWN)),
    )
    return bool(attributes & _SGX_DEBUG), values, numbers, flags


def _td_claims(
    body: TdBody,
) -> tuple[bool, tuple[Value, ...], tuple[Number, ...], tuple[Flag, ...]]:
    attributes = int.from_bytes(body.td_attributes, "little")
    values = (
        Value("mrtd", body.mrtd),
        *(Value(f"rtmr{n}", each) for n, each in enumerate(body.rtmr)),
        Value("mrseam", body.mrseam),
        Value("mrconfigid", body.mrconfigid),
        Value("mrowner", body.mrowner),
        Value("mrownerconfig", body.mrownerconfig),
        Value("xfam", body.xfam),
        Value("td-attributes", body.td_attributes),
    )
    flags = (
        Flag("sept-ve-disable", bool(attributes >> _SEPT_VE_DISABLE & 1)),
        Flag("perfmon", bool(attributes >> _TD_PERFMON & 1)),
        Flag("service-td", any(body.mrservicetd)),
        Flag("unknown-attributes", bool(attributes & ~_TD_KNOWN)),
    )
    # All eight bits of the first byte make a domain that its host can look into.
    debug = bool(attributes & 0xFF)
    return debug, values, (), flags


def _platform_flags(pck: PckExtension) -> tuple[Flag, ...]:
    said = (Flag("dynamic-platform", pck.dynamic), Flag("cached-keys", pck.cached_keys))
    return said if pck.smt is None else (*said, Flag("smt", pck.smt))
