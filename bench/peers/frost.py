"""What the binding of frost-rs takes, as JSON; run with the Python of its own environment.

Its calls take and return text, so they include decoding, as `bench.threshold` does of ours.
Every figure is seconds of one call, the least of several.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from frost_rs import utility_ed25519 as frost  # type: ignore[import-not-found,unused-ignore]

MESSAGE = b"one order"


class Stopwatch:
    """The least time seen of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, step: Callable[..., Any], *arguments: object) -> Any:
        started = time.perf_counter()
        result = step(*arguments)
        took = time.perf_counter() - started
        self.seconds[name] = min(took, self.seconds.get(name, took))
        return result


def generate(watch: Stopwatch, max_signers: int, min_signers: int) -> tuple[dict[str, str], str]:
    """Return the key packages of the first `min_signers`, and the public key."""
    names = [frost.get_id(f"holder {k}") for k in range(max_signers)]
    kept: dict[str, str] = {}
    sent: dict[str, str] = {}
    for name in names:
        first = watch.time("dkg round 1", frost.round1, name, min_signers, max_signers)
        kept[name], sent[name] = first
    received = {name: {k: v for k, v in sent.items() if k != name} for name in names}
    shares: dict[str, dict[str, str]] = {}
    for name in names:
        second = watch.time("dkg round 2", frost.round2, kept[name], received[name])
        kept[name], shares[name] = second
    keys: dict[str, str] = {}
    public = ""
    for name in names[:min_signers]:
        own = {k: v[name] for k, v in shares.items() if name in v}
        third = watch.time("dkg round 3", frost.round3, kept[name], received[name], own)
        keys[name], public = third
    return keys, public


def sign(watch: Stopwatch, keys: dict[str, str], public: str) -> None:
    made = {name: watch.time("commit", frost.preprocess, key) for name, key in keys.items()}
    sent = {name: commitment for name, (_, commitment) in made.items()}
    shares = {
        name: watch.time("sign", frost.sign, MESSAGE, sent, made[name][0], key)
        for name, key in keys.items()
    }
    signature = watch.time("aggregate", frost.aggregate, MESSAGE, sent, shares, public)
    assert watch.time("verify", frost.verify, MESSAGE, public, signature)


def main() -> None:
    measured: dict[str, dict[str, float]] = {}
    for rule in sys.argv[1:]:
        min_signers, max_signers = map(int, rule.split("-of-"))
        watch = Stopwatch()
        for _ in range(1 if max_signers > 20 else 20):
            keys, public = generate(watch, max_signers, min_signers)
        for _ in range(10 if min_signers > 20 else 100):
            sign(watch, keys, public)
        measured[rule] = watch.seconds
    print(json.dumps(measured))


if __name__ == "__main__":
    main()
