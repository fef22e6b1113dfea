"""Verified before revealed: what a deviating party gains, with each check and without it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import Words
from quorate.errors import Abort, Error, Refused
from quorate.mpc import buckets, carries, parts, projections, replicated, shifts, split
from quorate.mpc.boolean import both_words, reshare_bits
from quorate.mpc.buckets import Algebra, Buckets, Claims
from quorate.mpc.comparison import is_negative
from quorate.mpc.planes import share_known
from quorate.mpc.record import Kind
from quorate.mpc.replicated import Committee, Share, mul, reveal
from quorate.mpc.verification import verify
from quorate.transport.memory import Envelope
from quorate.transport.session import Session, together
from tests.mpc.cheating import Program, everything, flipped, honest, messages
from tests.mpc.committee import ALL, dealt, everyones, meet, noise, words
from tests.mpc.uniformity import differ, not_uniform
from tests.parties import run_parties

CHEAT = 1
RUNS = 16
Outcomes = dict[int, Words | Error]


def aborted(outcomes: Outcomes, cheat: int = CHEAT) -> list[bool]:
    return [isinstance(outcome, Abort) for outcome in honest(outcomes, cheat)]


def is_revealed(e: Envelope) -> bool:
    return e.label.startswith("/part ")


async def bits_of(committee: Committee, x: Share) -> Words:
    total = await replicated.combined(committee, x, ALL, np.bitwise_xor)
    assert total is not None
    return total


# Reveals


async def unchanged(_: Committee, x: Share) -> Share:
    return x


def lying_reveal() -> Outcomes:
    program = Program(unchanged, (words([1, 2, 3]),), lambda _: True)

    def lie(e: Envelope) -> list[Envelope]:
        lies = e.sender == CHEAT and is_revealed(e)
        return [replace(e, payload=flipped(e.payload, 2))] if lies else [e]

    return run_parties(program, 3, lie)


def test_a_false_part_of_a_reveal_is_noticed_by_who_gets_it() -> None:
    assert isinstance(lying_reveal()[2], Abort)


def test_control_without_comparing_tags_a_false_part_gives_a_false_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compare_no_tags(monkeypatch)
    found = lying_reveal()[2]
    assert not isinstance(found, Error)
    assert found[0] != 1


def compare_no_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    class Trusting:
        @staticmethod
        def compare_digest(_: bytes, __: bytes) -> bool:
            return True

    monkeypatch.setattr(parts, "hmac", Trusting)


# Selective failure: whether a run ends, and what it showed before, tells nothing of a secret


def false_opening(y: Words) -> tuple[bool, int]:
    """Change the first rho that goes to party 2 by 2^63; return whether party 0 stops, and b_1.

    Parties 2 and 0 then find an error of 2^63 (y - b_1), where the cheat knows its part b_1 of b.
    """
    program = Program(mul, (noise(1), y), lambda _: True)
    sent = [e for e in messages(program) if e.sender == CHEAT and "/part " in e.label]
    (target,) = [e.label for e in sent if len(e.payload) > 32]
    own: list[Claims] = []
    revealed: list[Envelope] = []
    known: list[int] = []
    make, permute = buckets._triples, buckets._permuted

    async def made(committee: Committee, algebra: Algebra, chosen: Buckets) -> Claims:
        triples = await make(committee, algebra, chosen)
        own.extend([triples] if committee.me == CHEAT else [])
        return triples

    def permuted(triples: Claims, places: Any) -> list[Claims]:
        arrays = permute(triples, places)
        known.extend([int(arrays[0][1].own[0])] if triples is own[0] else [])
        return arrays

    def lie(e: Envelope) -> list[Envelope]:
        revealed.extend([e] if e.sender == 0 and is_revealed(e) else [])
        if e.sender == CHEAT and e.label == target:
            return [replace(e, payload=flipped(e.payload, 63))]
        is_late = e.to != 0 and "/after " in e.label  # so that party 0 decides first
        return [replace(e, delay_s=1.0)] if is_late else [e]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(buckets, "_triples", made)
        patch.setattr(buckets, "_permuted", permuted)
        run_parties(program, 3, lie)
    return not revealed, known[0]


def test_a_false_opening_in_a_check_ends_the_run_whatever_the_secrets_are() -> None:
    assert {false_opening(words([bit]))[0] for bit in (0, 1) * (RUNS // 2)} == {True}


def test_control_without_comparing_tags_whether_a_run_ends_tells_a_secret_bit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compare_no_tags(monkeypatch)
    for bit in (0, 1) * (RUNS // 2):
        ended, known = false_opening(words([bit]))
        assert (int(ended) + known) % 2 == bit


def met_twice(secret: int, *, verify_first: bool) -> tuple[Outcomes, list[int]]:
    """Compute (0 AND 0) AND secret; the cheat adds 1 to its part of the first AND.

    Returns the outcomes, and what was revealed to the cheat.
    """
    zero, seen = words([0]), []

    async def run(session: Session) -> Words:
        committee = await meet(session, "malicious")
        parts = await dealt(zero, zero, words([secret]))(committee.at("dealing"))
        x, y, w = (replicated.local(lambda part: part & np.uint64(1), one) for one in parts)
        first = await both_words(committee.at("first"), x, y)
        if committee.me == CHEAT:
            first = Share(first.own ^ np.uint64(1), first.next)
        last = await both_words(committee.at("last"), first, w)
        if verify_first:
            await verify(committee)
        revealed = await bits_of(committee, last)
        if committee.me == CHEAT:
            seen.append(int(revealed[0]))
        await verify(committee)
        return revealed

    def cheat(e: Envelope) -> list[Envelope]:
        lies = e.sender == CHEAT and e.label.startswith("/first")
        return [replace(e, payload=flipped(e.payload, 0))] if lies else [e]

    return run_parties(run, 3, cheat), seen


@pytest.mark.parametrize("secret", [0, 1])
def test_an_error_on_the_way_is_found_before_anything_it_touched_is_revealed(secret: int) -> None:
    outcomes, seen = met_twice(secret, verify_first=True)
    assert all(aborted(outcomes))
    assert not seen


@pytest.mark.parametrize("secret", [0, 1])
def test_control_verified_at_the_end_only_what_is_revealed_tells_a_secret(secret: int) -> None:
    """The true result is 0, whatever the secret is: but the cheat reads the secret."""
    outcomes, seen = met_twice(secret, verify_first=False)
    assert all(aborted(outcomes))  # too late
    assert seen == [secret]


def sign_of_a_quotient(*, verify_first: bool) -> tuple[Outcomes, int, list[int]]:
    """Reveal the sign of 1000 / 2^16; party 0 adds 2^15 to the sign bit of a that it deals.

    Returns the outcomes, bit 63 of x_2, which party 0 lacks, and what was revealed to it.
    """
    top: list[int] = []
    seen: list[int] = []
    real = carries.deal_known

    async def lie(committee: Committee, bits: Words, numbers: Words) -> tuple[Share, Share]:
        wrong = numbers + np.array([0, 1 << 15], np.uint64)
        return await real(committee, bits, wrong if committee.me == 0 else numbers)

    async def run(session: Session) -> Words:
        committee = await meet(session, "malicious")
        (x,) = await dealt(words([1000]))(committee.at("dealing"))
        fresh = await mul(committee, x, replicated.public(committee, words([1])))
        if committee.me == 1:
            top.append(int(fresh.next[0]) >> 63)
        sign = await is_negative(committee, await shifts.divide(committee, fresh, 16))
        if verify_first:
            await verify(committee)
        revealed = await everything(committee if verify_first else committee.unchecked(), sign)
        if committee.me == 0:
            seen.append(int(revealed[0]))
        await verify(committee)
        return revealed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quorate.mpc.shifts.deal_known", lie)
        outcomes = run_parties(run, 3)
    return outcomes, top[0], seen


def test_a_false_digit_in_a_division_is_found_before_anything_is_revealed() -> None:
    for _ in range(RUNS):
        outcomes, _, seen = sign_of_a_quotient(verify_first=True)
        assert all(aborted(outcomes, cheat=0))
        assert not seen


def test_control_verified_at_the_end_only_a_false_digit_tells_a_bit_of_the_part_it_lacks() -> None:
    found = set()
    for _ in range(2 * RUNS):
        outcomes, bit, seen = sign_of_a_quotient(verify_first=False)
        assert all(aborted(outcomes, cheat=0))  # too late
        assert seen == [bit]
        found.add(bit)
    assert found == {0, 1}


COUNT = 2048
SOME = np.arange(COUNT, dtype=np.uint64)


def revealed_in_a_check(x: Words, y: Words) -> Words:
    """Return all that is revealed to every party while a product is verified."""
    seen: list[Words] = []
    real = replicated.combined

    async def noted(committee: Committee, *given: Any) -> Words | None:
        found = await real(committee, *given)
        if committee.me == 0 and found is not None:
            seen.append(found.copy())
        return found

    program = Program(mul, (x, y), lambda found: np.array_equal(found, x * y))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quorate.mpc.buckets.combined", noted)
        outcomes = run_parties(program, 3)
    for outcome in outcomes.values():
        assert not isinstance(outcome, Error)
        assert program.is_right(outcome)
    return np.concatenate(seen)


def test_all_that_is_revealed_to_verify_is_noise_whatever_the_secrets_are() -> None:
    zeros = np.zeros(COUNT, np.uint64)
    looks = [revealed_in_a_check(x, y) for x, y in ((zeros, zeros), (SOME, SOME), (SOME, zeros))]
    for seen in looks:
        assert seen.size > 8 * COUNT  # four triples for each product
        assert not_uniform(seen) == []
    assert differ(looks[0], looks[1]) == []


def test_control_with_triples_that_are_known_the_secrets_are_revealed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def known(_: Committee, __: Algebra, chosen: Buckets) -> Claims:
        zeros = np.zeros(chosen.arrays * chosen.triples, np.uint64)
        return (Share(zeros, zeros),) * 3

    monkeypatch.setattr(buckets, "_triples", known)
    assert not_uniform(revealed_in_a_check(SOME, SOME))


# What party 0 deals


def false_sum() -> Outcomes:
    """Divide 160 by 16; party 0 deals a quotient that is 5 more."""
    real = carries.deal_known

    async def lie(committee: Committee, bits: Words, numbers: Words) -> tuple[Share, Share]:
        wrong = numbers + np.array([5, 0], np.uint64)
        return await real(committee, bits, wrong if committee.me == 0 else numbers)

    program = Program(lambda c, x: shifts.divide(c, x, 4), (words([160]),), lambda _: True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("quorate.mpc.shifts.deal_known", lie)
        return run_parties(program, 3)


def test_party_0_is_held_to_what_it_deals() -> None:
    assert all(aborted(false_sum(), cheat=0))


def test_control_without_the_claims_of_sums_party_0_chooses_the_quotient(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def trusting(_: Committee, __: Share, t: Share) -> Share:
        return t

    monkeypatch.setattr("quorate.mpc.shifts.claim_sum", trusting)
    for outcome in honest(false_sum(), 0):
        assert not isinstance(outcome, Error)
        assert outcome[0] == 15


def test_a_claim_of_sums_is_true_of_the_sum_and_of_nothing_else() -> None:
    """All s_0, s_1 and t of 4 bits, in the highest bits of words: an addition modulo 16."""
    high = np.uint64(60)
    numbers = np.arange(1 << 12, dtype=np.uint64)
    s_0, s_1, t = ((numbers >> np.uint64(4 * j)) & np.uint64(15) for j in range(3))
    zeros, mask = np.zeros_like(numbers), noise(1 << 12)
    s = (s_0 << high, s_1 << high, zeros)
    claimed = (mask << high, (mask ^ t) << high, zeros)

    async def run(committee: Committee) -> Words:
        me, after = committee.me, (committee.me + 1) % 3
        shares = [Share(one[me], one[after]) for one in (s, claimed)]
        await carries.claim_sum(committee, *shares)
        assert committee.record is not None
        (zero,) = [e.shares[0] for e in committee.record.entries if e.kind is Kind.ZERO]
        return await bits_of(committee, zero)

    for found in everyones(run, "malicious"):
        assert_array_equal(found == 0, (s_0 + s_1) % np.uint64(16) == t)


# Matrices


def false_matrix() -> list[bool]:
    """Add 2^63 to one entry of a product of 13 by 13, the error that is hardest to see."""
    x, y = noise(169).reshape(13, 13), noise(169).reshape(13, 13)
    program = Program(replicated.matmul, (x, y), lambda found: np.array_equal(found, x @ y))
    real = replicated.reshare

    async def lie(committee: Committee, parts: Iterable[Words], z: Words) -> Share:
        def wrong() -> Iterator[Words]:
            for part in parts:
                part[77:78] += np.uint64(1 << 63)
                yield part

        is_lie = committee.me == CHEAT and z.shape == (13, 13)
        return await real(committee, wrong() if is_lie else parts, z)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicated, "reshare", lie)
        outcomes = run_parties(program, 3)
    for outcome in honest(outcomes, CHEAT):
        assert isinstance(outcome, Error) or not program.is_right(outcome)
    return aborted(outcomes)


def test_one_wrong_bit_of_a_matrix_is_found() -> None:
    for _ in range(RUNS):
        assert all(false_matrix())


def test_control_with_one_projection_it_is_missed_three_times_in_four(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bound is met: 3/4, within five deviations of 100 runs."""
    monkeypatch.setattr(projections, "PAIRS", 1)
    missed = sum(not all(false_matrix()) for _ in range(100)) / 100
    assert abs(missed - 3 / 4) < 5 * (3 / 16 / 100) ** 0.5


