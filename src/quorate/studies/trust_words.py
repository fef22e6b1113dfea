"""Who sees what under each model of trust, in words, and what a third party means."""

from quorate.studies.plan import Plan
from quorate.studies.protocols import ADDITIVE, BY_THIRD_PARTY, NOISE_IN_SHARES, NOISE_ON_RECORDS
from quorate.studies.rows import columns_sent
from quorate.studies.words import listed


def who_sees(plan: Plan) -> tuple[str, ...]:
    """Return who is shown more than the results, or could see it together with whom."""
    match plan.protocol:
        case protocol if protocol == BY_THIRD_PARTY:
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
    """Return what the third party sees; nothing where there is none."""
    if plan.protocol != BY_THIRD_PARTY:
        return ()
    third = plan.study.third_party
    columns = ", ".join(column.name for column in columns_sent(plan))
    which = f": {columns}, of each row that the study counts" if columns else " as a number only"
    return (f"{third} sees every row of every member{which}",)


def third_withholds(plan: Plan, values: str) -> str:
    return f"{values}: {plan.study.third_party} finds them, and sees them"


def third_holds(plan: Plan) -> str:
    """Return against whom a plan with a third party holds."""
    third = plan.study.third_party
    return (
        f"against all but {third}, and whoever gets hold of its node: the others learn "
        f"what is said here, and nothing else; against {third} nothing is protected"
    )


def not_by_third(plan: Plan) -> tuple[str, ...]:
    """Return what nobody but its word keeps a third party from."""
    third = plan.study.third_party
    return (
        f"against {third} in anything: it may keep the rows, which this software does not",
        f"against a lie of {third}: the results are what it says, and nobody can check them",
    )


def third_noise(plan: Plan) -> tuple[str, ...]:
    """Return who draws the noise, where a third party does."""
    if plan.protocol != BY_THIRD_PARTY:
        return ()
    third = plan.study.third_party
    return (
        f"drawn by {third} alone, with OpenDP where it is installed there, else with this "
        f"software's own samplers of the same law; {third} knows all of it",
    )
