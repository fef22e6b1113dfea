"""A score over a record held by several: the plain sum, to one member, and nothing to others."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.algebra import ring
from quorate.errors import Abort
from quorate.studies.cost import SIGNATURE_BYTES, run_cost
from quorate.studies.runners import score
from quorate.studies.runners.score import Scored
from tests.parties import measure, names_of, run_parties
from tests.studies.scoring import POINTS, points_of, score_plan, score_text, scoring

TOTAL = tuple(1 + sum(one) for one in zip(*POINTS, strict=True))
BAND = tuple(int(total >= 3) + int(total >= 8) for total in TOTAL)


@pytest.mark.parametrize(("n", "treating"), [(3, 0), (3, 1), (3, 2), (5, 1), (5, 3)])
@pytest.mark.parametrize("shows", ["points", "band"])
def test_only_who_treats_the_patients_learns_the_sum(n: int, treating: int, shows: str) -> None:
    plan = score_plan(n, score_text(treating=names_of(n)[treating], shows=shows))
    outcomes = run_parties(scoring(plan, points_of(n)), n)
    for party, outcome in outcomes.items():
        assert isinstance(outcome, Scored)
        right = TOTAL if shows == "points" else BAND
        assert outcome.words == (right if party == treating else None)


@settings(max_examples=10)
@given(
    st.lists(st.tuples(*map(st.sampled_from, ((0, 2, 4), (-1, 5), (0, 3)))), min_size=5, max_size=5)
)
def test_scores_are_the_plain_ones(rows: list[tuple[int, int, int]]) -> None:
    own = [ring.from_signed(np.array(one, np.int64)) for one in zip(*rows, strict=True)]
    outcome = run_parties(scoring(score_plan(), own), 3)[0]
    assert isinstance(outcome, Scored)
    assert outcome.words == tuple(1 + sum(row) for row in rows)


WORDS = st.one_of(st.integers(5, (1 << 63) - 1), st.integers(-(1 << 63), -1))


@settings(max_examples=15)
@given(WORDS, st.integers(0, 4), st.sampled_from([3, 4]))
def test_points_no_row_has_are_found_whatever_word_they_are(bad: int, at: int, n: int) -> None:
    own = points_of(n)
    own[0][at] = ring.from_signed(np.array(bad, np.int64))
    for outcome in run_parties(scoring(score_plan(n), own), n).values():
        assert isinstance(outcome, Abort)
        assert outcome.culprits == {0}
        assert "nothing was revealed" in str(outcome)


def test_a_member_without_a_part_gives_nothing() -> None:
    own = points_of(4)
    own[3][2] = np.uint64(1)
    outcome = run_parties(scoring(score_plan(4), own), 4)[1]
    assert isinstance(outcome, Abort)
    assert outcome.culprits == {3}


def test_control_unchecked_points_bend_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object) -> None:
        """Look at nothing."""

    monkeypatch.setattr(score, "_refuse_impossible", nobody)
    own = points_of(3)
    own[1][0] = np.uint64(1000)
    outcome = run_parties(scoring(score_plan(), own), 3)[0]
    assert isinstance(outcome, Scored)
    assert outcome.words is not None
    assert outcome.words[0] == TOTAL[0] + 1 + 1000
    assert outcome.words[1:] == TOTAL[1:]


@pytest.mark.parametrize(("n", "treating"), [(3, 0), (3, 2), (4, 1), (4, 3)])
@pytest.mark.parametrize("shows", ["points", "band"])
@pytest.mark.parametrize("accept", [(), ("semi-honest",)])
def test_a_run_costs_what_the_plan_says(
    n: int, treating: int, shows: str, accept: Iterable[str]
) -> None:
    plan = score_plan(n, score_text(treating=names_of(n)[treating], shows=shows), *accept)
    _, rounds, sent = measure(scoring(plan, points_of(n)), n)
    cost, signing = run_cost(plan), (n - 1) * SIGNATURE_BYTES
    assert rounds + 1 == cost.rounds
    assert tuple(sent[party] + signing for party in range(n)) == cost.bytes_sent
