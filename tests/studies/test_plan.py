from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quorate import wire
from quorate.errors import Abort, Error, MalformedMessage, MalformedStudy, Refused
from quorate.studies.inputs import Cells, Input
from quorate.studies.plan import Plan
from quorate.studies.planning import check
from quorate.studies.protocols import TWO_MEMBERS
from quorate.studies.query import Output, Predicate
from quorate.studies.schema import read_column
from quorate.studies.sql import read_query
from quorate.studies.statistics import decimal_text, exact_text, from_exact, root_text
from tests.studies.trio import PLAN, TOTALS, TRIO, group_of, plan_of, study_of


def test_a_mean_needs_the_count_and_the_sum_and_each_input_is_computed_once() -> None:
    everybody = Cells((), ())
    assert PLAN.inputs == (
        Input(everybody, "count", ""),
        Input(everybody, "sum", "age"),
        Input(everybody, "sum", "bmi"),
    )
    twice = plan_of(study_of("integer 0..9 kg", "sum(x)", "sum(x)"))
    assert twice.inputs == (Input(everybody, "sum", "x"),)
    assert plan_of(study_of("integer 0..9 kg", "count(*)")).numbers == 1


def test_small_cells_are_withheld_by_their_number_of_rows_which_is_then_needed() -> None:
    plan = plan_of(study_of("integer 0..9 kg", "sum(x)", min_cell=5))
    assert [item.amount for item in plan.inputs] == ["count", "sum"]


def test_results_are_exact_and_shown_as_decimals() -> None:
    patients, mean, bmi = PLAN.results(TOTALS)
    assert (patients.exact, patients.unit) == ("442", "rows")
    assert mean.exact == "21445/442"
    assert (mean.name, mean.value, mean.unit) == ("mean_age", "48.5181", "years")
    assert bmi.exact == "6172839450617/500000000"


@given(st.integers(3, 3000), st.data())
def test_every_total_honest_members_can_have_gives_results(count: int, data: st.DataObject) -> None:
    total = data.draw(st.integers(-7 * count, 5 * count))
    plan = plan_of(study_of("integer -7..5 kg", "count(*)", "avg(x)", "sum(x)"))
    n, mean, whole = plan.results((count, total))
    assert n.exact == str(count)
    assert Fraction(mean.exact) * count == Fraction(whole.exact) == total


@pytest.mark.parametrize(
    "totals",
    [(0, 0), (2, 0), (-1, 0), (3001, 0), (3, 16), (3, -22), (1 << 63, 0), (3, -(1 << 63))],
)
def test_totals_no_honest_members_can_have_abort(totals: tuple[int, ...]) -> None:
    with pytest.raises(Abort, match="impossible"):
        plan_of(study_of("integer -7..5 kg", "avg(x)")).results(totals)


@pytest.mark.parametrize(
    ("total", "possible"), [(15_000, True), (15_001, False), (3, True), (2, False)]
)
def test_a_sum_alone_is_bounded_by_the_rows_there_can_be(total: int, *, possible: bool) -> None:
    plan = plan_of(study_of("integer 1..5 kg", "sum(x)"))
    if possible:
        assert plan.results((total,))[0].exact == str(total)
        return
    with pytest.raises(Abort):
        plan.results((total,))


@given(st.fractions())
def test_decimals_are_the_nearest(value: Fraction) -> None:
    text = decimal_text(value)
    assert abs(Fraction(text) - value) <= Fraction(1, 2 * 10**6)
    assert text == "0" or not text.startswith("-0") or "." in text
    assert "." not in text or not text.endswith(("0", "."))


def test_two_members_must_accept_what_a_sum_tells() -> None:
    pair, study = group_of("north", "south"), study_of("integer 0..9 kg", "sum(x)")
    with pytest.raises(Refused, match="reveals the other's value") as refused:
        plan_of(study, pair)
    assert "--accept two-members" in refused.value.hint
    assert plan_of(study, pair, TWO_MEMBERS).accept == (TWO_MEMBERS,)
    with pytest.raises(Refused, match="unknown"):
        plan_of(study, pair, TWO_MEMBERS, "anything")


