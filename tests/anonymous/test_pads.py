"""Two members have the same pads, in one run; pads of two runs have nothing in common."""

import secrets

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate.algebra import mersenne
from quorate.anonymous import pads
from quorate.anonymous.pads import PairKeys
from quorate.anonymous.parts import combine

SID, OTHER_SID = secrets.token_bytes(32), secrets.token_bytes(32)
N, SLOT = 3, 64


def both_ends(sid: bytes, seeds: tuple[bytes, bytes]) -> tuple[PairKeys, PairKeys]:
    """The keys of members 0 and 2, each as it computes them itself."""
    low, high = (pads.grow(sid, seed) for seed in seeds)
    up, upward = high.mlkem.public_key().encapsulate()
    down, downward = low.mlkem.public_key().encapsulate()
    first = pads.pair_keys(
        sid, 0, 2, pads.agree(low.x25519, high.x25519_public), up, low.mlkem.decapsulate(downward)
    )
    agreed = pads.agree(high.x25519, low.x25519_public)
    return first, pads.pair_keys(sid, 2, 0, agreed, down, high.mlkem.decapsulate(upward))


def seeds() -> tuple[bytes, bytes]:
    return secrets.token_bytes(32), secrets.token_bytes(32)


def test_both_ends_have_the_same_pads_and_they_cancel() -> None:
    one, other = both_ends(SID, seeds())
    assert one == other
    row = secrets.token_bytes(100)
    assert pads.xor_pad(other.vector, pads.xor_pad(one.vector, row)) == row
    up, down = pads.add_pads([1] * N, 0, {2: one}), pads.add_pads([5] * N, 2, {0: other})
    assert [(a + b) % mersenne.P for a, b in zip(up, down, strict=True)] == [6] * N
    assert up != [1] * N


def test_keys_of_low_order_are_refused_whoever_asks() -> None:
    for secret in (b"\1" * 32, secrets.token_bytes(32)):
        private = X25519PrivateKey.from_private_bytes(secret)
        for low in (bytes(32), (1).to_bytes(32, "little")):
            with pytest.raises(ValueError, match="shared key"):
                pads.agree(private, low)


def rows(first: PairKeys, second: PairKeys) -> bytes:
    """What is left of two vectors of one member, added up: a cell in slot 1, then none."""
    cell = bytes(SLOT) + secrets.token_bytes(SLOT) + bytes(SLOT)
    nothing = bytes(len(cell))
    return combine([pads.xor_pad(first.vector, cell), pads.xor_pad(second.vector, nothing)])


def test_the_same_seeds_in_another_run_give_other_pads() -> None:
    same = seeds()
    left = rows(both_ends(SID, same)[0], both_ends(OTHER_SID, same)[0])
    assert all(any(left[at : at + SLOT]) for at in range(0, len(left), SLOT))


def test_control_pads_used_twice_show_a_members_slot() -> None:
    pair = both_ends(SID, seeds())[0]
    left = rows(pair, pair)
    assert [any(left[at : at + SLOT]) for at in range(0, len(left), SLOT)] == [False, True, False]


def test_a_seed_is_bound_to_its_run_and_seat() -> None:
    seed = secrets.token_bytes(32)
    assert pads.grow(SID, seed).tag != pads.grow(OTHER_SID, seed).tag
    assert len({pads.commit(s, p, seed) for s in (SID, OTHER_SID) for p in range(3)}) == 6
