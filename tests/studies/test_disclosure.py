from quorate.studies.disclosure import disclose
from quorate.studies.plan import TWO_MEMBERS
from tests.studies.trio import PLAN, group_of, plan_of, study_of


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
