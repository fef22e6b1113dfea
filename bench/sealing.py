"""Sealing and unlocking: what a quorum's arithmetic takes, and a large file beside stock age."""

import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.threshold import generate_key, tdh2
from quorate.threshold.age import keys, payload
from quorate.threshold.age.header import make_header, read_header
from quorate.threshold.age.keys import Identity, Recipient, of_record
from quorate.threshold.answers import Sought
from quorate.threshold.keys import KeyShare
from quorate.threshold.partial import Asked, combine, make_partial, verify_partial
from tests.e2e.nodes import wait
from tests.e2e.ward import five_nodes
from tests.quorum.dealt import WARD

PROJECT = Path(__file__).parent.parent
FILE_BYTES = 1 << 30
REPEATS = 5
ALLOWED_RATIO = 1.2
"""What sealing or opening a large file may take beside stock age with a key of its own."""

TEXT = """\
## Sealing and unlocking

TDH2 with a key of which 3 of 5 open: the least CPU time of one step, in milliseconds. *Combine*
verifies three partial decryptions and adds them up.

{steps}
A file of {size:,} bytes, from the disk's cache to nowhere: CPU seconds, the least of {repeats}, and
the ratio to stock age with an X25519 key of its own. *Plugin* is stock age with
`age-plugin-quorate` and the three shares in one process, all that it starts counted: no network
and no person. *Node* is stock age with `age-plugin-quorate` as it is installed, which asks one of
five nodes; three have approved before, and the nodes' own work is not counted. *quorate* is our own
reader and writer of age's payload. Each is to stay within {allowed} times stock age.

{files}"""


@dataclass(frozen=True, slots=True)
class Took:
    """CPU seconds to seal and to open the file."""

    name: str
    seal_s: float
    open_s: float


def least(step: Callable[[], object], clock: Callable[[], float], repeats: int) -> float:
    taken: list[float] = []
    for _ in range(repeats):
        started = clock()
        step()
        taken.append(clock() - started)
    return min(taken)


def children() -> float:
    """Return the CPU seconds of all programs that this process started and that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def steps() -> list[tuple[str, float]]:
    """Return each step's name and milliseconds."""
    shares = generate_key(5, 3, os.urandom, "unlock")[0]
    public, key = shares[0].public, os.urandom(tdh2.KEY_LENGTH)
    sealed = tdh2.encrypt(public.group, "record", key, os.urandom)
    asked = Asked(bytes(32), sealed.digest())
    u = tdh2.verify(public.group, sealed)
    parts = [make_partial(share, u, asked, os.urandom) for share in shares[:3]]
    assert tdh2.unmask(sealed, combine(public, u, asked, parts).point) == key
    work: dict[str, Callable[[], object]] = {
        "encrypt": lambda: tdh2.encrypt(public.group, "record", key, os.urandom),
        "verify ciphertext": lambda: tdh2.verify(public.group, sealed),
        "partial decryption": lambda: make_partial(shares[0], u, asked, os.urandom),
        "verify partial": lambda: verify_partial(public, u, asked, parts[0]),
        "combine": lambda: combine(public, u, asked, parts),
    }
    return [(name, 1e3 * least(step, time.process_time, 50)) for name, step in work.items()]


def files(size: int, repeats: int) -> list[Took]:
    """Return what sealing and opening takes; with stock age first, or none where it is missing."""
    age, keygen = shutil.which("age"), shutil.which("age-keygen")
    if age is None or keygen is None:
        return []
    with tempfile.TemporaryDirectory(prefix="quorate-bench-") as name:
        folder = Path(name)
        with (folder / "content").open("wb") as content:
            for _ in range(size >> 20):
                content.write(os.urandom(1 << 20))
        own = folder / "own.txt"
        made = subprocess.run([keygen, "-o", own], check=True, capture_output=True, text=True)
        recipient = next(word for word in made.stderr.split() if word.startswith("age1"))
        shares = generate_key(5, 3, os.urandom, "unlock")[0]
        group = shares[0].public.group
        identity = folder / "group.txt"
        identity.write_text(Identity(1, group, ".").text())
        _write_plugin(folder, shares)
        return [
            _stock("age", age, folder, (recipient, own), repeats),
            _stock("plugin", age, folder, (Recipient(1, group, "r").text(), identity), repeats),
            _node(age, folder, repeats),
            _ours(folder, group, repeats),
        ]


