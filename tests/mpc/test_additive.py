"""The secure sum: right, as cheap as it says, and an abort in every other case."""

import ast
import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from quorate.algebra.ring import BLOCK, Words
from quorate.errors import Abort, Error, SessionReused
from quorate.mpc import additive, agreement
from quorate.mpc.additive import Total, secure_sum
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.faults import CrashAfter, alter, benign, repeat, silence
from tests.parties import measure, run_parties

MASKED, CONFIRM, OPEN = "/3", "/4", "/5"  # the direct variant's steps after the greeting's two


def forget(session_id: bytes) -> None:
    """Claim nothing: for tests that are not about reuse."""


def summing(vectors: list[Words]) -> Callable[[Session], Awaitable[Total]]:
    return lambda session: secure_sum(
        session,
        vectors[session.me],
        context=b"test",
        claim=forget,
        randomness=secrets.token_bytes,
    )


def vectors(n: int, m: int) -> list[Words]:
    noise = secrets.token_bytes(8 * n * m)
    return list(np.frombuffer(noise, np.uint64).reshape(n, m))


def total(xs: list[Words]) -> Words:
    summed: Words = np.sum(np.stack(xs), axis=0, dtype=np.uint64)
    return summed


def aborted(outcome: Total | Error) -> Abort:
    assert isinstance(outcome, Abort), outcome
    return outcome


@pytest.mark.parametrize("n", [2, 3, 5, 10])
@pytest.mark.parametrize("m", [1, 2, 7, BLOCK - 1, BLOCK, BLOCK + 1])
def test_everybody_gets_the_total(n: int, m: int) -> None:
    xs = vectors(n, m)
    for outcome in run_parties(summing(xs), n).values():
        assert isinstance(outcome, Total)
        assert_array_equal(outcome.words, total(xs))


@pytest.mark.parametrize("n", [3, 4, 7])
@pytest.mark.parametrize("m", [200_000, 200_001, 4 * BLOCK * 7])
def test_long_vectors_go_in_chunks_and_add_up(n: int, m: int) -> None:
    assert additive.in_chunks(n, m)
    xs = vectors(n, m)
    for outcome in run_parties(summing(xs), n).values():
        assert isinstance(outcome, Total)
        assert_array_equal(outcome.words, total(xs))


