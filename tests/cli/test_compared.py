"""Arms side by side: errors against the exact one, whatever form a result has."""

import pytest

from quorate.cli.compared import compare, lines
from quorate.errors import Unavailable
from quorate.node.views import CostView, ResultView, StudyView


def arm(title: str, exact: str, value: str, *, noised: bool) -> StudyView:
    return StudyView(
        id=title,
        digest="",
        title=f"ages: {title}",
        purpose="",
        table="",
        proposer="",
        proposed_at="",
        state="released",
        note="",
        members=(),
        approved_by=(),
        disclosure=(),
        results=(ResultView(name="m", formula="", value=value, exact=exact, unit="years"),),
        cost=CostView(rounds=6, bytes_sent=1234, bytes_received=1, seconds=0.5),
        trust="mpc",
        is_noised=noised,
        who_sees=("nobody sees a row",),
    )


@pytest.mark.parametrize(
    ("exact", "noised", "error"),
    [("97/2", "50", 1.5), ("sqrt(4)", "sqrt(9)", 1.0), ("", "50", None), ("50", "", None)],
)
def test_an_error_is_that_against_the_exact_arm(
    exact: str, noised: str, error: float | None
) -> None:
    arms = compare([arm("noisy", noised, "v", noised=True), arm("exact", exact, "v", noised=False)])
    assert arms[0].values[0].error == error
    assert arms[1].values[0].error == (0 if exact else None)


def test_without_an_exact_arm_no_error_is_told() -> None:
    (noisy,) = compare([arm("noisy", "50", "50", noised=True)])
    assert noisy.values[0].error is None
    assert any("1,234" in line and "50 years" in line for line in lines([noisy]))
    assert lines([noisy])[-1] == "  noisy: nobody sees a row"


def test_a_run_that_this_node_did_not_see_has_no_costs() -> None:
    one = arm("a", "1", "1", noised=False).model_copy(update={"cost": None})
    with pytest.raises(Unavailable, match="knows no costs"):
        compare([one])
