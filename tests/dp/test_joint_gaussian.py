"""Joint Gaussian noise: the law, the cost, and that one party's knowledge says nothing of it."""

from collections.abc import Iterator
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.bits import pack
from quorate.algebra.ring import Words, to_signed
from quorate.dp import convolution, fair, joint, joint_gaussian
from quorate.dp.mechanisms import Gaussian
from quorate.dp.tables import Integers
from quorate.errors import Abort, Error
from quorate.mpc.replicated import Committee, Security, Share, convene, reveal
from quorate.mpc.verification import verify
from quorate.transport.session import Session
from tests.dp.keyed import keyed
from tests.dp.laws import gaussian, unlike
from tests.faults import alter
from tests.mpc.cheating import flipped, honest, messages
from tests.mpc.committee import ALL, declared, everyones, forget, measured
from tests.parties import run_parties

VARIANCES = [Fraction(10), Fraction(301, 3), Fraction(4096), Fraction(10**5)]
COUNT = 8_000
KEYS = tuple(bytes([i]) * 32 for i in range(4))


def with_keys(keys: tuple[bytes, ...], variance: Fraction) -> Integers:
    """Return the noise of parties whose pairs hold these keys."""

    async def run(session: Session) -> Integers:
        committee = Committee(session, keys[session.me], keys[(session.me + 1) % 3])
        noise = await joint_gaussian.discrete_gaussian(committee, variance, COUNT)
        words = await reveal(committee, noise, ALL)
        assert words is not None
        return to_signed(words)

    found = run_parties(run, 3)[0]
    assert isinstance(found, np.ndarray), found
    return found


@pytest.mark.parametrize("variance", VARIANCES)
def test_noise_follows_its_law(variance: Fraction) -> None:
    found = with_keys(KEYS[:3], variance)
    assert not unlike(found, gaussian(variance))
    assert unlike(found, gaussian(variance * Fraction(80, 100)))
    assert unlike(found, gaussian(variance * Fraction(120, 100)))


def test_verified_noise_follows_its_law() -> None:
    async def protocol(committee: Committee) -> object:
        noise = await joint_gaussian.discrete_gaussian(committee, Fraction(4096), 500)
        await verify(committee)
        return await reveal(committee, noise, ALL)

    first, *others = everyones(protocol, "malicious")
    for other in others:
        assert_array_equal(np.asarray(other), np.asarray(first))
    found = to_signed(np.asarray(first))
    assert not unlike(found, gaussian(Fraction(4096)))


