"""The ledger: in every store, under every interruption, no release without its cost."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate import wire
from quorate.dp.accounting import MOST, NANO, Charge, charge
from quorate.dp.caps import Cap
from quorate.dp.chain import NOTHING_SEEN, TRANSITIONS, Entry, Head, Release, State
from quorate.dp.ledger import MAX_ANSWER, Ledger, LedgerStore
from quorate.dp.mechanisms import gaussian, laplace
from quorate.errors import NotFound, Refused, VerificationFailed
from tests.dp.stores import MemoryStore, SqliteStore

NOW = datetime(2030, 1, 1, tzinfo=UTC)
TENTH = charge(laplace(1, Fraction(1, 10)), Fraction(0))
ONE = Cap(nano_epsilon=NANO)


def asked(name: str, cost: Charge = TENTH) -> Release:
    return Release(name, bytes(32), "Laplace, scale 10, sensitivity 1", cost)


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    found = SqliteStore(tmp_path / "ledger.db")
    yield found
    found.close()


def released(ledger: Ledger, name: str, cap: Cap = ONE) -> bytes:
    """Go the whole way once; a second time the ledger answers."""
    known = ledger.reserve(asked(name), cap, NOW)
    if known is not None:
        return known
    ledger.open(name, NOW)
    answer = f"answer to {name}".encode()
    ledger.release(name, answer, NOW)
    return answer


def test_ten_tenths_fit_and_not_a_release_more(store: LedgerStore) -> None:
    ledger = Ledger(store)
    for i in range(10):
        released(ledger, f"release {i}")
    with pytest.raises(Refused) as refused:
        ledger.reserve(asked("one more"), ONE, NOW)
    assert str(refused.value) == "this costs epsilon 0.1; 1 of 1 is spent, 0 is left"
    assert len(ledger.verified(NOTHING_SEEN)) == 30
    assert ledger.spent().nano_epsilon == NANO


def test_the_same_release_is_answered_again_for_free(store: LedgerStore) -> None:
    ledger = Ledger(store)
    first = released(ledger, "mean")
    spent = ledger.spent()
    assert ledger.reserve(asked("mean"), ONE, NOW) == first
    assert ledger.reserve(asked("mean"), Cap(nano_epsilon=0), NOW) == first
    assert ledger.spent() == spent


def test_a_name_stands_for_one_release(store: LedgerStore) -> None:
    ledger = Ledger(store)
    ledger.reserve(asked("mean"), ONE, NOW)
    for other in (replace(asked("mean"), plan=bytes([1]) * 32), asked("mean", Charge(1, 1, 0))):
        with pytest.raises(Refused, match="another release"):
            ledger.reserve(other, ONE, NOW)


def test_what_was_opened_without_an_answer_is_not_opened_again(store: LedgerStore) -> None:
    ledger = Ledger(store)
    ledger.reserve(asked("mean"), ONE, NOW)
    assert ledger.reserve(asked("mean"), ONE, NOW) is None  # nothing was sent: go on
    ledger.open("mean", NOW)
    with pytest.raises(Refused, match="opened"):
        ledger.reserve(asked("mean"), ONE, NOW)
    assert ledger.spent() == TENTH


def test_steps_come_in_order(store: LedgerStore) -> None:
    ledger = Ledger(store)
    with pytest.raises(NotFound):
        ledger.open("mean", NOW)
    ledger.reserve(asked("mean"), ONE, NOW)
    with pytest.raises(Refused, match="reserved"):
        ledger.release("mean", b"", NOW)
    ledger.open("mean", NOW)
    with pytest.raises(Refused, match="opened"):
        ledger.open("mean", NOW)
    ledger.release("mean", b"", NOW)
    with pytest.raises(Refused, match="released"):
        ledger.release("mean", b"other", NOW)


def test_a_budget_in_rho_holds_for_all_noise(store: LedgerStore) -> None:
    ledger, cap = Ledger(store), Cap(nano_rho=NANO // 10)
    ledger.reserve(asked("counts"), cap, NOW)
    normal = charge(gaussian(1, Fraction(9, 100)), Fraction(0))
    ledger.reserve(asked("products", normal), cap, NOW)
    with pytest.raises(Refused, match=r"rho 0\.09; 0\.095 of 0\.1 is spent, 0\.005 is left"):
        ledger.reserve(asked("again", normal), cap, NOW)
    with pytest.raises(Refused, match="no epsilon of its own"):
        ledger.reserve(asked("counts again"), Cap(nano_epsilon=NANO), NOW)


def test_a_refusal_writes_nothing(store: LedgerStore) -> None:
    ledger = Ledger(store)
    with pytest.raises(Refused):
        ledger.reserve(asked("mean", Charge(2 * NANO, 2 * NANO, 0)), ONE, NOW)
    assert ledger.head() == NOTHING_SEEN


def test_a_clock_set_back_brings_nothing_back(store: LedgerStore) -> None:
    ledger = Ledger(store)
    for i in range(10):
        ledger.reserve(asked(f"release {i}"), ONE, NOW - i * timedelta(days=400))
    for now in (NOW - timedelta(days=9000), NOW + timedelta(days=9000)):
        with pytest.raises(Refused):
            ledger.reserve(asked("one more"), ONE, now)
    ledger.verified(NOTHING_SEEN)


def test_control_a_budget_for_each_year_of_the_clock_is_spent_twice() -> None:
    """As if a new year began a new ledger: whoever sets the clock has as much again."""
    years: dict[int, Ledger] = {}
    full = asked("all", Charge(NANO, NANO, 0))
    for now in (NOW, NOW + timedelta(days=366), NOW - timedelta(days=366)):
        years.setdefault(now.year, Ledger(MemoryStore())).reserve(full, ONE, now)
    assert sum(one.spent().nano_epsilon or 0 for one in years.values()) == 3 * NANO


def test_a_copy_from_before_is_contradicted_by_the_head_that_others_hold() -> None:
    store = MemoryStore()
    ledger = Ledger(store)
    released(ledger, "mean")
    backup = list(store.rows)
    released(ledger, "count")
    witnessed = ledger.head()
    ledger.verified(witnessed)
    store.rows = backup
    with pytest.raises(VerificationFailed, match="later ledger"):
        ledger.verified(witnessed)
    released(ledger, "another count")
    with pytest.raises(VerificationFailed, match="later ledger"):
        ledger.verified(witnessed)


def test_control_without_a_witness_a_restored_copy_spends_twice() -> None:
    store = MemoryStore()
    ledger = Ledger(store)
    released(ledger, "mean", Cap(nano_epsilon=NANO // 10))
    store.rows = []
    released(ledger, "count", Cap(nano_epsilon=NANO // 10))
    ledger.verified(NOTHING_SEEN)


def altered(entry: bytes, how: int) -> bytes:
    read = wire.decode(entry, Entry)
    return wire.encode(
        [
            replace(read, spent=replace(read.spent, nano_epsilon=0)),
            replace(read, release=asked(read.release.name, Charge(1, 1, 0))),
            replace(read, state=State.RESERVED if read.state != "reserved" else State.OPENED),
            replace(read, number=read.number + 1),
            replace(read, answer=b"other"),
            replace(read, previous=bytes([9]) * 32),
            replace(read, time="2031-01-01T00:00:00+00:00"),
        ][how]
    )


@given(st.integers(0, 6), st.integers(0, 8), st.booleans())
def test_an_altered_ledger_is_noticed(how: int, place: int, cut: bool) -> None:
    store = MemoryStore()
    ledger = Ledger(store)
    for name in ("a", "b", "c"):
        released(ledger, name)
    head = ledger.head()
    name, entry = store.rows[place]
    if cut:
        del store.rows[place]
    else:
        store.rows[place] = name, altered(entry, how)
    with pytest.raises(VerificationFailed):
        ledger.verified(head)


def test_bytes_that_are_no_entry_are_refused() -> None:
    store = MemoryStore()
    store.append(1, "mean", b"\xa0")
    for act in (lambda: Ledger(store).verified(NOTHING_SEEN), lambda: Ledger(store).spent()):
        with pytest.raises(VerificationFailed):
            act()


def test_answers_have_a_size_and_budgets_a_limit() -> None:
    ledger = Ledger(MemoryStore())
    ledger.reserve(asked("mean"), ONE, NOW)
    ledger.open("mean", NOW)
    with pytest.raises(Refused, match="bytes"):
        ledger.release("mean", bytes(MAX_ANSWER + 1), NOW)
    with pytest.raises(Refused, match="limit"):
        Cap()


def test_what_cannot_be_counted_is_refused() -> None:
    ledger, cap = Ledger(MemoryStore()), Cap(nano_rho=1 << 62)
    ledger.reserve(asked("much", Charge(MOST - 1, 1, 0)), cap, NOW)
    with pytest.raises(Refused, match="no further"):
        ledger.reserve(asked("more", Charge(1, 1, 0)), cap, NOW)


def test_every_state_has_what_follows_it_but_the_last() -> None:
    assert set(TRANSITIONS) == {None, *State} - {State.RELEASED}


# Interruptions


class CutOffError(Exception):
    """The power is gone."""


class Failing(MemoryStore):
    """A store whose n-th act is its last; what was not committed is lost."""

    def __init__(self, acts: int) -> None:
        super().__init__()
        self.left = acts

    def append(self, number: int, name: str, entry: bytes) -> None:
        self.left -= 1
        if self.left == 0:
            raise CutOffError
        super().append(number, name, entry)
        self.left -= 1
        if self.left == 0:
            raise CutOffError


@pytest.mark.parametrize("acts", [1, 2, 3])
def test_control_what_is_told_before_it_is_opened_is_told_without_an_entry(acts: int) -> None:
    """The same steps, the telling first: cut off then, others know what the ledger does not."""
    store, told = Failing(acts), ["mean"]
    ledger = Ledger(store)
    with pytest.raises(CutOffError):
        released(ledger, "mean")
    assert told
    entries = Ledger(store).verified(NOTHING_SEEN)
    assert State.OPENED not in [entry.state for entry in entries]


@pytest.mark.parametrize("acts", range(1, 7))
def test_wherever_it_is_cut_off_what_was_opened_has_its_cost(acts: int) -> None:
    store, told = Failing(acts), []
    ledger = Ledger(store)

    def run() -> None:
        if ledger.reserve(asked("mean"), ONE, NOW) is None:
            ledger.open("mean", NOW)
            told.append("mean")  # from here on others may know the result
            ledger.release("mean", b"30.6", NOW)

    with pytest.raises(CutOffError):
        run()
    entries = Ledger(store).verified(NOTHING_SEEN)
    assert not told or Ledger(store).spent() == TENTH
    assert not told or State.OPENED in [entry.state for entry in entries]


CHILD = """
import sys
from pathlib import Path
from tests.dp.test_ledger import Cap, Ledger, Refused, SqliteStore, released
store = SqliteStore(Path(sys.argv[1]))
print("ready", flush=True)
for i in range(100_000):
    try:
        released(Ledger(store), f"{sys.argv[2]} {i}", Cap(nano_epsilon=int(sys.argv[3])))
    except Refused:
        break
    print(f"{sys.argv[2]} {i}", flush=True)
