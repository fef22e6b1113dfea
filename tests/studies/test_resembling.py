"""Persons are found again in spite of typing errors, as by Dice's coefficient on all rows."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from quorate.errors import DataError, MalformedStudy
from quorate.studies.cost import SIGNATURE_BYTES, run_cost
from quorate.studies.disclosure import disclose
from quorate.studies.persons import Part, Way, filters
from quorate.studies.results import WITHHELD
from tests.parties import measure, run_parties
from tests.studies.linking import EVENT, Rows, linking, own_words, plan_among, row, told

DICE = 'key = ["text given", "text family", "date born"]\nmethod = "dice"\n'
BLOCKS = 'block = "date born"\nblocks = 4\n'
PARTS = (Part(Way.TEXT, "given"), Part(Way.TEXT, "family"), Part(Way.DATE, "born"))


GIVEN = ("Wolfgang", "Chloe", "Dmitri", "Esperanza", "Hiroshi", "Ulrike", "Jacques", "Brunhild")
FAMILY = ("Okafor", "Tanaka", "Szymczyk", "Lindqvist", "Perera", "Mbeki", "Goldstein", "Villanueva")


def person(number: int, *, event: bool = False, mistyped: bool = False) -> dict[str, str]:
    """Return a row of a person unlike all others below 64; mistyped, a letter is missing."""
    family = FAMILY[(number // 8 + 3 * number) % 8]
    names = {"given": GIVEN[number % 8], "family": family[:2] + family[3:] if mistyped else family}
    born = {"born": f"{1931 + number}-{1 + 5 * number % 12:02}-{13 + 7 * number % 16:02}"}
    return {**row(number, event=event), **names, **born}


def hospitals(n: int) -> list[Rows]:
    """Return ten persons a hospital, five of them, mistyped, at the next one too."""
    parts = [[person(10 * i + j, event=j % 2 == 0) for j in range(10)] for i in range(n)]
    for i in range(1, n):
        again = (10 * (i - 1) + j for j in range(5))
        parts[i] += [person(one, event=one % 10 == 1, mistyped=True) for one in again]
    return list(parts)


def by_dice(parts: Sequence[Rows]) -> dict[str, str]:
    """Return what the coefficient finds on all rows in one place, person by person."""
    everybody = [
        (member, one["infarction"] == "yes", set(bits.nonzero()[0].tolist()))
        for member, rows in enumerate(parts)
        for one, bits in zip(
            rows,
            filters(PARTS, [[one[part.column] for one in rows] for part in PARTS]),
            strict=True,
        )
    ]

    def is_new(at: int, *, with_event: bool) -> bool:
        member, _, own = everybody[at]
        return not any(
            2 * len(own & other) >= 0.8 * (len(own) + len(other))
            for before, event, other in everybody
            if before < member and (event or not with_event)
        )

    places = range(len(everybody))
    persons = sum(is_new(at, with_event=False) for at in places)
    events = sum(everybody[at][1] and is_new(at, with_event=True) for at in places)
    return {
        "persons": str(persons),
        "duplicates": str(len(everybody) - persons),
        "events": str(events),
    }


@pytest.mark.parametrize(
    ("n", "more", "accept"),
    [(3, "", ()), (3, BLOCKS, ("semi-honest",)), (4, "", ("semi-honest",))],
)
def test_mistyped_persons_are_counted_once(
    tmp_path: Path, n: int, more: str, accept: tuple[str, ...]
) -> None:
    plan = plan_among(n, DICE + EVENT + more, *accept, most=16)
    found = told(run_parties(linking(plan, own_words(plan, tmp_path, hospitals(n))), n))
    assert found == by_dice(hospitals(n))
    assert found["persons"] == str(10 * n)
    exact = plan_among(n, DICE.replace("dice", "exact") + EVENT, "semi-honest", most=16)
    missed = told(run_parties(linking(exact, own_words(exact, tmp_path, hospitals(n))), n))
    assert set(missed.values()) == {WITHHELD} or missed["persons"] == str(15 * n - 5)


def test_persons_of_two_blocks_are_never_compared(tmp_path: Path) -> None:
    parts = hospitals(3)
    moved = [{**one, "born": "1901-01-01"} for one in parts[1][10:]]
    parts[1] = [*parts[1][:10], *moved]
    of_one = plan_among(3, DICE + "likeness = 0.5\n", "semi-honest", most=20)
    of_many = plan_among(3, DICE + BLOCKS + "likeness = 0.5\n", "semi-honest", most=20)
    counts = [
        int(told(run_parties(linking(plan, own_words(plan, tmp_path, parts)), 3))["duplicates"])
        for plan in (of_one, of_many)
    ]
    assert counts[0] > counts[1]


def test_few_who_are_found_again_are_withheld(tmp_path: Path) -> None:
    parts = hospitals(3)
    parts[1], parts[2] = parts[1][:13], parts[2][:10]
    plan = plan_among(3, DICE, "semi-honest", most=16)
    found = told(run_parties(linking(plan, own_words(plan, tmp_path, parts)), 3))
    assert set(found.values()) == {WITHHELD}


@pytest.mark.parametrize("accept", [(), ("semi-honest",)])
@pytest.mark.parametrize(("n", "more"), [(3, ""), (3, BLOCKS), (4, "")])
def test_a_run_costs_what_the_plan_says(
    tmp_path: Path, n: int, more: str, accept: tuple[str, ...]
) -> None:
    plan = plan_among(n, DICE + EVENT + more, *accept, most=16)
    own = own_words(plan, tmp_path, hospitals(n))
    _, rounds, sent = measure(linking(plan, own), n)
    cost, signing = run_cost(plan), (n - 1) * SIGNATURE_BYTES
    assert not cost.at_most
    beats = [sent[party] + signing - cost.bytes_sent[party] for party in range(n)]
    if n == 3:
        assert cost.rounds - 2 < rounds + 1 <= cost.rounds  # one may wait for less than all
        assert not any(beats)
    assert all(0 <= more < 20 for more in beats)  # told to who is outside meanwhile


def test_a_block_without_room_is_refused_at_home(tmp_path: Path) -> None:
    plan = plan_among(3, DICE + 'block = "text family"\nblocks = 4\n', most=16)
    with pytest.raises(DataError, match="10 persons are in one block, and there is room for 8"):
        own_words(plan, tmp_path, [[{**one, "family": "Okafor"} for one in hospitals(3)[0]]] * 3)


def test_the_disclosure_says_what_is_alike() -> None:
    lines = "\n".join(disclose(plan_among(3, DICE + BLOCKS, most=16)).lines())
    assert "letter pairs of these are alike to 4/5 or more" in lines
    assert "of persons with the same date of born" in lines
    assert "filled up to 32 rows" in lines
    assert "at most" not in lines.partition("costs")[2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (DICE + "likeness = 0.4\n", "from 0.5 to 1"),
        (DICE + "likeness = 0.815\n", "at most 2 decimals"),
        (DICE + "blocks = 4\n", "by what persons are put into blocks"),
        (DICE.replace("dice", "exact") + BLOCKS, "is of a likeness"),
        (DICE, "pairs of rows would be compared"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, why: str) -> None:
    with pytest.raises(MalformedStudy, match=why):
        plan_among(3, text, most=16 if "likeness" in text or "blocks" in text else 400)
