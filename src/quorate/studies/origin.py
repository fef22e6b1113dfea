"""Where a result was made: the enclave's receipt, held against plan, group and results."""

from datetime import datetime

from quorate.enclave.receipt import Archive, Verdict, check_receipt
from quorate.errors import VerificationFailed
from quorate.studies.attested import RUN, owners_of, results_digest, subject_of
from quorate.studies.group import Group
from quorate.studies.plan import Plan
from quorate.studies.results import Result


def check_origin(
    archive: Archive, plan: Plan, group: Group, results: tuple[Result, ...], now: datetime
) -> Verdict:
    """Return what can be said of where `results` were made, then and `now`.

    Raises `VerificationFailed` where it is no receipt for these results of this plan.
    """
    binding = archive.signed.receipt.binding
    if binding.subject != subject_of(plan) or (binding.role, binding.run) != ("compute", RUN):
        raise VerificationFailed("the receipt is for another plan, program, role or run")
    if tuple(one.owner for one in archive.signed.receipt.intake) != group.names:
        raise VerificationFailed("the receipt does not name every member's rows, by seat")
    return check_receipt(archive, results_digest(plan, results), owners_of(group), now)
