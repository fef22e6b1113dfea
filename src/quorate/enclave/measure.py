"""The measurement of a Python program: one number for all that steers it, and why it is that one.

Wheels, pinned requirements, interpreter and its libraries, plan, roster and
settings are leaves of a Merkle tree [RFC9162]. Two who build the same get the
same 32 bytes; where they do not, `differences` names the file. No times, owners
or compiled caches are in it. Who calls reads the files: this only computes.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from quorate import wire
from quorate.errors import Refused

Part = Literal["wheel", "requirements", "interpreter", "plan", "roster", "setting"]

PARTS: tuple[Part, ...] = ("wheel", "requirements", "interpreter", "plan", "roster", "setting")
MAX_FILES = 100_000
_PINNED = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9,._-]+\])?==[A-Za-z0-9.!+_-]+"
    r"( --hash=sha256:[0-9a-f]{64})+"
)


@dataclass(frozen=True, slots=True)
class File:
    """One thing that is measured: a file, or a setting by its name."""

    part: Part
    path: str  # relative, with /
    executable: bool  # all of its mode that counts
    size: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Subtree:
    """A part of the program, by itself."""

    part: Part
    root: bytes
    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What one listing has and another has not, or has otherwise."""

    part: Part
    path: str
    how: Literal["added", "removed", "changed"]


def of_bytes(part: Part, path: str, content: bytes, *, executable: bool = False) -> File:
    """Return the leaf of something held in memory."""
    return File(part, path, executable, len(content), hashlib.sha256(content).digest())


def measure(files: Iterable[File]) -> bytes:
    """Return the 32 bytes of all `files`: H(part, root) over every part, in the order of `PARTS`.

    Raises `Refused` for a listing that leaves a part out, names a file twice, or holds what
    would differ with each run.
    """
    return wire.digest("enclave-program", explain(files))


def explain(files: Iterable[File]) -> tuple[Subtree, ...]:
    """Return what `measure` hashes: the root of each part, with how much is in it."""
    listing = _checked(files)
    return tuple(_subtree(part, [f for f in listing if f.part == part]) for part in PARTS)


def differences(old: Iterable[File], new: Iterable[File]) -> tuple[Difference, ...]:
    """Return which files make two measurements differ, in the order of parts and paths."""
    before, after = _by_name(old), _by_name(new)
    found: list[Difference] = []
    names: set[tuple[Part, str]] = {*before, *after}
    for part, path in sorted(names, key=_place):
        if (part, path) not in after:
            found.append(Difference(part, path, "removed"))
        elif (part, path) not in before:
            found.append(Difference(part, path, "added"))
        elif before[part, path] != after[part, path]:
            found.append(Difference(part, path, "changed"))
    return tuple(found)


def check_requirements(text: str) -> None:
    """Refuse requirements that could install something else tomorrow. Raises `Refused`.

    Each line is a name, one exact version, and the hashes of its wheels.
    """
    lines = text.replace("\\\n", " ").splitlines()
    for number, line in enumerate(lines, start=1):
        plain = " ".join(line.split("#")[0].split())
        if plain and not _PINNED.fullmatch(plain):
            raise Refused(
                f"requirement {number} is not pinned to a version and its hashes",
                hint="write name==version --hash=sha256:... for every package",
            )


def check_wheels(files: Iterable[File], requirements: str) -> None:
    """Refuse wheels that the requirements do not name by their hash. Raises `Refused`."""
    pinned = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", requirements))
    for each in files:
        if each.part == "wheel" and each.sha256.hex() not in pinned:
            raise Refused(f"the wheel {each.path} is not the one that the requirements pin")


def merkle_root(leaves: list[bytes]) -> bytes:
    """Return the root over `leaves`, with leaves and nodes apart [RFC9162]; empty: of no bytes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = merkle_root(leaves[:middle]), merkle_root(leaves[middle:])
    return hashlib.sha256(b"\1" + left + right).digest()


def _subtree(part: Part, files: list[File]) -> Subtree:
    if not files and part != "setting":
        raise Refused(f"not measured: nothing is given as {part}")
    root = merkle_root([wire.encode(each) for each in files])
    return Subtree(part, root, len(files), sum(each.size for each in files))


def _checked(files: Iterable[File]) -> tuple[File, ...]:
    listing = tuple(sorted(files, key=lambda each: _place((each.part, each.path))))
    if len(listing) > MAX_FILES:
        raise Refused(f"not measured: {len(listing)} files; the most is {MAX_FILES}")
    names = [(each.part, each.path) for each in listing]
    if len(set(names)) < len(names):
        raise Refused("not measured: a file is listed twice")
    for each in listing:
        parts = each.path.split("/")
        if any(p in {"", ".", ".."} for p in parts) or "\\" in each.path or "\0" in each.path:
            raise Refused(f"not measured: {each.path!r} is no path inside the program")
        if each.path.endswith((".pyc", ".pyo")):
            raise Refused(f"not measured: {each.path} differs with each run")
        if len(each.sha256) != 32 or each.size < 0:
            raise Refused(f"not measured: {each.path} has no SHA-256")
    return listing


def _by_name(files: Iterable[File]) -> dict[tuple[Part, str], File]:
    return {(each.part, each.path): each for each in _checked(files)}


def _place(name: tuple[Part, str]) -> tuple[int, str]:
    return PARTS.index(name[0]), name[1]
