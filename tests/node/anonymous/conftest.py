"""A member that spoils runs, as its operator could have it do."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra.edwards25519 import Randomness
from quorate.anonymous import rounds
from quorate.anonymous.messages import Signed, Vector, sign
from quorate.anonymous.rounds import Received, Reserved, Spoken
from tests.node.anonymous.circle import CHEAT


@pytest.fixture
def fay_cheats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the last member flip every bit of what it publishes, as its operator could."""
    honest = rounds.speak

    def speak(
        kept: Reserved,
        received: Received,
        text: bytes,
        identity: Ed25519PrivateKey,
        randomness: Randomness,
    ) -> tuple[Spoken, Signed]:
        spoken, said = honest(kept, received, text, identity, randomness)
        seat = spoken.begun.seat
        if seat.run.members[seat.me].name != CHEAT:
            return spoken, said
        flipped = bytes(b ^ 255 for b in wire.decode(said.body, Vector).cells)
        return spoken, sign(identity, seat.sid, "vector", seat.me, Vector(flipped))

    monkeypatch.setattr(rounds, "speak", speak)
