"""The routes of unlocking, and of recovery: requests for a whole key wait in the same list."""

import base64
import binascii
from datetime import timedelta

from fastapi import FastAPI

from quorate import wire
from quorate.errors import MalformedMessage, NotFound, Refused
from quorate.node.quorum.quorum import Quorum
from quorate.node.quorum.records import RequestEntry
from quorate.node.quorum.request_views import made_key, request_view, witnesses_of
from quorate.node.quorum.unlocks import document_of
from quorate.node.quorum.views import (
    AnswerBody,
    FileKeyView,
    RecoveryBody,
    UnlockBody,
    UnlockView,
    WholeKeyView,
)
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import KeyState
from quorate.quorum.recovery import Recovered, WrongShare
from quorate.quorum.request import SIGNED
from quorate.quorum.unlock import Opened, Proof
from quorate.threshold import plain
from quorate.threshold.age.keys import is_for
from quorate.threshold.answers import Sought
from quorate.threshold.recovery import MEANING
from quorate.threshold.tdh2 import Ciphertext


def add_unlocks(app: FastAPI, quorum: Quorum) -> None:
    """Add all routes of unlocking."""
    requests = quorum.requests

    @app.get("/unlocks")
    async def unlocks() -> tuple[UnlockView, ...]:
        requests.expire()
        entries = (e for e in quorum.records.all_requests() if e.request.type not in SIGNED)
        return tuple(_view(quorum, entry) for entry in entries)

    @app.post("/unlocks")
    async def ask(body: UnlockBody) -> UnlockView:
        requests.expire()
        sought = Sought(body.mode, _decoded(body.content), body.record)
        key, lasts = _key_for(quorum, sought, body.key), timedelta(hours=body.hours)
        entry, untold = await quorum.unlocks.ask(sought, key, body.reason, lasts, body.opener)
        return _view(quorum, entry, untold)

    @app.post("/keys/{name}/recover")
    async def recover(name: str, body: RecoveryBody) -> UnlockView:
        requests.expire()
        key, lasts = made_key(quorum, name), timedelta(hours=body.hours)
        entry, untold = await quorum.recoveries.ask(key, body.reason, lasts)
        return _view(quorum, entry, untold)

    @app.get("/unlocks/{prefix}")
    async def one(prefix: str) -> UnlockView:
        requests.expire()
        return _view(quorum, _found(quorum, prefix))

    @app.post("/unlocks/{prefix}/approve")
    async def approve(prefix: str, body: AnswerBody) -> UnlockView:
        request = _found(quorum, prefix).request
        if request.type == "recover" and not body.whole_key:
            raise Refused(
                f"request {request.short_id} is for a whole key, not for one record",
                hint=f"read what that means: quorate unlock show {request.short_id}; "
                "to approve it nevertheless, say so: --whole-key",
            )
        entry, untold = await requests.answer(request.digest(), "approve", body.reason)
        return _view(quorum, entry, untold)

    @app.post("/unlocks/{prefix}/decline")
    async def decline(prefix: str, body: AnswerBody) -> UnlockView:
        digest = _found(quorum, prefix).request.digest()
        entry, untold = await requests.answer(digest, "decline", body.reason)
        return _view(quorum, entry, untold)

    @app.get("/unlocks/{prefix}/key")
    async def file_key(prefix: str) -> FileKeyView:
        return FileKeyView(file_key=quorum.unlocks.file_key(_found(quorum, prefix)).hex())

    @app.get("/unlocks/{prefix}/identity")
    async def identity(prefix: str) -> WholeKeyView:
        entry = _found(quorum, prefix)
        recipient = plain.recipient(quorum.records.key_of(entry.request.key).public)
        return WholeKeyView(identity=quorum.recoveries.line(entry), recipient=recipient)


def _key_for(quorum: Quorum, sought: Sought, name: str) -> Key:
    """Return the key to which this is sealed, or the one of that name. Raises `NotFound`."""
    if name:
        key = made_key(quorum, name)
        if sought.mode == "sealed" and not is_for(key.public.group, _ciphertext(sought)):
            raise NotFound(f"this is not sealed to key {name}", hint="leave out --key")
        return key
    made = [
        entry.key
        for entry in quorum.records.all_keys()
        if entry.key is not None and entry.state is KeyState.READY
    ]
    if sought.mode == "sealed":
        sealed = _ciphertext(sought)
        fitting = [k for k in made if k.plan.purpose == "unlock" and is_for(k.public.group, sealed)]
    else:
        fitting = [key for key in made if key.plan.purpose == "plain"]
    if not fitting:
        raise NotFound("this is sealed to no key that this node knows", hint="quorate key list")
    if sought.mode == "plain" and len(fitting) > 1:
        names = ", ".join(key.plan.name for key in fitting)
        raise Refused("a plain file does not say to which key", hint=f"add --key: {names}")
    return fitting[-1]


def _ciphertext(sought: Sought) -> Ciphertext:
    return wire.decode(sought.content, Ciphertext)


def _found(quorum: Quorum, prefix: str) -> RequestEntry:
    entry = quorum.records.find_request(prefix)
    if entry.request.type in SIGNED:
        raise NotFound(
            "that is not a request to unlock", hint="list them with: quorate unlock list"
        )
    return entry


def _view(quorum: Quorum, entry: RequestEntry, untold: tuple[str, ...] = ()) -> UnlockView:
    key = quorum.records.key_of(entry.request.key)
    common = dict(request_view(quorum, entry, untold))
    common["needed"] = key.plan.fewest_for(entry.request.type)
    common["witnesses"] = witnesses_of(key.plan)
    common["culprits"] = tuple(key.holder(proof.identifier).name for proof in _proofs(entry))
    if entry.request.type == "recover":
        record = f"the whole key {key.plan.name}"
        return UnlockView(**common, mode="whole key", record=record, opener="", risk=MEANING)
    unlocking = document_of(entry)
    return UnlockView(
        **common,
        mode=unlocking.sought.mode,
        record=unlocking.sought.record,
        opener=unlocking.opener.member if unlocking.opener else "",
        risk=plain.RISK if unlocking.sought.mode == "plain" else "",
    )


def _proofs(entry: RequestEntry) -> tuple[Proof, ...] | tuple[WrongShare, ...]:
    if entry.result is None:
        return ()
    if entry.request.type == "recover":
        return wire.decode(entry.result, Recovered).proofs
    return wire.decode(entry.result, Opened).proofs


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessage("what is to be unlocked is not base64") from None
