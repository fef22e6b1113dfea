"""A simulated enclave as a process of its own, at its host: pipes in and out, and nothing else.

    host --Opening--> process --Begun--> host --Handed, rows--> process --Made, words--> host

The process measures the code that it runs and has its evidence made of that. Its platform follows
from a secret in the host's folder: who reads that file can sign anything, and so can the host. It
shows how an enclave is used, and protects nothing.
"""

import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, Literal, TypeVar

import numpy as np
import structlog

from quorate import wire
from quorate.enclave.receipt import SignedReceipt
from quorate.enclave.rows import SignedParcel
from quorate.enclave.simulation import platform_of
from quorate.errors import MalformedMessage, Unavailable
from quorate.node.home import Home
from quorate.node.sandbox import can_confine, confined
from quorate.studies.attested import Begun, Brief
from quorate.studies.inside import Outcome, Sent
from quorate.studies.plan import Plan
from quorate.studies.protocols import BY_ENCLAVE

log = structlog.get_logger()

SEED = "simulated.seed"
ENDING_S = 10.0
Hosting = Literal["none", "confined", "not confined"]

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Seed:
    """All that a simulated platform is made of: in a file of the host, which shows what it is."""

    secret: bytes = field(repr=False)
    created: str


@dataclass(frozen=True, slots=True)
class Opening:
    """What the process is given first."""

    seed: Seed
    brief: Brief


@dataclass(frozen=True, slots=True)
class Handed:
    """One owner's rows: so many sealed pieces of these sizes follow."""

    parcel: SignedParcel
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What came out: so many words follow. Or why nothing did."""

    receipt: SignedReceipt | None
    words: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the process shows, or why it refuses."""

    begun: Begun | None
    why: str = ""


@dataclass(slots=True)
class Process:
    """One run of an enclave in a process of its own."""

    seed: Seed
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def begin(self, brief: Brief) -> Begun:
        """Start the process. Raises `Unavailable` with what it refuses."""
        log.info("enclave starts", confined=can_confine(), simulated=True)
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            confined([sys.executable, "-I", "-B", "-m", "quorate.node.enclosed"]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={},
        )
        self.running.append(process)
        into, out = _pipes(process)
        write(into, Opening(self.seed, brief))
        shown = read(out, Shown)
        if shown.begun is None:
            self.close()
            raise Unavailable(f"the enclave does not start: {shown.why}")
        return shown.begun

    def finish(self, sent: Sequence[Sent]) -> Outcome:
        """Hand in the rows; the process ends. Raises `Unavailable` with what it refuses."""
        into, out = _pipes(self.running[-1])
        for one in sent:
            write(into, Handed(one.parcel, tuple(len(piece) for piece in one.sealed)))
            for piece in one.sealed:
                into.write(piece)
        into.flush()
        made = read(out, Made)
        if made.receipt is None:
            self.close()
            raise Unavailable(f"the enclave refuses: {made.why}")
        words = np.frombuffer(exactly(out, 8 * made.words), "<u8").astype(np.uint64)
        self.close()
        return Outcome(words, made.receipt)

    def close(self) -> None:
        """End the process, if it runs."""
        while self.running:
            process = self.running.pop()
            process.kill()
            process.communicate(timeout=ENDING_S)


def seed_of(home: Home) -> Seed:
    """Return the secret of this host's simulated platform. Raises `Unavailable`."""
    path = home.folder / SEED
    if not path.exists():
        raise Unavailable(
            f"{home.name} has no simulated platform",
            hint="make one, and the section of the study: quorate enclave prepare STUDY",
        )
    return wire.decode(path.read_bytes(), Seed)


def make_seed(home: Home, secret: bytes, now: datetime) -> Seed:
    """Keep and return the secret of a new platform, or return the one there is."""
    path = home.folder / SEED
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(wire.encode(Seed(secret, now.isoformat())))
    return seed_of(home)


def hosting(home: Home) -> Hosting:
    """Return whether this node can host an enclave, and whether its process would be confined."""
    if not (home.folder / SEED).exists():
        return "none"
    return "confined" if can_confine() else "not confined"


def anchor_of(seed: Seed) -> bytes:
    """Return the digest of a platform's root, which a study names."""
    return platform_of(seed.secret, datetime.fromisoformat(seed.created)).anchor


@contextmanager
def hosted(home: Home, plan: Plan) -> Generator[Process | None]:
    """Return the enclave's process for the length of a run, at its host; elsewhere none."""
    if plan.protocol != BY_ENCLAVE or plan.study.enclosed.host != home.name:
        yield None
        return
    process = Process(seed_of(home))
    try:
        yield process
    finally:
        process.close()


def write(into: BinaryIO, message: object) -> None:
    """Write one message behind its length."""
    data = wire.encode(message)
    into.write(len(data).to_bytes(4) + data)
    into.flush()


def read(out: BinaryIO, kind: type[M]) -> M:
    """Read one message. Raises `MalformedMessage`, `Unavailable` where the other end is gone."""
    size = int.from_bytes(exactly(out, 4))
    if size > wire.MAX_RECORD:
        raise MalformedMessage(f"a record of {size} bytes")
    return wire.decode(exactly(out, size), kind)


def exactly(out: BinaryIO, size: int) -> bytes:
    data = out.read(size)
    if len(data) != size:
        raise Unavailable("the process of the enclave ended")
    return data


def _pipes(process: subprocess.Popen[bytes]) -> tuple[BinaryIO, BinaryIO]:
    if process.stdin is None or process.stdout is None:
        raise TypeError("a process without pipes")
    return process.stdin, process.stdout  # type: ignore[return-value]