def test_projections_miss_less_than_once_in_2_to_the_60() -> None:
    assert 3**projections.PAIRS * 2**60 < 4**projections.PAIRS


# Nothing gets round it


async def unverified(committee: Committee) -> Share:
    x, y = await dealt(noise(2), noise(2))(committee)
    return await mul(committee, x, y)


def test_nothing_is_revealed_while_a_product_is_unverified() -> None:
    async def run(committee: Committee) -> object:
        product = await unverified(committee)
        with pytest.raises(Refused, match="not verified"):
            await reveal(committee, product, ALL)
        await verify(committee)
        return await reveal(committee.at("later"), product, ALL)

    everyones(run, "malicious")


def test_nothing_is_revealed_after_a_verification_that_failed() -> None:
    tried: list[bool] = []

    async def run(session: Session) -> Words:
        committee = await meet(session, "malicious")
        product = await unverified(committee)
        wrong = Share(product.own + np.uint64(committee.me == CHEAT), product.next)
        committee.claim(Kind.PRODUCT, wrong, product, product)
        try:
            await verify(committee)
        except Abort:
            with pytest.raises(Refused):
                await reveal(committee, product, ALL)
            tried.append(True)
            raise
        raise AssertionError("a false claim went unnoticed")

    assert all(isinstance(outcome, Abort) for outcome in run_parties(run, 3).values())
    assert tried == [True] * 3


