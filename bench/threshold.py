"""Keys and signatures of a group, beside the binding of frost-rs in an environment of its own.

`python -m bench.threshold` installs the peer (once), runs it and then quorate at the same work, and
keeps the figures; the page is written from the last run.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.threshold import dkg, frost, schnorr
from quorate.threshold.dkg import Confirmation
from quorate.threshold.evidence import open_dealing
from quorate.threshold.frost import SignatureShare, SigningPackage
from quorate.threshold.keys import KeyShare
from quorate.threshold.setup import Setup, SignedDealing, static_key, transcript

PROJECT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "peers" / "frost.json"
PINS = Path(__file__).parent / "peers" / "frost.txt"
ENVIRONMENT = PROJECT / "build" / "peers" / "frost"
RULES = ((2, 3), (3, 5), (7, 10), (67, 100))
STEPS = ("commit", "sign", "aggregate", "dkg")
MESSAGE = b"one order"
REPEATS = 10
T = TypeVar("T")

TEXT = """\
## Signatures by a group

One holder's step, the least of several, measured by `make bench-threshold`: frost-rs, the Python
binding of a library in Rust, and quorate right after it. Its calls take and return text; ours
include decoding what arrives. From 16 signers on quorate adds their commitments in two threads.
*Key generation* is one holder's work in all rounds; ours encrypts the shares and signs dealings
and a certificate, theirs leaves both to others. A ratio below 1 means that quorate is faster.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One step under one rule."""

    min_signers: int
    max_signers: int
    step: str
    theirs_s: float
    ours_s: float


@dataclass(slots=True)
class Stopwatch:
    """The least time seen of each step."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, name: str, step: Callable[..., T], *arguments: object) -> T:
        started = time.perf_counter()
        result = step(*arguments)
        took = time.perf_counter() - started
        self.seconds[name] = min(took, self.seconds.get(name, took))
        return result


def section() -> str:
    """Return the page's part, from the last run."""
    rows = msgspec.json.decode(RESULTS.read_bytes(), type=list[Row])
    lines = [TEXT]
    lines += [
        "| rule | step | frost-rs | ours | ours / theirs |",
        "| ---: | ---: " * 2 + "| ---: |",
    ]
    lines += [
        f"| {row.min_signers} of {row.max_signers} | {NAMES[row.step]} "
        f"| {row.theirs_s * 1e3:.2f} ms | {row.ours_s * 1e3:.2f} ms "
        f"| {row.ours_s / row.theirs_s:.2f} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


NAMES = {"dkg": "key generation", "commit": "commit", "sign": "sign", "aggregate": "aggregate"}


def measure(min_signers: int, max_signers: int) -> dict[str, float]:
    """Return seconds by step of one holder."""
    watch = Stopwatch()
    for _ in range(1 if max_signers > 20 else REPEATS):
        shares = generate(watch, min_signers, max_signers)
    for _ in range(10 if min_signers > 20 else 100):
        sign(watch, shares)
    rounds = [watch.seconds.pop(name) for name in ("dkg 1", "dkg 2", "dkg 3")]
    return {**watch.seconds, "dkg": sum(rounds)}


def generate(watch: Stopwatch, min_signers: int, max_signers: int) -> list[KeyShare]:
    """Return the shares of the first `min_signers`; the first holder's rounds are timed."""
    statics = [static_key(os.urandom(32)) for _ in range(max_signers)]
    identities = [Ed25519PrivateKey.generate() for _ in statics]
    publics = tuple(identity.public_key().public_bytes_raw() for identity in identities)
    keys = tuple(map(ed.base_mul, statics))
    setup = Setup("sign", min_signers, os.urandom(32), keys, publics)

    def first(static: ed.Scalar, identity: Ed25519PrivateKey) -> bytes:
        return wire.encode(dkg.round1(setup, static, identity, os.urandom))

    dealt = [watch.time("dkg 1", first, *own) for own in zip(statics, identities, strict=True)]

    def second() -> tuple[dkg.Pending, dkg.Confirmation]:
        dealings = [wire.decode(text, SignedDealing) for text in dealt]
        return dkg.round2(setup, statics[0], dealings[0], dealings)

    for _ in range(REPEATS):
        pending, mine = watch.time("dkg 2", second)
    told = transcript(setup, pending.record.promises, b"")
    confirmations = [
        wire.encode(Confirmation(mine.transcript, schnorr.sign(static, told))) for static in statics
    ]

    def third() -> dkg.Generated:
        return dkg.round3(pending, [wire.decode(text, Confirmation) for text in confirmations])

    for _ in range(REPEATS):
        outcome = watch.time("dkg 3", third)
    dealings = [wire.decode(text, SignedDealing).dealing for text in dealt]
    shares = [
        ed.scalar_sum(
            open_dealing(setup, me, static, sender, dealing).share
            for sender, dealing in enumerate(dealings, 1)
        )
        for me, static in enumerate(statics[:min_signers], 1)
    ]
    return [KeyShare(me, share, outcome.share.public) for me, share in enumerate(shares, 1)]


def sign(watch: Stopwatch, shares: list[KeyShare]) -> None:
    made = [watch.time("commit", frost.commit, share, os.urandom) for share in shares]
    package = frost.package(MESSAGE, [sent for _, sent in made])
    text = wire.encode(package)

    def second(share: KeyShare, nonces: frost.Nonces) -> bytes:
        return wire.encode(frost.sign(share, nonces, wire.decode(text, SigningPackage)))

    answers = [
        watch.time("sign", second, share, nonces)
        for share, (nonces, _) in zip(shares, made, strict=True)
    ]
    public = shares[0].public
    signature = watch.time(
        "aggregate",
        lambda: frost.aggregate(
            public, package, [wire.decode(answer, SignatureShare) for answer in answers]
        ),
    )
    frost.verify(public.group, MESSAGE, signature)


def peer() -> dict[str, dict[str, float]]:
    """Return what frost-rs takes, by rule and step."""
    python, mark = ENVIRONMENT / "bin" / "python", ENVIRONMENT / "installed"
    if not mark.exists() or mark.read_text() != PINS.read_text():
        print(f"installing frost-rs into {ENVIRONMENT.relative_to(PROJECT)} (once)")
        _run(Path(sys.executable), "-m", "venv", "--clear", str(ENVIRONMENT))
        _run(python, "-m", "pip", "--quiet", "install", "--requirement", str(PINS))
        mark.write_text(PINS.read_text())
    rules = [f"{min_signers}-of-{max_signers}" for min_signers, max_signers in RULES]
    told: dict[str, dict[str, float]] = json.loads(_run(python, "-m", "bench.peers.frost", *rules))
    return told


def _run(python: Path, *arguments: str) -> str:
    done = subprocess.run(
        [python, *arguments], cwd=PROJECT, check=True, capture_output=True, text=True
    )
    return done.stdout


def main() -> None:
    measured = peer()
    rows = []
    for min_signers, max_signers in RULES:
        ours = measure(min_signers, max_signers)
        theirs = measured[f"{min_signers}-of-{max_signers}"]
        theirs["dkg"] = sum(theirs[f"dkg round {k}"] for k in (1, 2, 3))
        rows += [Row(min_signers, max_signers, s, theirs[s], ours[s]) for s in STEPS]
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")
    print(section())


if __name__ == "__main__":
    main()