def section(size: int = FILE_BYTES, repeats: int = REPEATS) -> str:
    """Run everything; return the page's part."""
    lines = ["| step | ms |", "| ---: | ---: |"]
    lines += [f"| {name} | {ms:.2f} |" for name, ms in steps()]
    taken = files(size, repeats)
    table = ["| program | seal | ratio | open | ratio |", "| ---: " * 5 + "|"]
    for one in taken:
        sealing, opening = one.seal_s / taken[0].seal_s, one.open_s / taken[0].open_s
        assert max(sealing, opening) <= ALLOWED_RATIO, f"{one.name}: {sealing:.2f} {opening:.2f}"
        table.append(
            f"| {one.name} | {one.seal_s:.3f} s | {sealing:.2f} "
            f"| {one.open_s:.3f} s | {opening:.2f} |"
        )
    return TEXT.format(
        steps="\n".join(lines) + "\n",
        size=size,
        repeats=repeats,
        allowed=ALLOWED_RATIO,
        files="\n".join(table) + "\n" if taken else "Stock age is not installed here.\n",
    )


def _stock(
    name: str,
    age: str,
    folder: Path,
    key: tuple[str, Path],
    repeats: int,
    *,
    reseal: bool = True,
) -> Took:
    """Return what age takes; `reseal` unless what is to be opened is sealed already."""
    recipient, identity = key
    sealed = folder / "sealed"

    def run(*arguments: str | Path) -> Callable[[], object]:
        paths = {"PATH": f"{folder}:{os.environ['PATH']}", "QUORATE_REASON": "bench"}
        return lambda: subprocess.run([age, *arguments], check=True, capture_output=True, env=paths)

    content = folder / "content"
    if reseal:
        run("-r", recipient, "-o", sealed, content)()
    sealing = run("-r", recipient, "-o", os.devnull, content)
    opening = run("-d", "-i", identity, "-o", os.devnull, sealed)
    return Took(name, least(sealing, children, repeats), least(opening, children, repeats))


def _node(age: str, folder: Path, repeats: int) -> Took:
    """Return the same through a node, one of five that run, to which three have said yes."""
    with five_nodes() as ward:
        ward.make_key("records", "3 of 5", WARD, "unlock")
        key = ward["doctor"].key("records")
        identity = folder / "node.txt"
        identity.write_text(key.identity)
        _write_program(folder, [sys.executable, "-m", "quorate.cli.age_plugin"])
        recipient, sealed = of_record(key.recipient, "r"), folder / "sealed"
        path = {"PATH": f"{folder}:{os.environ['PATH']}"}
        command = [age, "-r", recipient, "-o", str(sealed), str(folder / "content")]
        subprocess.run(command, check=True, capture_output=True, env=path)
        with sealed.open("rb") as source:
            (stanza,) = read_header(source.readline).stanzas
        request = ward["doctor"].ask_to_unlock(Sought("sealed", stanza.body, "r"), "bench")
        for name in ("nurse", "pharmacist"):
            ward[name].answer_unlock(request.id, "approve", "bench")
        wait(lambda: ward["doctor"].unlock_request(request.id).state == "unlocked")
        return _stock("node", age, folder, (recipient, identity), repeats, reseal=False)


def _ours(folder: Path, group: ed.Point, repeats: int) -> Took:
    file_key = os.urandom(16)
    sealed, nowhere = folder / "sealed", Path(os.devnull)

    def seal(target: Path) -> None:
        header = make_header((keys.seal(group, "r", file_key, os.urandom),), file_key)
        with (folder / "content").open("rb") as source, target.open("wb") as sink:
            sink.write(header.encode())
            sink.writelines(payload.seal(file_key, os.urandom(payload.NONCE), source.read))

    def unseal() -> None:
        with sealed.open("rb") as source, nowhere.open("wb") as sink:
            read_header(source.readline).verify(file_key)
            sink.writelines(payload.unseal(file_key, source.read))

    seal(sealed)
    return Took(
        "quorate",
        least(lambda: seal(nowhere), time.process_time, repeats),
        least(unseal, time.process_time, repeats),
    )


def _write_plugin(folder: Path, shares: Sequence[KeyShare]) -> None:
    """Write the plugin that age starts: ours, with the shares in the place of a node."""
    (folder / "shares").write_text("\n".join(wire.encode(share).hex() for share in shares))
    program = [sys.executable, "-m", "tests.system.plugin_of_holders", str(folder / "shares"), "3"]
    _write_program(folder, program)


def _write_program(folder: Path, program: Sequence[str]) -> None:
    plugin = folder / "age-plugin-quorate"
    plugin.write_text(
        f'#!/bin/sh\ncd {shlex.quote(str(PROJECT))} && exec {shlex.join(program)} "$@"\n'
    )
    plugin.chmod(0o700)


if __name__ == "__main__":
    print(section())
