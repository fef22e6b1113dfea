"""What the node's HTTP API says: the models that the API, the CLI and the console share.

Only the node's own staff reads these, over a Unix socket in the node's folder.
Nothing here holds a row, a share of a value, or a key.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class View(BaseModel):
    """Base of all: unknown fields are errors, so that two releases cannot misread each other."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PeerView(View):
    """One other member, as this node sees it now."""

    name: str
    address: str
    connected: bool
    trouble: str
    software: str
    clock_ahead_s: float


class TableView(View):
    """One table this member has registered. `path` never leaves this node."""

    name: str
    path: str
    data_class: str  # what its owner says the data are


class StatusView(View):
    """The node itself."""

    name: str
    version: str
    pid: int
    listen: str
    group: str
    group_digest: str
    relay_trouble: str  # why this node, if it waits at a relay, cannot be called there now
    peers: tuple[PeerView, ...]
    tables: tuple[TableView, ...]
    studies: int
    vault: Literal["none", "locked", "open"]  # where the shares of keys lie
    enclave: Literal["none", "confined", "not confined"] = "none"  # that it hosts, SIMULATED


class ResultView(View):
    """One released value: `value` is decimal text, `exact` a fraction.

    Of an analysis `number` and `cell` say which of its numbers it is.
    """

    name: str
    analysis: str = ""
    number: str = ""
    cell: str = ""
    formula: str
    value: str
    exact: str
    unit: str


class CostView(View):
    """What a run cost this member: payload bytes of the protocol, and seconds of the session."""

    rounds: int
    bytes_sent: int
    bytes_received: int
    seconds: float


class SeenView(View):
    """The first words of what this node received from one member: noise."""

    sender: str
    words: tuple[str, ...]  # 16 hex digits each


class StudyView(View):
    """One study on this node."""

    id: str
    digest: str
    title: str
    purpose: str
    table: str
    proposer: str
    proposed_at: str
    state: Literal[
        "proposed", "approved", "running", "released", "failed", "refused", "revoked", "expired"
    ]
    note: str  # why it failed or was refused
    members: tuple[str, ...]
    approved_by: tuple[str, ...]
    disclosure: tuple[str, ...]
    results: tuple[ResultView, ...] = ()
    session: str = ""
    cost: CostView | None = None
    seen: tuple[SeenView, ...] = ()
    notices: tuple[str, ...] = ()
    data: tuple[str, ...] = ()  # of each that approved, what its owner says its data are
    trust: str = ""  # the model of trust
    protocol: str = ""
    is_noised: bool = False
    who_sees: tuple[str, ...] = ()
    bundle: tuple[str, ...] = ()  # digests of all plans that are approved with it, in order
    bundle_digest: str = ""
    untold: tuple[str, ...] = ()  # members who will hear of the last step when they are back


class ScoresView(View):
    """What this member alone learned of its patients, in the order of their pseudonyms."""

    score: str
    pseudonym: str  # the column's name
    shows: str  # points, risk or band
    patients: tuple[tuple[str, str], ...]


class ProposeBody(View):
    """A study to propose: its TOML text, and risks accepted in so many words."""

    study: str
    accept: tuple[str, ...] = ()


class DataBody(View):
    """A table to register: the file must be readable by the node."""

    name: str
    path: str
    data_class: Literal["real", "synthetic", "public"] = "real"


class EventView(View):
    """One line of a run's progress. The last one has `study`, or `problem`."""

    stage: str
    step: int  # of `steps`
    steps: int
    rounds: int = 0
    bytes_sent: int = 0
    study: StudyView | None = None
    problem: "ProblemView | None" = None


class ProblemView(View):
    """An error as the API tells it."""

    kind: str  # name of the class in quorate.errors
    message: str
    hint: str
    exit_code: int


class AuditEntryView(View):
    """One line of the audit log."""

    number: int
    time: str
    event: str
    details: str
    digest: str


class WitnessView(View):
    """What another member holds of this node's audit log: its entry `number`, 0 if nothing."""

    member: str
    number: int
    agrees: bool
    trouble: str


class AuditView(View):
    """The audit log, newest last, its head, and who witnesses it if that was asked."""

    entries: tuple[AuditEntryView, ...]
    head: str
    witnesses: tuple[WitnessView, ...] = ()