@pytest.mark.parametrize("variance", [Fraction(10), Fraction(4096), Fraction(10**7)])
def test_told_bits_give_the_number_that_thresholds_say(
    variance: Fraction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With uniform words that are told, at thresholds, just beside them, and anywhere."""
    parts = convolution.pieces(variance)
    edges = parts.thresholds
    one = np.uint64(1)
    words = np.concatenate(
        [edges, edges - one, edges + one, np.frombuffer(bytes(range(256)), "<u8")]
    )
    words = np.concatenate([words, np.array([0, (1 << 64) - 1], np.uint64)]).astype(np.uint64)
    draws, count = len(parts.weights), words.size
    signs = np.arange(count) % 3 == 0

    def told(committee: Committee, shape: tuple[int, ...]) -> Share:
        rows = [np.tile(pack(words >> np.uint64(63 - i) & one > 0), draws) for i in range(64)]
        bits = np.stack([*rows, np.tile(pack(signs), draws)])
        assert bits.shape == shape
        zeros = np.zeros(shape, np.uint64)
        known = (bits, zeros, zeros)
        return Share(known[committee.me], known[(committee.me + 1) % 3])

    monkeypatch.setattr(fair, "bits", told)

    async def protocol(committee: Committee) -> Words | None:
        noise = await joint_gaussian.discrete_gaussian(committee, variance, count)
        return await reveal(committee, noise, ALL)

    g = np.searchsorted(edges, words, "right")
    each = np.where(signs, -1 - g, g)
    expected = each * sum(parts.weights) + parts.halves
    found = everyones(protocol)[0]
    assert found is not None
    assert_array_equal(to_signed(found), expected)


@pytest.mark.parametrize("count", [1, 65, 1000])
@pytest.mark.parametrize("variance", VARIANCES)
def test_costs_what_the_docstring_says(variance: Fraction, count: int) -> None:
    parts = convolution.pieces(variance)
    found = measured(lambda committee: joint_gaussian.discrete_gaussian(committee, variance, count))
    sizes = {"w": len(parts.weights), "d": parts.digits + 1, "n": parts.thresholds.size}
    said = declared(joint_gaussian.discrete_gaussian, m=count, **sizes)
    assert found == said == joint_gaussian.drawing(variance, count, "semi-honest").cost


@pytest.mark.parametrize("security", ["semi-honest", "malicious"])
def test_costs_what_a_plan_says(security: Security) -> None:
    mechanism = Gaussian(1, Fraction(4096))

    async def protocol(committee: Committee) -> object:
        noise = await joint.noise(committee, mechanism, 70)
        await verify(committee)
        return noise

    assert measured(protocol, security) == joint.drawing_cost([(mechanism, 70)], security)


# What one party knows: two of three keys, and all that it is sent


@pytest.mark.parametrize("party", ALL)
def test_who_holds_two_keys_of_three_knows_nothing_of_gaussian_noise(party: int) -> None:
    """Whatever the third key, the noise has its law, and nothing in common with another key's."""
    keys = list(KEYS[:3])
    keys[(party - 1) % 3] = KEYS[3]
    variance = Fraction(301, 3)
    one, other = (with_keys(tuple(held), variance) for held in (KEYS[:3], keys))
    for found in (one, other):
        assert not unlike(found, gaussian(variance))
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / len(one) ** 0.5


@pytest.mark.parametrize("party", ALL)
def test_control_gaussian_noise_from_the_keys_of_one_party_alone_is_known_to_it(
    party: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fair bits without the third part: then the party's two keys give all of the noise."""
    lacking = (party - 1) % 3
    real = fair.bits

    def without(committee: Committee, shape: tuple[int, ...]) -> Share:
        drawn, zeros = real(committee, shape), np.zeros(shape, np.uint64)
        own = zeros if committee.me == lacking else drawn.own
        return Share(own, zeros if (committee.me + 1) % 3 == lacking else drawn.next)

    monkeypatch.setattr(fair, "bits", without)
    keys = list(KEYS[:3])
    keys[lacking] = KEYS[3]
    variance = Fraction(301, 3)
    assert_array_equal(with_keys(tuple(keys), variance), with_keys(KEYS[:3], variance))


# What one party sends


async def told(session: Session, security: Security) -> Words:
    """Draw noise from keys that are the same in each run, and reveal it to all."""
    committee = await convene(session, b"lies", forget, keyed(f"lies {session.me}"), security)
    noise = await joint_gaussian.discrete_gaussian(committee, Fraction(10), 3)
    await verify(committee)
    words = await reveal(committee, noise, ALL)
    assert words is not None
    return words


def outcomes_of_lies(security: Security) -> Iterator[tuple[Words, list[Words | Error]]]:
    """Yield the right noise, and what the honest have where a bit of one message is flipped."""
    run = partial(told, security=security)
    right = run_parties(run, 3)[0]
    assert isinstance(right, np.ndarray)
    for target in messages(run)[::4]:
        fault = alter(target.sender, target.to, target.label, lambda payload: flipped(payload, 0))
        yield right, honest(run_parties(run, 3, fault), target.sender)


def test_a_flipped_bit_of_any_message_voids_the_noise() -> None:
    for _, outcomes in outcomes_of_lies("malicious"):
        assert any(isinstance(outcome, Abort) for outcome in outcomes)


def test_control_where_nothing_is_checked_a_flipped_bit_changes_the_noise() -> None:
    wrong = 0
    for right, outcomes in outcomes_of_lies("semi-honest"):
        seen = [outcome for outcome in outcomes if not isinstance(outcome, Error)]
        wrong += any(not np.array_equal(outcome, right) for outcome in seen)
    assert wrong