"""


def spent_in(path: Path) -> int:
    store = SqliteStore(path)
    spent = Ledger(store).spent().nano_epsilon
    store.close()
    assert spent is not None
    return spent


@pytest.mark.slow
def test_killed_at_any_moment_no_release_is_without_its_entry(tmp_path: Path) -> None:
    """Processes that share one ledger until 2,000 releases are spent, each killed after a while.

    Two together may spend 300 before they are killed, so that none has all to itself.
    """
    path, most, at_once, tenth = tmp_path / "ledger.db", 2000, 300, NANO // 10
    told: list[str] = []
    ends: list[int] = []
    while (spent := spent_in(path)) < most * tenth:
        generation, cap = len(ends) // 2, min(spent + at_once * tenth, most * tenth)
        children = [
            subprocess.Popen(
                [sys.executable, "-c", CHILD, str(path), f"{generation}.{k}", str(cap)],
                stdout=subprocess.PIPE,
                text=True,
            )
            for k in range(2)
        ]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            said = [child.stdout.readline().strip() for _ in range(5 + 11 * generation % 64)]
            child.send_signal(signal.SIGKILL)
            told += [*filter(None, said), *child.stdout.read().split("\n")[:-1]]
            ends.append(child.wait())
            child.stdout.close()
    store = SqliteStore(path)
    entries = Ledger(store).verified(NOTHING_SEEN)
    store.close()
    final = {entry.release.name for entry in entries if entry.state is State.RELEASED}
    assert set(told) <= final
    assert len({entry.release.name for entry in entries}) == most
    assert ends.count(-signal.SIGKILL) >= most // at_once  # in the midst of their work


def test_two_that_reserve_at_once_do_not_overspend(tmp_path: Path) -> None:
    """The second waits for the first; one that does not is refused before it reads."""
    one, other = (SqliteStore(tmp_path / "ledger.db") for _ in range(2))
    other.connection.execute("pragma busy_timeout = 0")
    with one.transaction(), pytest.raises(sqlite3.OperationalError, match="locked"):
        Ledger(other).reserve(asked("mean"), ONE, NOW)
    for store in (one, other):
        store.close()


def test_a_head_is_what_others_compare() -> None:
    ledger = Ledger(MemoryStore())
    assert ledger.head() == NOTHING_SEEN == Head(0, bytes(32))
    released(ledger, "mean")
    assert ledger.head().number == 3
