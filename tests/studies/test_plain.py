"""One who sees all rows gets what the members compute together: same guards, same numbers."""

import os
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.algebra import ring
from quorate.errors import Abort, DataError, MalformedMessage, MalformedStudy, Refused
from quorate.studies.committee import Revealed, reveal_shown
from quorate.studies.plain import execute, results_of_words, rows_to_send, words_of
from quorate.studies.plan import Plan
from quorate.studies.planning import compile_plan
from quorate.studies.results import WITHHELD, Result
from quorate.studies.rows import check_coded, columns_sent
from quorate.studies.sources import Source, aggregate, open_source
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.parties import run_parties
from tests.studies.rows import HEAD, RELEASES, THIRD, parts, planned, received, sources
from tests.studies.trio import NOW, TRIO, study_of

KINDS = {
    "crosstab": 'kind = "crosstab"\nrows = "arm"\ncolumns = "out"',
    "two-by-two": 'kind = "two-by-two"\nexposure = "arm"\nexposed = "a"\noutcome = "out"\n'
    "event = \"1\"\nwhere = \"arm in ('a', 'b')\"",
    "t-test": 'kind = "t-test"\ncolumn = "bmi"\nby = "arm"\ngroups = ["a", "b"]',
    "correlation": 'kind = "correlation"\nx = "x"\ny = "bmi"',
    "quantile": 'kind = "quantile"\ncolumn = "x"\nat = [0.25, 0.5]',
    "rate": 'kind = "rate"\noutcome = "out"\nevent = "1"\ntime = "x"\nper = 100',
    "logrank": 'kind = "logrank"\ntime = "x"\nevent = "arm"\nhappened = "a"\nwidth = 20\n'
    "group = \"out\"\nwhere = \"arm in ('a', 'b')\"",
    "kaplan_meier": 'kind = "kaplan_meier"\ntime = "x"\nevent = "out"\nhappened = 1\nwidth = 20',
    "linear": 'kind = "linear"\nformula = "bmi ~ x + C(out)"',
    "logistic": 'kind = "logistic"\nformula = "out ~ x"\nsteps = 4',
}
EXACT = {"quantile"}
"""Kinds whose words the committee reveals without a division: they are the same to the last bit."""


def by_third(plan: Plan, files: Sequence[Source]) -> tuple[Result, ...]:
    return results_of_words(plan, execute(plan, received(plan, files), os.urandom))


def by_committee(plan: Plan, files: Sequence[Source]) -> tuple[Result, ...]:
    async def protocol(session: Session) -> Revealed:
        return await reveal_shown(
            session,
            plan.study,
            ring.from_signed(np.array(aggregate(files[session.me], plan), np.int64)),
            security=plan.security,
            context=b"test",
            claim=lambda _: None,
            randomness=os.urandom,
        )

    found = run_parties(protocol, 3)[0]
    assert isinstance(found, Revealed), found
    return plan.results_revealed(found.numbers, found.hidden, found.told)


@pytest.mark.parametrize("least", [1, 5, 12])
def test_releases_are_those_of_the_members_together(tmp_path: Path, least: int) -> None:
    files = sources(tmp_path, parts(40, 25, 60))
    secret = planned(RELEASES, third=False, least=least)
    third = by_third(planned(RELEASES, third=True, least=least), files)
    if least == 1:
        totals = np.sum([aggregate(file, secret) for file in files], axis=0)
        assert third == secret.results(tuple(totals.tolist()))
    else:
        assert third == by_committee(secret, files)
        assert (WITHHELD in {result.value for result in third}) == (least == 12)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_analysis_is_that_of_the_members_together(tmp_path: Path, kind: str) -> None:
    files, text = sources(tmp_path, parts(40, 25, 60)), f"[analyses.a]\n{KINDS[kind]}\n"
    third = by_third(planned(text, third=True), files)
    together = by_committee(planned(text, third=False), files)
    assert any(result.exact for result in third)
    if kind in EXACT:
        assert third == together
    for mine, theirs in zip(third, together, strict=True):
        assert (mine.label, mine.unit, bool(mine.exact)) == (
            theirs.label,
            theirs.unit,
            bool(theirs.exact),
        )
        if mine.exact:
            near = pytest.approx(float(Fraction(theirs.exact)), rel=1e-4, abs=1e-6)
            assert float(Fraction(mine.exact)) == near


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_than_three_members_rows_are_withheld_here_too(tmp_path: Path, kind: str) -> None:
    one, two, three = parts(40, 25, 60)
    elsewhere = [("c", out, x, bmi) for _, out, x, bmi in three]
    where = "" if "where" in KINDS[kind] else "where = \"arm in ('a', 'b')\"\n"
    text = f"[analyses.a]\n{KINDS[kind]}\n{where}"
    third = by_third(planned(text, third=True), sources(tmp_path, [one, two, elsewhere]))
    assert {result.value for result in third} == {WITHHELD}


