"""Keyed streams: no two labels, keys or sessions ever give the same words."""

import secrets
from collections import defaultdict
from collections.abc import Awaitable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from quorate.algebra.ring import BLOCK, Words
from quorate.mpc import additive
from quorate.mpc.additive import Total, secure_sum
from quorate.mpc.streams import Stream
from quorate.transport.session import Session
from tests.parties import run_parties

KEYS = st.binary(min_size=32, max_size=32)
LABELS = st.text(max_size=8)


@given(st.sets(st.tuples(KEYS, LABELS), min_size=2, max_size=6))
def test_streams_of_other_keys_or_labels_share_no_word(names: set[tuple[bytes, str]]) -> None:
    drawn = np.concatenate([Stream(key, label).words(64) for key, label in names])
    assert np.unique(drawn).size == drawn.size


@given(KEYS, st.integers(0, 500), st.integers(1, 100))
def test_a_stream_may_start_anywhere(key: bytes, pairs: int, size: int) -> None:
    whole = Stream(key, "mask").words(2 * pairs + size)
    assert_array_equal(Stream(key, "mask", start=2 * pairs).words(size), whole[2 * pairs :])


def test_a_stream_does_not_repeat_between_blocks() -> None:
    drawn = Stream(bytes(32), "mask").words(3 * BLOCK + 5)
    assert np.unique(drawn).size == drawn.size


def test_a_stream_starts_at_whole_counter_blocks() -> None:
    with pytest.raises(ValueError, match="even"):
        Stream(bytes(32), "mask", start=1)


@dataclass(frozen=True, slots=True)
class Use:
    """One session in which a stretch of a stream was drawn."""

    run: int
    start: int
    stop: int


@pytest.mark.parametrize("worth_a_round", [0, additive.WORTH_A_ROUND], ids=["in chunks", "direct"])
def test_every_stretch_of_a_mask_is_used_by_one_pair_in_one_session(
    worth_a_round: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses: dict[bytes, list[Use]] = defaultdict(list)
    runs = range(3)
    now = 0

    class Noted(Stream):
        def __init__(self, key: bytes, label: str, *, start: int = 0) -> None:
            super().__init__(key, label, start=start)
            self.key, self.label, self.at = key, label, start

        def fill(self, out: Words) -> None:
            super().fill(out)
            if self.label == "mask":
                uses[self.key].append(Use(now, self.at, self.at + out.size))
            self.at += out.size

    def summing(session: Session) -> Awaitable[Total]:
        return secure_sum(
            session,
            np.ones(101, np.uint64),
            context=b"",
            claim=lambda _: None,
            randomness=secrets.token_bytes,
        )

    monkeypatch.setattr(additive, "WORTH_A_ROUND", worth_a_round)
    monkeypatch.setattr(additive, "Stream", Noted)
    for now in runs:  # noqa: B007 - read by `fill`
        run_parties(summing, 4)
    assert len(uses) == len(runs) * 6
    for of_a_pair in uses.values():
        assert len({use.run for use in of_a_pair}) == 1
        stretches = sorted((use.start, use.stop) for use in of_a_pair)
        assert stretches[::2] == stretches[1::2]  # both ends of the pair draw the same
        for (_, stop), (start, _) in zip(stretches[::2], stretches[2::2], strict=False):
            assert stop <= start
