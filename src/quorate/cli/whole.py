"""Files that are there whole or not at all, whatever interrupts who writes them."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from quorate.errors import Refused, Unavailable


@contextmanager
def whole_file(target: Path, mode: int = 0o666) -> Generator[BinaryIO]:
    """Write a new file: it has its name at the end of the block, and nothing stays if that fails.

    `mode` is who may read it, less what the umask forbids. Raises `Refused` where
    there is a file of that name, and `Unavailable`.
    """
    _check_free(target)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb", opener=lambda path, flags: os.open(path, flags, mode)) as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        _check_free(target)
        part.replace(target)
    except OSError as e:
        raise Unavailable(
            f"{target} was not written: {e.strerror}", hint="check the paths"
        ) from None
    finally:
        part.unlink(missing_ok=True)


def _check_free(target: Path) -> None:
    if target.exists():
        raise Refused(f"{target} exists", hint="choose another name with --out")