def test_a_reveal_beside_a_verification_is_refused() -> None:
    async def late(committee: Committee, product: Share) -> None:
        with pytest.raises(Refused):
            await reveal(committee, product, ALL)

    async def run(committee: Committee) -> None:
        product = await unverified(committee)
        one, other = committee.beside(2)
        await together(verify(one), late(other, product))

    everyones(run, "malicious")


UNCHECKED: dict[str, Callable[[Committee, Share], Awaitable[object]]] = {
    "reshare": lambda c, x: replicated.reshare(c, [x.own.copy()], x.own.copy()),
    "reshare bits": lambda c, x: reshare_bits(c, [x.own.copy()], x.own.copy()),
    "gather": lambda c, x: split.gather_known(c, [x.own.copy()], x.own.copy()),
    "replicate two": lambda c, x: split.replicate_two(c, split.RING, [], x.own.copy()),
    "share known": lambda c, x: share_known(c, lambda _: x.own.reshape(1, -1), 1, [2]),
}


@pytest.mark.parametrize("name", UNCHECKED)
def test_a_step_that_cannot_be_verified_is_refused(name: str) -> None:
    async def run(committee: Committee) -> None:
        x = replicated.public(committee, words([1, 2]))
        with pytest.raises(Refused, match="cannot be verified"):
            await UNCHECKED[name](committee, x)

    everyones(run, "malicious")


def test_steps_that_end_in_another_order_at_each_party_are_one_batch() -> None:
    """Two products side by side, of which each party waits for another longer."""
    x, y = noise(3), noise(3)

    def fault(e: Envelope) -> list[Envelope]:
        waits = e.label.startswith(f"/beside 4.{int(e.sender == 0)}/")
        return [replace(e, delay_s=5.0 if waits else 0.0)]

    async def run(session: Session) -> Words:
        committee = await meet(session, "malicious")
        shares = await dealt(x, y)(committee.at("dealing"))
        committee.session.label()
        one, other = committee.beside(2)
        products = await together(mul(one, *shares), mul(other, *shares[::-1]))
        await verify(committee)
        revealed = await reveal(committee, products[1], ALL)
        assert revealed is not None
        return revealed

    for outcome in run_parties(run, 3, fault).values():
        assert not isinstance(outcome, Error), outcome
        assert_array_equal(outcome, x * y)


def test_verifying_in_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "BATCH", 100)
    x, y = noise(350), noise(350)
    program = Program(mul, (x, y), lambda found: np.array_equal(found, x * y))
    for outcome in run_parties(program, 3).values():
        assert not isinstance(outcome, Error)
        assert program.is_right(outcome)