def test_control_without_the_guard_two_members_rows_are_told(tmp_path: Path) -> None:
    one, two, three = parts(40, 25, 60)
    elsewhere = [("c", out, x, bmi) for _, out, x, bmi in three]
    text = f"[analyses.a]\n{KINDS['quantile']}\nwhere = \"arm in ('a', 'b')\"\n"
    third = by_third(planned(text, third=True, least=1), sources(tmp_path, [one, two, elsewhere]))
    assert WITHHELD not in {result.value for result in third}


def test_only_columns_the_plan_looks_at_and_rows_it_counts_are_sent(tmp_path: Path) -> None:
    (own, *_), files = parts(40), sources(tmp_path, parts(40))
    text = "[releases]\nr = \"select avg(x) as m from patients where arm = 'a' or x > 90\"\n"
    plan = planned(text, third=True)
    sent = rows_to_send(files[0], plan)
    assert [column.name for column in columns_sent(plan)] == ["arm", "x"]
    kept = [("abc".index(arm), x) for arm, _, x, _ in own if arm == "a" or x > 90]
    assert 0 < len(kept) < len(own)
    expected = [len(kept), *(arm for arm, _ in kept), *(x for _, x in kept)]
    assert sent.tolist() == expected


def test_a_count_sends_no_column(tmp_path: Path) -> None:
    plan = planned('[releases]\nr = "select count(*) as n from patients"', third=True)
    files = sources(tmp_path, parts(4, 5, 6))
    assert rows_to_send(files[0], plan).tolist() == [4]
    assert by_third(plan, files)[0].exact == "15"


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.decimals("-99999999.5", "99999999.25", places=9, allow_nan=False), min_size=1, max_size=6
    )
)
def test_decimals_arrive_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, xs: list[Decimal]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    text = ("title = 't'\npurpose = 'p'\nmax_rows = 10\nmin_cell = 1\n"
        "[tables.people]\nx = 'number -99999999.5..99999999.25 kg'\n"
        "[releases]\nr = \"select sum(x) as s, var(x) as v from people\"\n")  # fmt: skip
    path = folder / "x.csv"
    path.write_text("\n".join(["x", *(f"{x:f}" for x in xs)]) + "\n")
    files = [open_source(path)] * 3
    exact = compile_plan(read_study(text), TRIO, proposer="north", now=NOW)
    third = compile_plan(read_study(THIRD + "\n" + text), TRIO, proposer="north", now=NOW)
    totals = np.sum([np.array(aggregate(file, exact), object) for file in files], axis=0)
    assert by_third(third, files) == exact.results(tuple(map(int, totals)))


def test_a_row_out_of_bounds_stays_with_its_owner(tmp_path: Path) -> None:
    files = sources(tmp_path, [[("a", 0, 101, "20")]])
    with pytest.raises(DataError, match=r"out of bounds"):
        rows_to_send(files[0], planned(RELEASES, third=True))


@pytest.mark.parametrize("value", [-1, 3, 1 << 40, -(1 << 63)])
def test_a_received_value_out_of_bounds_is_refused(tmp_path: Path, value: int) -> None:
    plan = planned(RELEASES, third=True)
    (rows, _), *_ = received(plan, sources(tmp_path, parts(10, 10, 10)))
    check_coded(plan, rows)
    rows[0, 3] = value  # arm
    with pytest.raises(MalformedMessage, match="arm is not as declared"):
        check_coded(plan, rows)


def test_words_no_rows_could_give_are_no_results() -> None:
    plan = planned(RELEASES, third=True)
    with pytest.raises(Abort, match="impossible"):
        results_of_words(plan, np.full(words_of(plan), 1 << 60, np.uint64))


def test_what_a_study_may_say_of_trust() -> None:
    for wrong in ('trust = "server"', 'third_party = "south"', 'trust = "third-party"'):
        with pytest.raises(MalformedStudy):
            read_study(HEAD.format(least=5, trust=wrong) + RELEASES)
    study = study_of("integer 0..9 1", "count(*)")
    assert (study.trust, study.third_party) == ("mpc", "")


def test_a_third_party_is_a_member() -> None:
    text = HEAD.format(least=5, trust=THIRD.replace("south", "moon")) + RELEASES
    with pytest.raises(Refused, match="moon, which is to compute, is not a member"):
        compile_plan(read_study(text), TRIO, proposer="north", now=NOW)
