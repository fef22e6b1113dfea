"""A second opinion on SGX and TDX quotes: another verifier, written by others [DcapQvl25].

It is the optional package of the extra `enclave`. Where the two differ in
whether the signatures hold, in the TCB status or in the advisories, the check
fails; where the package is not there, it was not assessed. Neither is passed.
"""

from dataclasses import asdict
from datetime import datetime
from importlib.util import find_spec

import msgspec

from quorate.enclave.certificates import fingerprint
from quorate.enclave.claims import Checked, Outcome, Tcb
from quorate.enclave.evidence import Collateral
from quorate.errors import VerificationFailed

NAME = "second verifier"


def ask(data: bytes, collateral: Collateral, now: datetime, root: bytes) -> Tcb:
    """Return what the other verifier says, under the root certificate `root` in DER.

    Raises `VerificationFailed` where it refuses, also a debug enclave.
    """
    import dcap_qvl  # optional, and 6 MB

    text = {
        name: value.hex() if isinstance(value, bytes) else value
        for name, value in asdict(collateral).items()
    }
    try:
        parts = dcap_qvl.QuoteCollateralV3.from_json(msgspec.json.encode(text).decode())
        report = dcap_qvl.verify_with_root_ca(data, parts, root, int(now.timestamp()))
    except ValueError as error:
        raise VerificationFailed(f"the second verifier refuses: {error}") from None
    return Tcb(report.status, "", tuple(sorted(set(report.advisory_ids))), 0)


def compare(
    first: Tcb, data: bytes, collateral: Collateral, now: datetime, root: bytes, root_der: bytes
) -> Checked:
    """Return whether the other verifier agrees with `first`, under the root that `root` names."""
    if find_spec("dcap_qvl") is None:
        return Checked(NAME, Outcome.NOT_ASSESSED, "the extra enclave is not installed")
    if fingerprint(root_der) != root:
        return Checked(NAME, Outcome.FAIL, "another root")
    try:
        second = ask(data, collateral, now, root_der)
    except VerificationFailed as refused:
        return Checked(NAME, Outcome.FAIL, str(refused))
    if (first.status, first.advisories) != (second.status, second.advisories):
        return Checked(NAME, Outcome.FAIL, f"it says {second.status}")
    return Checked(NAME, Outcome.PASS)
