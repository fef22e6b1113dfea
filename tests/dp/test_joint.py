"""Joint noise: the law, the cost, and that one party's knowledge says nothing of it."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from quorate.algebra.ring import to_signed
from quorate.dp import fair, geometric, joint
from quorate.dp.mechanisms import Laplace
from quorate.dp.tables import Integers
from quorate.errors import Abort
from quorate.mpc.boolean import reveal_bits
from quorate.mpc.engine import Secure
from quorate.mpc.replicated import Committee, Share, convene, reveal
from quorate.mpc.secret import deal
from quorate.mpc.verification import verify
from quorate.transport.session import Session
from tests.dp.keyed import keyed
from tests.dp.laws import laplace, unlike
from tests.faults import silence
from tests.mpc.committee import ALL, declared, everyones, forget, measured
from tests.parties import run_parties

COUNT = 20_000
SCALES = [Fraction(1, 3), Fraction(2), Fraction(82), Fraction(1024)]


def drawn(scale: Fraction, count: int = COUNT, *, name: str = "") -> Integers:
    """Return noise that the three reveal to all, from keys of their own that repeat each run."""

    async def run(session: Session) -> Integers:
        own = keyed(f"{name} {session.me}")
        committee = await convene(session, b"test", forget, own)
        noise = await joint.discrete_laplace(committee, scale, count)
        await verify(committee)
        words = await reveal(committee, noise, ALL)
        assert words is not None
        return to_signed(words)

    first, *others = run_parties(run, 3).values()
    assert isinstance(first, np.ndarray)
    for other in others:
        assert_array_equal(np.asarray(other), first)
    return first


@pytest.mark.parametrize("scale", SCALES)
def test_noise_follows_its_law(scale: Fraction) -> None:
    found = drawn(scale)
    assert not unlike(found, laplace(scale))
    if scale > 1:
        assert unlike(found, laplace(scale * Fraction(85, 100)))


@pytest.mark.parametrize("chances", [[0], [(1 << 64) - 1, 1 << 63, 1 << 62, 3 << 62, 0x5555 << 48]])
def test_coins_have_their_chances(chances: list[int]) -> None:
    async def protocol(committee: Committee) -> object:
        return await reveal_bits(committee, await joint.coins(committee, chances, COUNT), ALL)

    found = np.asarray(everyones(protocol)[0]).mean(axis=1)
    expected = np.array(chances) / 2**64
    np.testing.assert_allclose(found, expected, atol=5.3 / 2 / COUNT**0.5)
    assert all(f == e for f, e in zip(found, expected, strict=True) if e in (0, 1))


@pytest.mark.parametrize("place", [0, 1, 2, 31, 62, 63])
def test_the_first_zero_decides_which_digit_counts(
    place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With fair bits that are told: ones up to a place, a zero there, and anything behind."""
    before = [1 << 63 >> j for j in range(64)]

    def told(committee: Committee, shape: tuple[int, ...]) -> Share:
        bits = np.full(shape, 0x0123456789ABCDEF, np.uint64)
        bits[:place] = np.uint64((1 << 64) - 1)
        bits[place] = 0
        zeros = np.zeros(shape, np.uint64)
        parts = (bits, zeros, zeros)
        return Share(parts[committee.me], parts[(committee.me + 1) % 3])

    monkeypatch.setattr(fair, "bits", told)

    async def protocol(committee: Committee) -> object:
        return await reveal_bits(committee, await joint.coins(committee, before, 3), ALL)

    expected = np.repeat(np.arange(64) == place, 3).reshape(64, 3)
    assert_array_equal(np.asarray(everyones(protocol)[0]), expected)


@pytest.mark.parametrize("count", [1, 33, 10_000])
@pytest.mark.parametrize("scale", SCALES)
def test_costs_what_the_docstring_says(scale: Fraction, count: int) -> None:
    found = measured(lambda committee: joint.discrete_laplace(committee, scale, count))
    digits = 1 + geometric.bits_of_scale(scale, joint.PRECISION)
    said = declared(joint.discrete_laplace, m=count, d=digits)
    assert found == said == joint.cost(scale, count)


