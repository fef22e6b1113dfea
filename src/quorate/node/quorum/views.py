"""What the node's HTTP API says of keys, orders and unlocking, in the manner of `node.views`."""

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
    rule: str  # a number of holders, or a policy
    follows: Literal["", "majority", "half"]  # counted anew when the roster changes
    recovery: str  # of a plain key: how many must approve that one member gets it whole
    witnesses: str  # whose shares wait until a request is published, in words
    warning: str
    dealers: tuple[str, ...]  # of a key in other hands: who deals the old shares
    state: Literal[
        "proposed", "generating", "ready", "refused", "expired", "failed", "renewed", "succeeded"
    ]
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
    recipient: str = ""  # of a key to unlock: what age seals to
    identity: str = ""  # and what age opens with, through this node
    untold: tuple[str, ...] = ()


class RequestView(View):
    """What orders and requests to unlock have in common."""

    id: str
    digest: str
    key: str
    rule: str
    requester: str
    reason: str
    created: str
    expires: str
    state: Literal["open", "approved", "signed", "unlocked", "recovered", "declined", "expired"]
    note: str
    holders: tuple[str, ...]
    answers: tuple[AnswerView, ...]
    waits_for: tuple[str, ...]  # holders that have not answered
    untold: tuple[str, ...] = ()


class OrderView(RequestView):
    """One order on this node."""

    words: tuple[str, ...]  # the document, for people
    document: str
    subject: str
    signature: str = ""
    message: str = ""  # what the group signs


class UnlockView(RequestView):
    """One request on this node to unlock something, or for a whole key."""

    mode: Literal["sealed", "plain", "whole key"]
    record: str
    needed: int  # approvals
    opener: str  # of a plain file: the holder that adds the answers up
    witnesses: str  # whose shares wait until the request is published, in words
    risk: str  # what no check removes, where there is such a thing
    culprits: tuple[str, ...] = ()


class AliveView(View):
    """Whether one holder's share of a key is alive."""

    member: str
    alive: bool
    trouble: str


class RoleBody(View):
    """A role in a policy, and who has it."""

    name: str
    members: tuple[str, ...]


class RenewalBody(View):
    """In whose hands a key shall go on; what is empty stays."""

    reason: str
    members: tuple[str, ...] = ()
    rule: str = ""
    policy: str = ""
    roles: tuple[RoleBody, ...] = ()


class RefreshBody(View):
    """Why all holders of a key shall have new shares, and who lost its own, if one did."""

    reason: str
    lost: str = ""


class SuccessionBody(View):
    """Which key takes the place of one, why, and for how long holders may answer."""

    successor: str
    reason: str
    hours: float


class KeyBody(View):
    """A key to plan."""

    name: str
    members: tuple[str, ...]
    rule: str
    purpose: Purpose
    reason: str
    recovery: str = ""  # of a plain key; if it does not say, all holders
    witnesses: tuple[str, ...] = ()
    published: Annotated[int, Field(ge=0)] = 0  # in how many members' logs; 0 means all
    policy: str = ""  # in place of the rule
    roles: tuple[RoleBody, ...] = ()


class AnswerBody(View):
    """Why this member approves or declines."""

    reason: str
    whole_key: bool = False  # said by who means to give a whole key away


class OrderBody(View):
    """An order to propose: its document, the key that is to sign it, for how long it may wait."""

    document: str
    key: str
    reason: str
    hours: float


class UnlockBody(View):
    """What to unlock, as which record, why, and for how long the request may wait."""

    mode: Literal["sealed", "plain"]
    content: str  # base64
    record: str
    reason: str
    hours: float
    key: str = ""  # where what is sealed does not say
    opener: str = ""


class RecoveryBody(View):
    """Why one member is to have a whole key, and for how long holders may answer."""

    reason: str
    hours: float


class WholeKeyView(View):
    """A whole key as the line of an age identity, for who asked for it."""

    identity: Secret
    recipient: str  # its public half


class FileKeyView(View):
    """The key of one file, in hexadecimal, for who asked for it."""

    file_key: Secret


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
