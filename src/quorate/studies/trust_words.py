"""Who sees what under each model of trust, in words; what a third party means, or an enclave."""

from quorate.enclave.receipt import watermark
from quorate.studies.plan import Plan
from quorate.studies.protocols import (
    ADDITIVE,
    BY_ENCLAVE,
    BY_THIRD_PARTY,
    NOISE_IN_SHARES,
    NOISE_ON_RECORDS,
    ON_ROWS,
)
from quorate.studies.rows import columns_sent
from quorate.studies.words import listed

WATERMARK = watermark("simulated")


def who_sees(plan: Plan) -> tuple[str, ...]:
    """Return who is shown more than the results, or could see it together with whom."""
    match plan.protocol:
        case protocol if protocol in ON_ROWS:
            return seen_by_third(plan)
        case protocol if protocol == NOISE_ON_RECORDS:
            return ("every member sees how many records each has, and sums of noised records",)
        case protocol if protocol in (ADDITIVE, NOISE_IN_SHARES):
            return (
                f"nobody sees a row or a member's sum; {plan.t} together learn the others' sum",
            )
        case _:
            two = f"two of {listed(plan.computes)} together read every member's sums"
            return (f"nobody sees a row or a member's sum; {two}",)


def seen_by_third(plan: Plan) -> tuple[str, ...]:
    """Return what a third party sees, or an enclave; nothing where there is neither."""
    if plan.protocol not in ON_ROWS:
        return ()
    columns = ", ".join(column.name for column in columns_sent(plan))
    which = f": {columns}, of each row that the study counts" if columns else " as a number only"
    if plan.protocol == BY_THIRD_PARTY:
        return (f"{plan.study.third_party} sees every row of every member{which}",)
    host = plan.study.enclosed.host
    seen = f"a program on the machine of {host} sees every row of every member{which}"
    if plan.study.enclosed.policy().confidential:
        return (seen,)
    return (seen, f"{WATERMARK}: {host} can read all of these rows, whatever the evidence says")


def third_withholds(plan: Plan, values: str) -> str:
    who = plan.study.third_party or "the program in the enclave"
    return f"{values}: {who} finds them, and sees them"


def third_holds(plan: Plan) -> str:
    """Return against whom a plan with a third party, or an enclave, holds."""
    if plan.protocol == BY_ENCLAVE:
        return _enclave_holds(plan)
    third = plan.study.third_party
    return (
        f"against all but {third}, and whoever gets hold of its node: the others learn "
        f"what is said here, and nothing else; against {third} nothing is protected"
    )


def not_by_third(plan: Plan) -> tuple[str, ...]:
    """Return what nobody but its word keeps a third party from; or what an enclave trusts."""
    if plan.protocol == BY_ENCLAVE:
        return _not_by_enclave(plan)
    if plan.protocol != BY_THIRD_PARTY:
        return ()
    third = plan.study.third_party
    return (
        f"against {third} in anything: it may keep the rows, which this software does not",
        f"against a lie of {third}: the results are what it says, and nobody can check them",
    )


def _enclave_holds(plan: Plan) -> str:
    host = plan.study.enclosed.host
    if plan.study.enclosed.policy().confidential:
        return f"against {host} and the network, if the platform keeps its maker's promise"
    return (
        f"against all but {host}, and whoever gets hold of its machine: the platform is simulated, "
        f"and against {host} nothing is protected"
    )


def _not_by_enclave(plan: Plan) -> tuple[str, ...]:
    enclosed = plan.study.enclosed
    maker = "that whoever made the simulated platform's keys does not use them: they lie in a file"
    return (
        f"you trust that program {enclosed.measurement.hex()[:16]}... does what its text says: a "
        "measurement says which program it is, not that it is good",
        f"you trust {maker}" if not enclosed.policy().confidential else "you trust the maker",
        f"against {enclosed.host} ending a run, or seeing how many rows each member sends",
        "against who watches memory, caches or times of the machine",
    )


def third_noise(plan: Plan) -> tuple[str, ...]:
    """Return who draws the noise, where a third party does, or an enclave."""
    if plan.protocol not in ON_ROWS:
        return ()
    who, knows = plan.study.third_party, plan.study.third_party
    if plan.protocol == BY_ENCLAVE:
        enclosed = plan.study.enclosed
        who = "the program in the enclave"
        knows = "nobody outside it" if enclosed.policy().confidential else enclosed.host
    return (
        f"drawn by {who} alone, with OpenDP where it is installed there, else with this "
        f"software's own samplers of the same law; {knows} knows all of it",
    )
