from quorate.studies.disclosure import disclose
from quorate.studies.protocols import SEMI_HONEST, SMALL_CELLS_SEEN, TWO_MEMBERS
from quorate.studies.study import read_study
from tests.studies.trio import PLAN, TRIO, group_of, plan_of, study_of


def test_everything_revealed_is_said_and_to_whom() -> None:
    disclosure = disclose(PLAN)
    assert [reveal.what.partition(",")[0] for reveal in disclosure.reveals] == [
        "number of rows in patients",
        "sum of age",
        "sum of bmi",
    ]
    assert all(reveal.to == ("north", "south", "west") for reveal in disclosure.reveals)
    assert len(disclosure.reveals) == len(PLAN.inputs)
    assert disclosure.t == 2


def test_a_mean_is_said_to_reveal_the_count_though_nobody_asked_for_it() -> None:
    disclosure = disclose(plan_of(study_of("integer 0..9 kg", "avg(x)")))
    assert [reveal.needed_by for reveal in disclosure.reveals] == [("r0.v",)] * 2
    assert any("sum of x is its mean times" in text for text in disclosure.follows)


def test_a_count_and_a_sum_are_said_to_give_the_mean() -> None:
    follows = disclose(plan_of(study_of("integer 0..9 kg", "count(*)", "sum(x)"))).follows
    assert any("sum of x is its mean times" in text for text in follows)


def test_a_sum_alone_reveals_no_count() -> None:
    disclosure = disclose(plan_of(study_of("integer 0..9 kg", "sum(x)")))
    assert [reveal.what for reveal in disclosure.reveals] == ["sum of x, of all members together"]
    assert not any("mean" in text for text in disclosure.follows)


def test_two_members_are_told_that_each_learns_the_others() -> None:
    pair = group_of("north", "south")
    lines = disclose(plan_of(study_of("integer 0..9 kg", "sum(x)"), pair, TWO_MEMBERS)).lines()
    assert "implies  north learns sum of x of south alone, by subtracting its own" in lines
    assert "implies  south learns sum of x of north alone, by subtracting its own" in lines
    assert any(line.startswith("holds    against nobody inside") for line in lines)


def test_only_columns_that_are_rounded_say_so() -> None:
    assert [text.split()[0] for text in disclose(PLAN).rounding] == ["bmi"]


def test_lines_are_plain_and_short_enough_to_read() -> None:
    for line in disclose(PLAN).lines():
        assert line.isprintable()
        assert len(line) <= 160


def test_cells_are_named_and_long_lists_folded() -> None:
    wards = " ".join(f"w{i}" for i in range(50))
    call = "count(*) as n, avg(age) as a from people where age >= 18 group by ward"
    text = (
        'title = "t"\npurpose = "p"\nmax_rows = 9\n[tables.people]\nage = "integer 0..99 years"\n'
        f'ward = "category {wards}"\nsex = "category F M"\n[releases]\n'
        f'r = "select ward, {call}"\n'
        f'q = "select sex, {call.replace("ward", "sex")}"\n'
    )
    plan = plan_of(read_study(text))
    lines = disclose(plan).lines()
    folded = "(ward = w0; ward = w1; ward = w2; ward = w3; ward = w4; ward = w5; and 44 more)"
    assert (
        f"reveals  number of rows in people where age >= 18 for each of 50 cells {folded}, "
        "of all members together, where it is not withheld, for r.n, r.a"
    ) in lines
    assert any("for each of 2 cells (sex = F; sex = M), of all" in line for line in lines)
    assert "implies  cells added up tell their totals" in lines
    assert sum(reveal.cells for reveal in disclose(plan).reveals) == plan.numbers + 52 == 156


def test_withholding_is_said_with_what_it_does_not_do() -> None:
    small = disclose(plan_of(study_of("integer 0..9 kg", "sum(x)", min_cell=5)))
    assert "values over 1 to 4 rows" in small.withholds
    assert "every member's node still learns all numbers above" in small.withholds
    assert small.reveals[0].needed_by == ()
    assert any(line.endswith("together, to withhold small cells") for line in small.lines())
    off = disclose(plan_of(study_of("integer 0..9 kg", "sum(x)", min_cell=1)))
    assert off.withholds.startswith("nothing is withheld, as min_cell is 1")


BY_WARD = """
title = "t"
purpose = "p"
max_rows = 9
[tables.people]
age = "integer 0..99 years"
ward = "category a b"
[releases]
r = "select ward, sum(age) as s from people group by ward"
"""


def test_what_a_committee_withholds_is_said_to_be_learnt_by_nobody() -> None:
    group = group_of("north", "south", "west", "east", "isle")
    told = disclose(plan_of(read_study(BY_WARD), group))
    assert told.t == 1
    assert [reveal.what.split(" for ")[0] for reveal in told.reveals] == [
        "sum of age",
        "a bit",
    ]
    lines = told.lines()
    assert (
        "small    values over 1 to 4 rows, and those that would tell them, are withheld: "
        "north, south and west find them on shares, and no node learns them"
    ) in lines
    assert (
        "holds    against any one of north, south and west whatever it does: it can end the run, "
        "and bends a result unnoticed with a chance below 2^-40: two of these together read every "
        "member's numbers"
    ) in lines
    assert not any("deviates" in line for line in lines)
    sent = told.bytes_sent
    assert lines[-1] == (
        f"costs    {told.rounds} rounds, bytes sent: {sent[0]} by north, {sent[1]} by south, "
        f"{sent[2]} by west, {sent[3]} by each other member"
    )


def test_members_may_agree_to_see_small_cells_and_hold_against_all_but_one() -> None:
    told = disclose(plan_of(read_study(BY_WARD), TRIO, SMALL_CELLS_SEEN))
    assert told.t == 2
    assert "every member's node still learns all numbers above" in told.withholds
    assert told.reveals[0].needed_by == ()
    assert any(line.endswith("together, to withhold small cells") for line in told.lines())


def test_a_variance_is_said_to_tell_the_sum_of_squares() -> None:
    disclosure = disclose(plan_of(study_of("number 0..9 kg", "stddev(x)")))
    assert [reveal.what.partition(",")[0] for reveal in disclosure.reveals] == [
        "number of rows in people",
        "sum of x",
        "sum of squares of x",
    ]
    assert any("sum of squares of x is told by its variance" in t for t in disclosure.follows)
    assert disclosure.rounding == (
        "x to 9 decimals a row, 9 decimals a member",
        "x squares to 18 decimals a row, 13 decimals a member",
    )


def test_a_committee_that_checks_nothing_is_said_to_do_so() -> None:
    plan = plan_of(read_study(BY_WARD), TRIO, SEMI_HONEST)
    lines = disclose(plan).lines()
    assert (
        "holds    against any one of north, south and west that follows the protocol and only "
        "looks (semi-honest): two of these together read every member's numbers"
    ) in lines
    assert (
        "not      against one of north, south and west that deviates: it can make results wrong, "
        "unnoticed"
    ) in lines
    checked = disclose(plan_of(read_study(BY_WARD), TRIO))
    assert max(disclose(plan).bytes_sent) < min(checked.bytes_sent)
