"""Every exception this package raises on purpose.

Error                    base; `hint` says what to do next; exit 1
├── Abort                a protocol run ended without output; exit 3 (suspects) or 4 (culprits)
│   ├── Silence          a member said nothing for as long as this node waits
│   └── Disrupted        a member spoilt it, and there is evidence that anyone can check
├── Refused              this node's rules, or the design's, forbid it; exit 5
│   └── SessionReused    one-time randomness was about to be used twice
├── MalformedMessage     bytes that do not decode as what was due
├── MalformedStudy       a study that is not understood, with its place
├── DataError            a member's own rows are not what the study declares
├── OutOfRange           a number the fixed-point or ring representation cannot hold
├── VerificationFailed   a release, certificate or audit log that does not verify
├── NotFound             a name or identifier nobody knows here
├── Unavailable          a node, file or program that should be there is not
└── Usage                a command was not typed as it must be; exit 2
"""

from collections.abc import Iterable

Party = int
"""A member's seat 0..n-1 in one session: its place in the group's roster."""


class Error(Exception):
    """Base of every error raised on purpose."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Abort(Error):
    """The protocol stopped without output.

    `culprits` are parties whose misbehaviour is provable to anyone who holds
    the transcript. `suspects` are parties this party merely lost: silence is
    not proof.
    """

    def __init__(
        self,
        message: str,
        *,
        culprits: Iterable[Party] = (),
        suspects: Iterable[Party] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.culprits = frozenset(culprits)
        self.suspects = frozenset(suspects)
        self.exit_code = 4 if self.culprits else 3


class Silence(Abort):
    """Parties said nothing for as long as this party waits, or nearly: its own finding."""


class Disrupted(Abort):
    """Somebody spoilt the run. `evidence` is the records that prove it to a third party."""

    def __init__(
        self,
        message: str,
        *,
        culprits: Iterable[Party] = (),
        suspects: Iterable[Party] = (),
        evidence: tuple[bytes, ...] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message, culprits=culprits, suspects=suspects, hint=hint)
        self.evidence = evidence


class Refused(Error):
    """A rule forbids what was asked."""

    exit_code = 5


class SessionReused(Refused):
    """A session identifier was seen before: its one-time masks would be used twice."""


class MalformedMessage(Error):
    """Bytes do not decode as the message that was due."""


class MalformedStudy(Error):
    """A study that is not understood; the message begins with the place."""


class DataError(Error):
    """A member's own rows are not what the study declares."""


class OutOfRange(Error):
    """A number does not fit its declared representation."""


class VerificationFailed(Error):
    """Something signed or chained does not verify."""


class NotFound(Error):
    """Nothing here has that name."""


class Unavailable(Error):
    """Something that should be running or present is not."""


class Usage(Error):
    """A command line that is not understood."""

    exit_code = 2
