"""The meter counts who could have written a report, and the gate holds it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.anonymous.meter import LEAST, Candidate, Crowd, Gate, check, own_gate, read
from quorate.errors import NotFound, Refused

STAFF = tuple(Candidate(f"member{i}", f"hospital{i % 3}") for i in range(8))
names = st.sampled_from([c.name for c in STAFF])
crowds = st.frozensets(st.sampled_from(STAFF)).map(lambda some: some | {STAFF[0]})


def test_five_of_three_organisations_are_enough_and_no_less() -> None:
    check(read(STAFF[:5], author="member0"))
    with pytest.raises(Refused, match="4 members, and 5 are the least"):
        check(read(STAFF[:4], author="member0"))
    alike = [Candidate(f"ward{i}", f"hospital{i % 2}") for i in range(9)]
    with pytest.raises(Refused, match="2 organisations, and 3 are the least"):
        check(read(alike, author="ward0"))


def test_who_is_feared_hides_nobody() -> None:
    reading = read(STAFF[:6], author="member0", feared=["member4", "member5"])
    assert reading.crowd == frozenset(STAFF[:4])
    with pytest.raises(Refused, match="4 members"):
        check(reading)


def test_a_thread_hides_among_those_who_were_always_there() -> None:
    thread = [frozenset(STAFF[:7]), frozenset(STAFF[:6])]
    reading = read(STAFF[:5], author="member0", thread=thread)
    assert reading.crowd == frozenset(STAFF[:5])
    assert reading.lost == {STAFF[5]}
    absent = read([STAFF[0], *STAFF[3:8]], author="member0", thread=thread)
    assert absent.crowd == {STAFF[0], *STAFF[3:6]}
    assert absent.lost == set(STAFF[1:3])
    with pytest.raises(Refused):
        check(absent)


def test_a_gate_may_be_wider_or_narrower() -> None:
    check(read(STAFF[:3], author="member0", gate=Gate(3, 3)))
    with pytest.raises(Refused, match="8 members, and 9 are the least"):
        check(read(STAFF, author="member0", gate=Gate(9, 3)))


@given(crowds, st.lists(crowds, max_size=4), st.sets(names.filter(lambda n: n != "member0")))
def test_speaking_again_and_fearing_more_never_enlarges_the_crowd(
    here: Crowd, thread: list[Crowd], feared: set[str]
) -> None:
    known = {c.name for crowd in (here, *thread) for c in crowd}
    reading = read(here, author="member0", feared=feared & known, thread=thread)
    assert STAFF[0] in reading.crowd
    assert reading.crowd <= here
    assert not any(c.name in feared for c in reading.crowd)
    assert not reading.lost & reading.crowd
    for crowd in thread:
        assert reading.crowd <= crowd


def test_names_nobody_has_are_no_comfort() -> None:
    with pytest.raises(NotFound):
        read(STAFF, author="member0", feared=["nobody"])
    with pytest.raises(Refused):
        read(STAFF, author="member0", feared=["member0"])
    with pytest.raises(Refused):
        read(STAFF[1:], author="member0")


def test_an_author_asks_for_more_than_all_need_and_never_for_less() -> None:
    assert own_gate(0, 0) == Gate() == LEAST
    assert own_gate(7, 0) == Gate(7, 3)
    assert own_gate(0, 5) == Gate(5, 5)
    assert Gate(7, 3).raised(Gate(6, 4)) == Gate(7, 4)
    for members, organisations in ((4, 0), (0, 2), (9, 1), (1, 9)):
        with pytest.raises(Refused, match="are the least"):
            own_gate(members, organisations)
