"""`age-plugin-quorate` as age starts it, with the holders of a test in place of a node.

Arguments: a file of key shares (one encoded `KeyShare` a line, in hexadecimal), how many of them
approve, and what age adds.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from quorate import wire
from quorate.cli.age_plugin import main
from quorate.threshold import tdh2
from quorate.threshold.age.plugin import Wanted
from quorate.threshold.keys import KeyShare
from quorate.threshold.partial import Asked, combine, make_partial


@dataclass(frozen=True)
class Shares:
    held: tuple[KeyShare, ...]

    def open(self, wanted: Wanted, tell: Callable[[str], None]) -> bytes:
        tell(f"asking because of: {wanted.reason}")
        public = self.held[0].public
        asked = Asked(bytes(32), wanted.sealed.digest())
        base = tdh2.verify(public.group, wanted.sealed)
        partials = [make_partial(share, base, asked, os.urandom) for share in self.held]
        return tdh2.unmask(wanted.sealed, combine(public, base, asked, partials).point)


if __name__ == "__main__":
    file, approving, *arguments = sys.argv[1:]
    lines = Path(file).read_text(encoding="ascii").splitlines()
    held = tuple(wire.decode(bytes.fromhex(line), KeyShare) for line in lines)
    sys.exit(main(arguments, Shares(held[: int(approving)])))
