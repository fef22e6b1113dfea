"""The program `age-plugin-quorate`, which age programs start by its name to seal and to unlock."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate import wire
from quorate.errors import Error, Usage
from quorate.threshold.age.plugin import Conversation, Opener, Wanted, converse
from quorate.threshold.answers import Sought

FLAG = "--age-plugin="


@dataclass(frozen=True, slots=True)
class NodeOpener:
    """Asks the holders through a member's own node: the one in the folder the identity names."""

    node: str = ""  # another folder, where that one has moved

    def open(self, wanted: Wanted, tell: Callable[[str], None]) -> bytes:
        # sealing does without, and would only wait for it
        from quorate.cli.waiting import wait_for_key
        from quorate.node import SOCKET
        from quorate.node.local import Local, read
        from quorate.node.quorum.asking import Asking, Progress

        sealed = wanted.sealed
        sought = Sought("sealed", wire.encode(sealed), sealed.label.record)
        asking = Asking(Local(Path(self.node or wanted.identity.node) / SOCKET))
        request = read(asking.ask(sought, wanted.reason), Progress)
        return wait_for_key(asking, request.id, tell)


def main(arguments: Sequence[str] | None = None, opener: Opener | None = None) -> int:
    """Speak with the age program that started us; what ends it early goes to stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    machine = arguments[0] if len(arguments) == 1 else ""
    try:
        if not machine.startswith(FLAG):
            raise Usage(
                "age-plugin-quorate is started by age, not by hand",
                hint="seal with: age -r age1quorate1... FILE",
            )
        reason = os.environ.get("QUORATE_REASON", "").strip()
        conversation = Conversation(sys.stdin.buffer.readline, _write)
        asking = opener or NodeOpener(os.environ.get("QUORATE_NODE", ""))
        converse(machine.removeprefix(FLAG), conversation, os.urandom, asking, reason)
    except Error as e:
        print(f"age-plugin-quorate: error: {e}", file=sys.stderr)
        if e.hint:
            print(f"age-plugin-quorate: hint: {e.hint}", file=sys.stderr)
        return e.exit_code
    return 0


def _write(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
