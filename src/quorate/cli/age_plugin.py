"""The program `age-plugin-quorate`, which age programs start by its name to seal and to unlock."""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from quorate.errors import Error, Unavailable, Usage
from quorate.threshold.age.plugin import Conversation, Opener, Wanted, converse

FLAG = "--age-plugin="


@dataclass(frozen=True, slots=True)
class NoOpener:
    """What stands where no node that can unlock is known."""

    def open(self, wanted: Wanted, tell: Callable[[str], None]) -> bytes:  # noqa: ARG002
        raise Unavailable(
            f"nobody here can ask the holders of the key to unlock {wanted.sealed.label.record}",
            hint="ask a member whose node holds a share of the key",
        )


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
        converse(machine.removeprefix(FLAG), conversation, os.urandom, opener or NoOpener(), reason)
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
