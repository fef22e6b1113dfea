"""Which TCB level a platform is at, and what is known of it [DCAP24].

Levels are listed from the newest; a platform is at the first whose every
version it has. What the quoting enclave or the TDX module adds can only make
the status worse.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from quorate.enclave.claims import Tcb
from quorate.enclave.collateral import (
    Component,
    ModuleLevel,
    QeIdentity,
    TcbInfo,
    TcbLevel,
    TdxModule,
    TdxModuleIdentity,
)
from quorate.enclave.pck import PckExtension
from quorate.enclave.quote import SgxBody, TdBody
from quorate.errors import VerificationFailed

_ORDINARY = {"UpToDate", "SWHardeningNeeded"}
_CONFIGURED = {"ConfigurationNeeded", "ConfigurationAndSWHardeningNeeded"}
STATUSES = _ORDINARY | _CONFIGURED | {"OutOfDate", "OutOfDateConfigurationNeeded", "Revoked"}


@dataclass(frozen=True, slots=True)
class _Standing:
    status: str
    date: str
    advisories: tuple[str, ...]


def assess(
    info: TcbInfo, identity: QeIdentity, pck: PckExtension, body: SgxBody | TdBody, qe: SgxBody
) -> Tcb:
    """Return how the platform, its quoting enclave and, for TDX, its module stand together.

    Raises `VerificationFailed` for a platform below every level.
    """
    standing = [_platform(info, pck, body)]
    if isinstance(body, TdBody) and body.tee_tcb_svn[1] > 0:
        standing.append(_module(info, body))
    standing.append(_of_levels(identity.tcb_levels, qe.isv_svn, "quoting enclave"))
    status = standing[0].status
    for other in standing[1:]:
        status = _worse(status, other.status)
    advisories = {advisory for each in standing for advisory in each.advisories}
    evaluation = min(info.tcb_evaluation_data_number, identity.tcb_evaluation_data_number)
    return Tcb(status, min(each.date for each in standing), tuple(sorted(advisories)), evaluation)


def verify_module(info: TcbInfo, body: TdBody) -> None:
    """Raise `VerificationFailed` unless Intel's TDX module runs the domain."""
    expected: TdxModule | TdxModuleIdentity | None = info.tdx_module
    if body.tee_tcb_svn[1] > 0:
        expected = _identity(info, body)
    if expected is None:
        raise VerificationFailed("the TDX module is of no version that Intel names")
    same = masked_equal(body.seam_attributes, expected.attributes, expected.attributes_mask)
    if not same or body.mrsignerseam != hexadecimal(expected.mrsigner):
        raise VerificationFailed("the TDX module is not Intel's")


def masked_equal(found: bytes, wanted: str, mask: str) -> bool:
    """Return whether `found` is `wanted`, both in hexadecimal, where the mask has ones."""
    ones, target = hexadecimal(mask), hexadecimal(wanted)
    return len(found) == len(target) == len(ones) and all(
        a & m == b & m for a, b, m in zip(found, target, ones, strict=True)
    )


def hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise VerificationFailed("the collateral has something other than hexadecimal") from None


def _platform(info: TcbInfo, pck: PckExtension, body: SgxBody | TdBody) -> _Standing:
    for level in info.tcb_levels:
        if _reaches(level, pck, body):
            return _standing(level)
    raise VerificationFailed("the platform is below every TCB level that Intel knows")


def _reaches(level: TcbLevel, pck: PckExtension, body: SgxBody | TdBody) -> bool:
    if not _all_reach(pck.components, level.tcb.sgxtcbcomponents):
        return False
    if pck.pce_svn < level.tcb.pcesvn:
        return False
    if isinstance(body, SgxBody):
        return True
    # From module version 1 on, the first two stand for the module, which has levels of its own.
    first = 2 if body.tee_tcb_svn[1] > 0 else 0
    return _all_reach(body.tee_tcb_svn, level.tcb.tdxtcbcomponents, first)


def _all_reach(found: Sequence[int], wanted: Sequence[Component], first: int = 0) -> bool:
    return len(wanted) == len(found) == 16 and all(
        have >= want.svn for have, want in zip(found[first:], wanted[first:], strict=True)
    )


def _module(info: TcbInfo, body: TdBody) -> _Standing:
    identity = _identity(info, body)
    levels = identity.tcb_levels if identity else ()
    return _of_levels(levels, body.tee_tcb_svn[0], "TDX module")


def _identity(info: TcbInfo, body: TdBody) -> TdxModuleIdentity | None:
    name = f"TDX_{body.tee_tcb_svn[1]:02X}"
    return next((each for each in info.tdx_module_identities if each.id == name), None)


def _of_levels(levels: Iterable[ModuleLevel], svn: int, what: str) -> _Standing:
    for level in levels:
        if svn >= level.tcb.isvsvn:
            return _standing(level)
    raise VerificationFailed(f"the {what} is below every level that Intel knows")


def _standing(level: TcbLevel | ModuleLevel) -> _Standing:
    if level.tcb_status not in STATUSES:
        raise VerificationFailed("a TCB status that is not known here")
    return _Standing(level.tcb_status, level.tcb_date, level.advisories)


def _worse(status: str, other: str) -> str:
    """Return the platform's status, as the quoting enclave's or the module's changes it."""
    if other == "Revoked":
        return "Revoked"
    if other != "OutOfDate":
        return status
    if status in _ORDINARY:
        return "OutOfDate"
    return "OutOfDateConfigurationNeeded" if status in _CONFIGURED else status
