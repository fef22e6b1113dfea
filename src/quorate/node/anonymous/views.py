"""What the node's HTTP API says of anonymous reports, in the manner of `node.views`."""

from typing import Annotated

from pydantic import Base64Bytes, Field

from quorate.anonymous.attachments import Kind
from quorate.node.views import View

Written = Annotated[str, Field(repr=False, max_length=100_000)]


Data = Annotated[Base64Bytes, Field(repr=False, max_length=1_000_000)]


class FileBody(View):
    """A file to send, cleaned already of what tells its author; its name is not said."""

    kind: Kind
    data: Data


class FileView(FileBody):
    """A file that came with a report, under a name made here."""

    name: str


class FileNote(View):
    """What is told of a file without handing it out."""

    name: str
    size: int


class MeterView(View):
    """Behind whom a report's author would stand in a run held now."""

    members: tuple[str, ...]
    organisations: int
    lost: tuple[str, ...]  # who stood behind the thread so far, and would not any more
    lacking: tuple[str, ...]  # what is too little; then the report waits
    left_out: tuple[str, ...] = ()  # who was silent in several runs, by all others' word
    left_behind: tuple[str, ...] = ()  # who is there, and was not in the last run: texts wait


class MeterBody(View):
    """Whom the author fears, the thread it would go on with, and how many it wants beside it."""

    feared: tuple[str, ...] = ()
    thread: str = ""
    at_least: int = 0  # 0: as many as all need
    organisations: int = 0


class WriteBody(View):
    """A text to send, with files, and whom its author fears."""

    text: Written
    files: tuple[FileBody, ...] = ()
    feared: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()  # none: all read it
    open_by: int = 0  # how many of the recipients open it; 0: all
    at_least: int = 0
    organisations: int = 0


class WaitingView(View):
    """One post of this member's own that is not sent whole yet."""

    thread: str
    post: int
    fragments: int  # that wait; each takes a run
    outdated: bool  # sealed to keys that are not the members' any more: it does not leave
    meter: MeterView


class PostView(View):
    """One post: nobody's name is on it. The last three say something to its recipients only."""

    thread: str
    number: int
    to: str  # the thread it answers, or nothing
    sealed: bool
    text: str
    files: int = 0  # that belong to this text; each is a later post
    is_file: bool = False
    file: FileNote | None = None  # of a file that this member may read
    recipients: tuple[str, ...] = ()
    open_by: int = 0
    approved: tuple[str, ...] = ()


class ThreadView(View):
    """One thread: its posts, and those that answer it."""

    id: str
    thread: str
    posts: tuple[PostView, ...]
    answers: tuple[PostView, ...]
    arriving: tuple[str, ...]
    claimed_by: tuple[str, ...]
    untold: tuple[str, ...] = ()


class RunView(View):
    """One anonymous run as this node saw it.

    `parts` are the first bytes of what each member published where the first text
    came out, in the order of `members`, and `cell` those of their exclusive or.
    """

    id: str
    number: int
    members: tuple[str, ...]
    decision: str  # what this node let out: its share of the key, its seed, neither
    texts: int
    bytes_sent: int
    bytes_received: int
    parts: tuple[str, ...]
    cell: str
    failure: str
    culprits: tuple[str, ...]