@given(
    st.integers(2, 20),
    st.integers(1, 10**10),
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.integers(-(10**15) + 1, 10**15 - 1),
)
def test_a_plan_runs_exactly_if_no_rows_within_bounds_overflow(
    n: int, max_rows: int, one: int, other: int
) -> None:
    group = group_of(*(f"m{i}" for i in range(n)))
    study = study_of(
        f"integer {min(one, other)}..{max(one, other)} kg", "sum(x)", max_rows=max_rows
    )
    worst = n * max_rows * max(abs(one), abs(other))
    if worst < 1 << 63:
        plan_of(study, group, TWO_MEMBERS)
        return
    with pytest.raises(Refused, match="could overflow") as refused:
        plan_of(study, group, TWO_MEMBERS)
    fit = int(refused.value.hint.split()[3]) if "max_rows" in refused.value.hint else 0
    assert worst // max_rows * fit < 1 << 63


@pytest.mark.parametrize("n", [3, 7])
def test_the_hint_on_overflow_is_the_most_that_fits(n: int) -> None:
    group = group_of(*(f"m{i}" for i in range(n)))
    column = "number 0..800000000.123456789 kg"
    with pytest.raises(Refused) as refused:
        plan_of(study_of(column, "avg(x)", max_rows=10**10), group)
    fit = int(refused.value.hint.split()[3])
    assert n * fit * Fraction("800000000.123456789") < 1 << 63
    plan_of(study_of(column, "avg(x)", max_rows=fit), group)
    with pytest.raises(Refused):
        plan_of(study_of(column, "avg(x)", max_rows=fit + 2), group)


QUERY = PLAN.study.releases[0]
ADULT = Predicate(">=", "age", ("18",), ())
OTHER_OUTPUT = Output("patients", "sum", "age", ())
OTHER: dict[str, Any] = {
    "format": 1,
    "study": replace(PLAN.study, max_rows=0),
    "group": bytes(32),
    "members": ("south", "north", "west"),
    "computes": ("north", "south"),
    "recipients": ("north",),
    "proposer": "east",
    "proposed_at": "2027-01-31T09:30:00+00:00",
    "trust_model": "third-party",
    "protocol": "subtractive sum",
    "t": 1,
    "privacy": "laplace",
    "accept": ("two-members", "two-members"),
    "software": "quorate wire 2",
}


@pytest.mark.parametrize("name", [field.name for field in fields(Plan)])
def test_a_plan_changed_in_any_field_has_another_digest_and_is_refused(name: str) -> None:
    changed: Plan = replace(PLAN, **{name: OTHER[name]})
    assert changed.digest() != PLAN.digest()
    with pytest.raises(Error):
        check(wire.decode(wire.encode(changed), Plan), TRIO)


def test_a_plan_names_the_members_of_its_group_in_their_seats() -> None:
    names = ("south", "north", "west")
    with pytest.raises(Refused, match="other members"):
        check(replace(PLAN, members=names, recipients=names), TRIO)


def test_a_plan_in_a_group_that_could_be_confused_is_refused() -> None:
    with pytest.raises(MalformedMessage):
        plan_of(PLAN.study, replace(TRIO, name="Trio "))


@pytest.mark.parametrize(
    "time",
    ["", "2027-02-30T00:00:00Z", "2027-01-31", "99999-01-01T00:00:00Z", "2027-01-31T09:30:00z"],
)
def test_a_time_has_one_spelling(time: str) -> None:
    with pytest.raises(Refused, match="a time is not written"):
        check(replace(PLAN, proposed_at=time), TRIO)


@pytest.mark.parametrize(
    "study",
    [
        replace(PLAN.study, title="\x1b[2J"),
        replace(PLAN.study, releases=()),
        replace(PLAN.study, min_cell=0),
        replace(PLAN.study, releases=PLAN.study.releases * 2),
        replace(PLAN.study, releases=(replace(QUERY, name="a b"),)),
        replace(PLAN.study, releases=(replace(QUERY, sql=QUERY.sql + " "),)),
        replace(PLAN.study, releases=(replace(QUERY, sql=QUERY.sql.upper()),)),
        replace(PLAN.study, releases=(replace(QUERY, group_by=("age",)),)),
        replace(PLAN.study, releases=(replace(QUERY, outputs=QUERY.outputs[:1]),)),
        replace(PLAN.study, releases=(replace(QUERY, where=(ADULT,)),)),
        replace(PLAN.study, releases=(replace(QUERY, outputs=(OTHER_OUTPUT,)),)),
        *(
            replace(
                PLAN.study,
                table=replace(
                    PLAN.study.table,
                    columns=(replace(PLAN.study.table.column("age"), low=low),),
                ),
            )
            for low in ("-0", "00", "0.0", "1e1", "0; DROP", "121", "", ".5", "1.", "nan", "٣")
        ),
        replace(PLAN.study, table=replace(PLAN.study.table, name='x"')),
    ],
)
def test_a_received_study_is_held_to_the_rules_of_a_written_one(study: Any) -> None:
    with pytest.raises(MalformedStudy):
        check(replace(PLAN, study=study), TRIO)


