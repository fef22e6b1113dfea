"""Shares against arithmetic on integers, and commitments against the shares."""

import os
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.algebra import edwards25519 as ed
from quorate.errors import OutOfRange, VerificationFailed
from quorate.threshold import sharing
from tests.published import published
from tests.threshold.dealt import verify_share

some = settings(max_examples=20, deadline=None)
COEFFICIENTS = st.lists(st.integers(0, ed.ORDER - 1), min_size=1, max_size=6)


@some
@given(COEFFICIENTS, st.integers(1, sharing.MAX_SIGNERS))
def test_a_share_and_its_point_are_the_polynomial_there(numbers: list[int], x: int) -> None:
    f = tuple(ed.scalar(a) for a in numbers)
    share = sharing.evaluate(f, x)
    assert share == ed.scalar(sum(a * x**k for k, a in enumerate(numbers)))
    assert sharing.public_share(sharing.commit(f), x) == ed.base_mul(share)
    verify_share(share, x, sharing.commit(f))
    with pytest.raises(VerificationFailed, match="not the one committed to"):
        verify_share(ed.scalar_add(share, ed.ONE), x, sharing.commit(f))


@pytest.mark.parametrize("x", range(1, 40))
def test_short_chains_of_additions_multiply(x: int) -> None:
    assert sharing._times(x, ed.BASE) == ed.base_mul(ed.scalar(x))


@some
@given(COEFFICIENTS, st.sampled_from([0, 1, 6, 9]))
def test_enough_shares_give_every_value_back(numbers: list[int], at: int) -> None:
    f = tuple(ed.scalar(a) for a in numbers)
    for holders in combinations((1, 2, 3, 5, 8, 300, 65535), len(f)):
        shares = [(i, sharing.evaluate(f, i)) for i in reversed(holders)]
        assert sharing.recover(shares, at) == sharing.evaluate(f, at)


def test_one_share_too_few_fits_every_secret() -> None:
    """For whatever secret, some polynomial goes through the shares that are seen."""
    f = sharing.polynomial(ed.random_scalar(os.urandom), 3, os.urandom)
    seen = [(i, sharing.evaluate(f, i)) for i in (1, 2)]
    for guess in (ed.ZERO, ed.ONE, f[0], ed.random_scalar(os.urandom)):
        missing = ed.scalar_sum(
            ed.scalar_mul(share, weight)
            for (_, share), weight in zip(
                [(0, guess), *seen],
                [_weight(i, [0, 1, 2], at=3) for i in (0, 1, 2)],
                strict=True,
            )
        )
        assert sharing.recover([*seen, (3, missing)]) == guess


def _weight(identifier: int, identifiers: list[int], at: int) -> ed.Scalar:
    return sharing.lagrange(identifier, identifiers, at)


def test_sums_of_polynomials_are_shared_by_sums() -> None:
    f, g = (sharing.polynomial(ed.random_scalar(os.urandom), 3, os.urandom) for _ in range(2))
    both = sharing.add_commitments([sharing.commit(f), sharing.commit(g)])
    share = ed.scalar_add(sharing.evaluate(f, 4), sharing.evaluate(g, 4))
    verify_share(share, 4, both)
    with pytest.raises(ValueError, match="shorter"):
        sharing.add_commitments([sharing.commit(f), sharing.commit(g)[:2]])


@pytest.mark.parametrize("bad", [[], [0, 1], [1, 1], [2, 1], [-1, 2], [1, 65536]])
def test_identifiers_are_distinct_and_in_order(bad: list[int]) -> None:
    with pytest.raises(OutOfRange, match="distinct identifiers"):
        sharing.check_identifiers(bad)


def test_recovering_from_a_repeated_share_is_refused() -> None:
    with pytest.raises(OutOfRange):
        sharing.recover([(1, ed.ONE), (1, ed.ONE)])


def test_published_dealings_of_three_members_add_up() -> None:
    inputs = published("frost-ed25519/vectors_dkg.json")["inputs"]
    members = {i: inputs[str(i)] for i in (1, 2, 3)}
    dealt = {i: tuple(map(_point, member["vss_commitments"])) for i, member in members.items()}
    key = sharing.add_commitments(dealt.values())
    assert key[0] == _point(inputs["verifying_key"])
    shares = []
    for i, member in members.items():
        own = tuple(
            ed.decode_scalar(bytes.fromhex(member[k])) for k in ("signing_key", "coefficient")
        )
        assert sharing.commit(own) == dealt[i]
        received = {int(j): bytes.fromhex(s) for j, s in member["signing_shares"].items()}
        for j, share in received.items():
            verify_share(ed.decode_scalar(share), i, dealt[j])
        mine = sharing.evaluate(own, i)
        share = ed.scalar_sum([mine, *map(ed.decode_scalar, received.values())])
        assert share == bytes.fromhex(member["signing_share"])
        assert sharing.public_share(key, i) == _point(member["verifying_share"])
        shares.append((i, share))
    assert ed.base_mul(sharing.recover(shares[:2])) == key[0]


def _point(text: str) -> ed.Point:
    return ed.decode_point(bytes.fromhex(text))
