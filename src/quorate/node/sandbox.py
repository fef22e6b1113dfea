"""The sandbox of an enclave's process, where bubblewrap is installed and the kernel lets it.

The process has no network, sees no other process, and of all files only those of its program, to
read; what it writes is in memory and gone with it. That keeps a program that was broken into, by
rows made for it, away from the host's files and from everybody else; it does not keep the host
away from the program. From [Bubblewrap25]. Unreviewed.
"""

import shutil
import site
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import quorate

PROGRAM = "bwrap"
TRY_S = 30.0
INSIDE = "/inside"
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache")


def confined(command: Sequence[str]) -> tuple[str, ...]:
    """Return `command` in a sandbox; itself where there can be none."""
    return (*_bubblewrap(), *command) if can_confine() else tuple(command)


@cache
def can_confine() -> bool:
    """Return whether this machine starts a sandbox: its kernel may forbid what is installed."""
    if shutil.which(PROGRAM) is None:
        return False
    tried = [*_bubblewrap(), sys.executable, "-I", "-c", ""]
    done = subprocess.run(tried, capture_output=True, timeout=TRY_S, check=False)  # noqa: S603 - our own words
    return done.returncode == 0


def _bubblewrap() -> list[str]:
    """Return how bubblewrap is called: what is not named here is not there."""
    shown = [word for path in _program() for word in ("--ro-bind", path, path)]
    return [
        shutil.which(PROGRAM) or PROGRAM,
        *("--unshare-all", "--die-with-parent", "--new-session"),
        *("--cap-drop", "ALL", "--clearenv"),
        *("--tmpfs", "/"),
        *("--dev", "/dev", "--proc", "/proc", "--dir", INSIDE),
        *shown,
        *("--chdir", INSIDE),
    ]


def _program() -> Iterator[str]:
    """Yield what the interpreter and its packages are read from, the outermost folders first.

    Not all of `sys.path`: it may begin with the folder a node was started in.
    """
    own = str(Path(quorate.__file__).parents[1])
    interpreter = str(Path(sys.executable).resolve().parent)
    paths = (*_SYSTEM, sys.base_prefix, sys.prefix, interpreter, *site.getsitepackages(), own)
    yield from sorted({path for path in paths if Path(path).exists()})