def test_a_received_plan_survives_the_wire_and_is_accepted() -> None:
    received = wire.decode(wire.encode(PLAN), Plan)
    check(received, TRIO)
    assert received == PLAN
    assert received.short_id == f"{PLAN.digest().hex()[:4]}-{PLAN.digest().hex()[4:8]}"


@given(st.integers(0, len(wire.encode(PLAN)) - 1), st.integers(1, 255))
def test_no_altered_byte_gives_a_plan_that_runs_under_the_same_digest(at: int, flip: int) -> None:
    data = bytearray(wire.encode(PLAN))
    data[at] ^= flip
    try:
        plan = wire.decode(data, Plan)
        check(plan, TRIO)
    except (MalformedMessage, MalformedStudy, Refused):
        return
    assume(plan != PLAN)
    assert plan.digest() != PLAN.digest()


@pytest.mark.parametrize("column", ["integer -7..5 kg", "number -7..5 kg"])
@pytest.mark.parametrize(
    ("total", "squares", "possible"),
    [(8, 16, True), (8, 32, True), (8, 15, False), (8, 197, False), (0, 0, True), (0, -1, False)],
)
def test_squares_that_fit_no_rows_abort(
    column: str, total: int, squares: int, *, possible: bool
) -> None:
    plan = plan_of(study_of(column, "var(x)"))
    _, sums, of_squares = plan.inputs
    totals = (4, total * 10 ** plan.decimals(sums), squares * 10 ** plan.decimals(of_squares))
    if possible:
        exact = plan.results(totals)[0].exact
        assert Fraction(exact) == (Fraction(squares) - Fraction(total**2, 4)) / 3
        return
    with pytest.raises(Abort, match="impossible"):
        plan.results(totals)


@given(st.fractions(0, 10**12))
def test_roots_are_the_nearest(value: Fraction) -> None:
    shown = Fraction(root_text(value))
    half = Fraction(1, 2 * 10**6)
    assert max(shown - half, Fraction(0)) ** 2 <= value <= (shown + half) ** 2


@given(value=st.fractions(), root=st.booleans())
def test_an_exact_value_has_one_spelling(value: Fraction, *, root: bool) -> None:
    value = abs(value) if root else value
    text = exact_text(value, root=root)
    assert from_exact(text) == (value, root)
    for other in (f"0{text}", f"{text} ", f"+{text}", text + "/1", f"sqrt({text}"):
        assert from_exact(other) is None


@pytest.mark.parametrize(("low", "high"), [(0, 400), (-5, 3), (0, 10**7)])
def test_decimals_are_the_most_that_surely_fit(low: int, high: int) -> None:
    plan = plan_of(study_of(f"number {low}..{high} kg", "var(x)", max_rows=1000))
    largest = max(-low, high)
    for item, power, most in zip(plan.inputs[1:], (1, 2), (9, 18), strict=True):
        worst = 3 * 1000 * largest**power
        d = plan.decimals(item)
        assert worst * 10**d < 1 << 63
        assert d == most or worst * 10 ** (d + 1) >= 1 << 63


def test_squares_overflow_before_sums_do_and_the_hint_fits() -> None:
    column = "integer 0..1000000 EUR"
    plan_of(study_of(column, "avg(x)", max_rows=10**8))
    with pytest.raises(Refused, match="the squares of x could overflow") as refused:
        plan_of(study_of(column, "var(x)", max_rows=10**8))
    fit = int(refused.value.hint.split()[3])
    plan_of(study_of(column, "var(x)", max_rows=fit))
    with pytest.raises(Refused):
        plan_of(study_of(column, "var(x)", max_rows=fit + 2))


def test_a_study_of_too_many_values_is_refused() -> None:
    column = f"category {' '.join(f'c{i}' for i in range(1000))}"
    calls = [f"x, {', '.join(f'count(*) as n{i}' for i in range(6))}, count(x)"] * 2
    text = "select {} as v from people group by x"
    made = study_of("integer 0..9 kg", "count(*)")
    table = replace(made.table, columns=(read_column("t", "x", column),))
    queries = tuple(read_query(f"r{i}", text.format(call), table) for i, call in enumerate(calls))
    with pytest.raises(Refused, match="releases 14000 values, and the most is 10000"):
        plan_of(replace(made, table=table, releases=queries))