def test_coins_cost_what_the_docstring_says() -> None:
    found = measured(lambda committee: joint.coins(committee, [1, 2, 3], 100))
    assert found == declared(joint.coins, m=100, d=3)


def test_no_noise_costs_nothing() -> None:
    assert measured(lambda c: joint.discrete_laplace(c, Fraction(2), 0)) == joint.cost(
        Fraction(2), 0
    )


def test_the_distance_is_negligible_for_many_cells() -> None:
    assert 10_000 * joint.distance(Laplace(1, Fraction(1024))) < Fraction(1, 1 << 44)


def test_noise_is_an_array_of_the_engine() -> None:
    scale = Fraction(2)

    async def protocol(committee: Committee) -> object:
        engine = Secure(committee.at("engine"))
        rows = await deal(engine, 0, np.full(1000, 50), shape=(1000,), limit=100)
        noise = await joint.discrete_laplace(committee.at("noise"), scale, 1000)
        return await (rows + joint.secret(engine, noise, scale)).reveal(to=[1])

    none, found, nobody = everyones(protocol)
    assert none is nobody is None
    assert isinstance(found, np.ndarray)
    assert 49 < found.mean() < 51
    assert found.std() > 2


def test_a_party_that_is_gone_voids_the_noise() -> None:
    async def run(session: Session) -> object:
        committee = await convene(session, b"test", forget, keyed(f"gone {session.me}"))
        return await joint.discrete_laplace(committee, Fraction(2), 10)

    outcomes = run_parties(run, 3, silence(2))
    assert all(isinstance(outcomes[p], Abort) for p in (0, 1))


# What one party knows: two of three keys, and all that it is sent


def with_keys(keys: tuple[bytes, bytes, bytes]) -> Integers:
    """Return the noise of parties whose pairs hold these keys."""

    async def run(session: Session) -> Integers:
        me = session.me
        committee = Committee(session, keys[me], keys[(me + 1) % 3])
        scale = Fraction(82)
        words = await reveal(committee, await joint.discrete_laplace(committee, scale, 5000), ALL)
        assert words is not None
        return to_signed(words)

    found = run_parties(run, 3)[0]
    assert isinstance(found, np.ndarray)
    return found


KEYS = tuple(bytes([i]) * 32 for i in range(4))


@pytest.mark.parametrize("party", ALL)
def test_who_holds_two_keys_of_three_knows_nothing_of_the_noise(party: int) -> None:
    """Whatever the third key, the noise has its law, and nothing in common with another key's."""
    lacking = (party - 1) % 3
    one = with_keys((KEYS[0], KEYS[1], KEYS[2]))
    keys = [KEYS[0], KEYS[1], KEYS[2]]
    keys[lacking] = KEYS[3]
    other = with_keys((keys[0], keys[1], keys[2]))
    for found in (one, other):
        assert not unlike(found, laplace(Fraction(82)))
    assert abs(np.corrcoef(one, other)[0, 1]) < 5 / len(one) ** 0.5


@pytest.mark.parametrize("party", ALL)
def test_control_noise_from_the_keys_of_one_party_alone_is_known_to_it(
    party: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fair bits without the third part: then the party's two keys give all of the noise."""
    lacking = (party - 1) % 3
    real = fair.bits

    def without(committee: Committee, shape: tuple[int, ...]) -> Share:
        drawn = real(committee, shape)
        zeros = np.zeros(shape, np.uint64)
        own = zeros if committee.me == lacking else drawn.own
        return Share(own, zeros if (committee.me + 1) % 3 == lacking else drawn.next)

    monkeypatch.setattr(fair, "bits", without)
    one = with_keys((KEYS[0], KEYS[1], KEYS[2]))
    keys = [KEYS[0], KEYS[1], KEYS[2]]
    keys[lacking] = KEYS[3]
    assert_array_equal(with_keys((keys[0], keys[1], keys[2])), one)
