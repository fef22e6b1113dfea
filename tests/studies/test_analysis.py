"""Analyses in a study file: read, refused with their place, planned; Table 1 written out."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate import wire
from quorate.algebra import ring
from quorate.errors import MalformedStudy, Refused, VerificationFailed
from quorate.studies.analysis import Analysis, Parameter
from quorate.studies.committee import Revealed
from quorate.studies.cost import SIGNATURE_BYTES, run_cost
from quorate.studies.disclosure import disclose
from quorate.studies.planning import check, compile_plan
from quorate.studies.protocols import COMMITTEE, SMALL_CELLS_SEEN, TWO_MEMBERS
from quorate.studies.release import verify_certificate
from quorate.studies.results import WITHHELD
from quorate.studies.study import Study, check_study, read_study
from tests.parties import measure, names_of
from tests.studies.test_committee import deciding
from tests.studies.trio import NOW, TRIO, group_of, plan_of, signed_release

HEAD = """
title = "t"
purpose = "p"
max_rows = 1000
[tables.people]
arm = "category a b"
out = "category 0 1"
age = "integer 0..120 years"
bmi = "number 10..80 kg/m2"
stage = "category I II III"
"""
CHI = '[analyses.chi]\nkind = "crosstab"\nrows = "arm"\ncolumns = "out"\n'
T = '[analyses.t]\nkind = "t-test"\ncolumn = "bmi"\nby = "arm"\nwhere = "age >= 18"\n'
BY_ARM = '[releases]\nby_arm = "select arm, out, count(*) as n from people group by arm, out"\n'


def test_an_analysis_is_data() -> None:
    study = read_study(HEAD + CHI + T)
    assert study.analyses[0] == Analysis(
        "chi", "crosstab", "", (), (Parameter("columns", ("out",)), Parameter("rows", ("arm",)))
    )
    assert study.analyses[1].text == "t-test; by = arm; column = bmi; where age >= 18"
    assert not study.releases


def test_a_plan_with_analyses_survives_the_wire() -> None:
    plan = plan_of(read_study(HEAD + BY_ARM + CHI + T))
    assert wire.decode(wire.encode(plan), type(plan)) == plan


def test_the_digest_covers_every_parameter() -> None:
    text = HEAD + T + 'groups = ["a", "b"]\n'
    other = text.replace('["a", "b"]', '["b", "a"]')
    assert plan_of(read_study(text)).digest() != plan_of(read_study(other)).digest()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[analyses.a]\nrows = "arm"\n', "analyses.a: has no kind"),
        ('[analyses.a]\nkind = "horoscope"\n', "analyses.a: there is no kind horoscope"),
        (CHI + 'colour = "red"\n', "analyses.chi.colour: is no parameter of crosstab"),
        (CHI.replace("out", "age"), "analyses.chi.columns: age is no category"),
        (CHI.replace("out", "arm"), "analyses.chi: a column always depends on itself"),
        (CHI + 'where = "age > 18 group by arm"\n', "chi"),
        (CHI + 'where = "1; select"\n', "chi"),
        (CHI + "where = 7\n", "analyses.chi.where: not a condition in quotes"),
        (T.replace("bmi", "weight"), "analyses.t.column: there is no column weight"),
        (T.replace('"arm"', '"stage"'), "analyses.t.groups: a t-test compares two values"),
        (T + "groups = [[1]]\n", "analyses.t.groups: neither text, a number"),
        (T + "groups = []\n", "analyses.t.groups: has 1 to"),
        ('[analyses.q]\nkind = "quantile"\ncolumn = "age"\nat = 1\n', "analyses.q.at: 1 is not"),
        ('[analyses.q]\nkind = "quantile"\ncolumn = "bmi"\nstep = 0.001\n', "analyses.q.step"),
        ("[analyses.chi]\nkind = 7\n", "analyses.chi: has no kind"),
        ("analyses = 7\n", "analyses: missing, or not a table"),
    ],
)
def test_a_bad_analysis_is_refused_with_its_place(text: str, place: str) -> None:
    whole = text + HEAD if text.startswith("analyses =") else HEAD + text
    with pytest.raises(MalformedStudy) as caught:
        plan_of(read_study(whole))
    assert place in str(caught.value)


def test_a_name_is_a_releases_or_an_analysis_not_both() -> None:
    with pytest.raises(MalformedStudy, match="two names"):
        read_study(HEAD + BY_ARM.replace("by_arm", "chi") + CHI)


def test_a_plan_from_elsewhere_is_held_to_the_same_rules() -> None:
    plan = plan_of(read_study(HEAD + CHI))

    def altered(**changes: Any) -> Study:
        return replace(plan.study, analyses=(replace(plan.study.analyses[0], **changes),))

    for study in (
        altered(kind="horoscope"),
        altered(condition="age >= 18"),
        altered(parameters=plan.study.analyses[0].parameters[::-1]),
        altered(parameters=(Parameter("rows", ("arm",)),)),
    ):
        with pytest.raises(MalformedStudy):
            check(replace(plan, study=study), TRIO)


def test_too_many_rows_and_too_wide_columns_are_refused() -> None:
    many = HEAD.replace("max_rows = 1000", "max_rows = 1_000_000")
    with pytest.raises(MalformedStudy, match="crosstab takes at most 1048576 rows"):
        plan_of(read_study(many + CHI))
    wide = HEAD.replace("0..120 years", "0..1000000 years")
    with pytest.raises(MalformedStudy, match="age is too wide for so many rows"):
        plan_of(read_study(wide + T.replace('column = "bmi"', 'column = "age"')))


def test_two_members_have_no_analyses() -> None:
    with pytest.raises(Refused, match="three members"):
        plan_of(read_study(HEAD + CHI), group_of("north", "south"), TWO_MEMBERS)


def test_small_cells_that_may_be_seen_do_not_open_an_analysis() -> None:
    study = read_study(HEAD + BY_ARM + CHI)
    plan = compile_plan(study, TRIO, proposer="north", now=NOW, accept=[SMALL_CELLS_SEEN])
    assert plan.protocol == COMMITTEE


def test_the_disclosure_says_what_is_revealed_and_by_whom() -> None:
    text = "\n".join(disclose(plan_of(read_study(HEAD + CHI))).lines())
    assert "asks     chi = crosstab; columns = out; rows = arm" in text
    assert "reveals  chi-squared, degrees of freedom of all members together" in text
    assert "number of rows" not in text.split("small ")[0]
    assert "holds    against any one of north, south and west" in text


@pytest.mark.parametrize("n", [3, 5])
@pytest.mark.parametrize("text", [HEAD + CHI, HEAD + BY_ARM + CHI + T])
def test_a_plan_with_analyses_costs_what_it_says(text: str, n: int) -> None:
    plan, notes = plan_of(read_study(text), group_of(*names_of(n))), dict[int, int]()
    vectors = [ring.from_signed(np.full(plan.numbers, 6, np.int64))] * n
    outcomes, _, sent = measure(deciding(plan.study, vectors, notes), n)
    assert all(isinstance(one, Revealed) for one in outcomes.values()), outcomes
    said = run_cost(plan)
    signed = SIGNATURE_BYTES * (n - 1)
    assert [sent[p] + signed for p in range(n)] == list(said.bytes_sent)
    assert {notes[p] + 1 for p in range(3)} == {said.rounds}


def test_a_certificate_holds_the_plans_analyses_only() -> None:
    plan = plan_of(read_study(HEAD + CHI))
    results = plan.results_revealed((), (), (3 << 24, 1, 1, 1, 1))
    assert [result.value for result in results] == ["3", "1"]
    release = signed_release(plan, TRIO, results)
    verify_certificate(release.certificate, plan, TRIO)
    for wrong in (
        results[:1],
        results[::-1],
        (replace(results[0], exact="-3", value="-3"), results[1]),
        (replace(results[0], value="4"), results[1]),
        (replace(results[0], exact="1/3", value="0.333333"), results[1]),
        (replace(results[0], exact="", value="perhaps"), results[1]),
    ):
        with pytest.raises(VerificationFailed, match="the result"):
            verify_certificate(replace(release.certificate, results=wrong), plan, TRIO)


def test_withheld_analyses_are_said_to_be() -> None:
    plan = plan_of(read_study(HEAD + CHI))
    assert {r.value for r in plan.results_revealed((), (), (0, 0, 0, 0, 0))} == {WITHHELD}


TABLE_ONE = '[table_one.base]\narm = "arm"\ncolumns = ["age", "stage", "out"]\n'


def test_a_table_one_becomes_releases_and_tests() -> None:
    study = read_study(HEAD + TABLE_ONE)
    assert [query.sql for query in study.releases] == [
        "select arm, count(*) as n, avg(age) as mean_age, stddev(age) as sd_age "
        "from people group by arm",
        "select arm, stage, count(*) as n from people group by arm, stage",
        "select arm, out, count(*) as n from people group by arm, out",
    ]
    assert [(one.name, one.kind) for one in study.analyses] == [
        ("base_age_test", "t-test"),
        ("base_stage_test", "crosstab"),
        ("base_out_test", "crosstab"),
    ]
    check_study(study)
    assert disclose(plan_of(study)).lines()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (TABLE_ONE.replace('arm = "arm"', 'arm = "bmi"'), "bmi is no category"),
        (TABLE_ONE.replace('"age"', '"arm"'), "one column twice"),
        (TABLE_ONE.replace('"age"', '"weight"'), "there is no column weight"),
        (TABLE_ONE + "more = 1\n", "has an arm and a list of columns"),
        ("table_one = 3\n", "table_one: missing, or not a table"),
    ],
)
def test_a_bad_table_one_is_refused(text: str, place: str) -> None:
    whole = text + HEAD if text.startswith("table_one =") else HEAD + text
    with pytest.raises(MalformedStudy, match=place):
        read_study(whole)
