"""What the node's HTTP API says of keys and orders, in the manner of `node.views`."""

from typing import Annotated, Literal

from pydantic import Field

from quorate.node.views import View
from quorate.threshold.keys import Purpose

Secret = Annotated[str, Field(repr=False, max_length=10_000)]


class AnswerView(View):
    """One holder's word, and why."""

    member: str
    word: Literal["approve", "decline"]
    reason: str
    time: str


class HolderView(View):
    """One holder of a key."""

    name: str
    operator: str
    public_key: str


class KeyView(View):
    """One key on this node."""

    id: str
    digest: str  # of its plan
    name: str
    purpose: Purpose
    rule: str
    warning: str
    state: Literal["proposed", "generating", "ready", "refused", "expired", "failed"]
    note: str
    proposer: str
    created: str
    expires: str
    holders: tuple[HolderView, ...]
    answers: tuple[AnswerView, ...]
    waits_for: tuple[str, ...]  # who has not answered, or not taken its step of the generation
    key_id: str = ""
    public_key: str = ""
    share: Literal["", "sealed"] = ""  # what this node keeps of it
    untold: tuple[str, ...] = ()


class OrderView(View):
    """One order on this node."""

    id: str
    digest: str
    key: str
    rule: str
    requester: str
    reason: str
    created: str
    expires: str
    state: Literal["open", "approved", "signed", "declined", "expired"]
    note: str
    words: tuple[str, ...]  # the document, for people
    document: str
    subject: str
    holders: tuple[str, ...]
    answers: tuple[AnswerView, ...]
    waits_for: tuple[str, ...]  # holders that have not answered
    signature: str = ""
    message: str = ""  # what the group signs
    untold: tuple[str, ...] = ()


class AliveView(View):
    """Whether one holder's share of a key is alive."""

    member: str
    alive: bool
    trouble: str


class KeyBody(View):
    """A key to plan."""

    name: str
    members: tuple[str, ...]
    rule: str
    purpose: Purpose
    reason: str


class AnswerBody(View):
    """Why this member approves or declines."""

    reason: str


class OrderBody(View):
    """An order to propose: its document, the key that is to sign it, for how long it may wait."""

    document: str
    key: str
    reason: str
    hours: float


class PassphraseBody(View):
    """A passphrase. It goes no further than the vault."""

    passphrase: Secret


class RestoreBody(View):
    """A backup of a share, and the passphrase it is under."""

    backup: str
    passphrase: Secret


class VaultView(View):
    """Whether this node's shares can be used."""

    vault: Literal["none", "locked", "open"]