@given(st.integers(2, 5), st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_equal_and_extreme_values(n: int, values: list[int]) -> None:
    xs = [np.array(values, np.uint64)] * n
    for outcome in run_parties(summing(xs), n).values():
        assert isinstance(outcome, Total)
        assert outcome.words.tolist() == [n * v % 2**64 for v in values]


@pytest.mark.parametrize(("n", "m"), [(2, 1), (3, 2), (3, 1000), (5, 10), (10, 3)])
def test_costs_what_the_docstring_says(n: int, m: int) -> None:
    assert not additive.in_chunks(n, m)
    check_cost(n, m, "direct")


@pytest.mark.parametrize(("n", "m"), [(3, 400_001), (10, 100_000)])
def test_costs_what_the_docstring_says_in_chunks(n: int, m: int) -> None:
    assert additive.in_chunks(n, m)
    check_cost(n, m, "in chunks")


def check_cost(n: int, m: int, variant: str) -> None:
    outcomes, rounds, sent = measure(summing(vectors(n, m)), n)
    assert all(isinstance(outcome, Total) for outcome in outcomes.values())
    said = declared(secure_sum, variant, n=n, m=m, c=additive.chunk_words(n, m))
    assert (rounds, set(sent.values())) == (said[0], {said[1]})
    assert additive.cost(n, m) == additive.Cost(*said)


def declared(function: Callable[..., object], variant: str, **symbols: int) -> tuple[int, int]:
    """Return (rounds, bytes) as the docstring of a protocol states them."""
    found = re.search(
        rf"Cost, {variant}.*: (\d+) rounds, (.+) bytes a party", function.__doc__ or ""
    )
    assert found, f"{function.__name__} does not state its cost {variant}"
    tree = ast.parse(found[2], mode="eval")
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert names <= symbols.keys()
    return int(found[1]), eval(compile(tree, "cost", "eval"), {}, symbols)  # noqa: S307


def test_bytes_per_number_are_the_papers() -> None:
    """8 (n-1) in one round, at most 16 in two, beside a constant."""
    for n in (2, 3, 10, 50):
        constant = additive.cost(n, 1).bytes_sent - 8 * (n - 1)
        assert additive.cost(n, 100).bytes_sent == 8 * (n - 1) * 100 + constant
    for n in (3, 10, 50):
        assert (additive.cost(n, 1_000_000).bytes_sent - 227 * (n - 1)) / 1_000_000 <= 16


def test_a_session_that_was_seen_before_is_refused_before_anything_masked_is_sent() -> None:
    sent: list[str] = []

    def refuse(_: bytes) -> None:
        raise SessionReused("seen")

    def record(e: Envelope) -> list[Envelope]:
        sent.append(e.label)
        return [e]

    xs = vectors(3, 4)
    outcomes = run_parties(
        lambda s: secure_sum(
            s, xs[s.me], context=b"", claim=refuse, randomness=secrets.token_bytes
        ),
        3,
        record,
    )
    assert all(isinstance(outcome, SessionReused) for outcome in outcomes.values())
    assert MASKED not in sent


def test_members_restored_from_a_backup_reuse_no_mask_while_one_member_is_fresh() -> None:
    """Two machines repeat all their randomness; what they send each other is new all the same."""

    def stale(party: int) -> agreement.Randomness:
        calls = iter(range(100))
        return lambda size: bytes([party + 1, next(calls)]) * (size // 2)

    def run() -> tuple[bytes, bytes]:
        between_the_stale: list[bytes] = []

        def listen(e: Envelope) -> list[Envelope]:
            if (e.sender, e.to, e.label) == (0, 1, MASKED):
                between_the_stale.append(e.payload)
            return [e]

        outcomes = run_parties(
            lambda s: secure_sum(
                s,
                np.ones(1, np.uint64),
                context=b"",
                claim=forget,
                randomness=secrets.token_bytes if s.me == 2 else stale(s.me),
            ),
            3,
            listen,
        )
        ids = {o.session_id for o in outcomes.values() if isinstance(o, Total)}
        assert len(ids) == 1
        return ids.pop(), between_the_stale[0]

    first, second = run(), run()
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_different_purposes_never_share_a_session() -> None:
    outcomes = run_parties(
        lambda s: secure_sum(
            s,
            np.ones(4, np.uint64),
            context=b"odd" if s.me == 1 else b"even",
            claim=forget,
            randomness=secrets.token_bytes,
        ),
        3,
    )
    totals = [o.words.tolist() for o in outcomes.values() if isinstance(o, Total)]
    assert [3, 3, 3, 3] not in totals


@given(benign(parties=3))
@settings(max_examples=100, deadline=None)
def test_on_any_benign_network_the_total_or_a_blameless_abort(fault: object) -> None:
    xs = vectors(3, 3)
    for outcome in run_parties(summing(xs), 3, fault).values():  # type: ignore[arg-type]
        if isinstance(outcome, Abort):
            assert outcome.suspects
            assert not outcome.culprits
        else:
            assert isinstance(outcome, Total)
            assert_array_equal(outcome.words, total(xs))


def test_the_silent_are_named_by_everybody() -> None:
    outcomes = run_parties(summing(vectors(4, 2)), 4, silence(2))
    for party in (0, 1, 3):
        assert aborted(outcomes[party]).suspects == {2}
        assert str(outcomes[party]) == "west did not answer"


@pytest.mark.parametrize("after", range(1, 10))
def test_whenever_a_member_dies_the_others_name_it_or_have_finished(after: int) -> None:
    crash = CrashAfter(2, after)
    xs = vectors(3, 2)
    outcomes = run_parties(summing(xs), 3, crash, watch=crash.watch)
    for party in (0, 1):
        outcome = outcomes[party]
        if isinstance(outcome, Total):
            assert_array_equal(outcome.words, total(xs))
        else:
            assert aborted(outcome).suspects == {2}


@pytest.mark.parametrize("label", ["/1", "/2", MASKED, CONFIRM, OPEN])
@pytest.mark.parametrize("garbage", [b"", b"garbage", bytes(10_000)])
def test_garbage_and_wrong_lengths_are_laid_at_their_sender(label: str, garbage: bytes) -> None:
    fault = alter(1, 0, label, lambda _: garbage)
    outcome = aborted(run_parties(summing(vectors(3, 2)), 3, fault)[0])
    assert outcome.suspects == {1}
    assert not outcome.culprits


@pytest.mark.parametrize("label", ["/1", "/2", MASKED, CONFIRM])
def test_a_message_that_comes_twice_aborts(label: str) -> None:
    outcomes = run_parties(summing(vectors(3, 2)), 3, repeat(1, label))
    assert aborted(outcomes[0]).suspects == {1}
    assert aborted(outcomes[2]).suspects == {1}


def test_a_lie_told_to_one_member_only_is_noticed_before_anything_opens() -> None:
    opened: list[str] = []
    lie = alter(1, 0, MASKED, lambda z: bytes(8) + z[8:])

    def fault(e: Envelope) -> list[Envelope]:
        opened.append(e.label)
        return list(lie(e))

    for outcome in run_parties(summing(vectors(3, 2)), 3, fault).values():
        assert "told different things" in str(aborted(outcome)) or "stopped" in str(outcome)
    assert OPEN not in opened


def test_a_seed_other_than_the_committed_one_aborts() -> None:
    fault = alter(2, 0, OPEN, lambda s: bytes(32))
    outcome = aborted(run_parties(summing(vectors(3, 2)), 3, fault)[0])
    assert outcome.suspects == {2}
    assert "committed" in str(outcome)


def test_a_key_of_low_order_is_refused() -> None:
    """Agreeing with it would give a mask of zeros, known to everybody."""

    async def protocol(session: Session) -> Total:
        if session.me == 1:
            weak = agreement.Hello(secrets.token_bytes(32), bytes(32), bytes(32))
            await session.broadcast(weak)
        return await summing(vectors(3, 2))(session)

    outcomes = run_parties(protocol, 3)
    assert aborted(outcomes[0]).suspects == {1}
    assert "unusable key" in str(outcomes[0])


def test_a_member_that_repeats_my_nonce_is_refused() -> None:
    async def protocol(session: Session) -> Total:
        return await secure_sum(
            session, np.ones(1, np.uint64), context=b"", claim=forget, randomness=bytes
        )

    assert "nonce" in str(aborted(run_parties(protocol, 2)[0]))


def test_secrets_are_not_in_reprs() -> None:
    bond = agreement.Agreement(b"id", (b"c",), (b"SECRET-KEY",))
    assert "SECRET" not in repr(bond)
    assert "SECRET" not in repr(replace(bond, session_id=b"x"))
