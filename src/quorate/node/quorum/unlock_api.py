"""The routes of unlocking."""

import base64
import binascii
from datetime import timedelta

from fastapi import FastAPI

from quorate import wire
from quorate.errors import MalformedMessage, NotFound, Refused
from quorate.node.quorum.quorum import Quorum
from quorate.node.quorum.records import RequestEntry
from quorate.node.quorum.request_views import made_key, request_view
from quorate.node.quorum.unlocks import document_of
from quorate.node.quorum.views import AnswerBody, FileKeyView, UnlockBody, UnlockView
from quorate.quorum.key import Key
from quorate.quorum.unlock import Opened
from quorate.threshold.age.keys import is_for
from quorate.threshold.answers import Sought
from quorate.threshold.plain import RISK
from quorate.threshold.tdh2 import Ciphertext


def add_unlocks(app: FastAPI, quorum: Quorum) -> None:
    """Add all routes of unlocking."""
    requests = quorum.requests

    @app.get("/unlocks")
    async def unlocks() -> tuple[UnlockView, ...]:
        requests.expire()
        entries = (e for e in quorum.records.all_requests() if e.request.type == "unlock")
        return tuple(_view(quorum, entry) for entry in entries)

    @app.post("/unlocks")
    async def ask(body: UnlockBody) -> UnlockView:
        requests.expire()
        sought = Sought(body.mode, _decoded(body.content), body.record)
        key, lasts = _key_for(quorum, sought, body.key), timedelta(hours=body.hours)
        entry, untold = await quorum.unlocks.ask(sought, key, body.reason, lasts, body.opener)
        return _view(quorum, entry, untold)

    @app.get("/unlocks/{prefix}")
    async def one(prefix: str) -> UnlockView:
        requests.expire()
        return _view(quorum, _found(quorum, prefix))

    @app.post("/unlocks/{prefix}/approve")
    async def approve(prefix: str, body: AnswerBody) -> UnlockView:
        digest = _found(quorum, prefix).request.digest()
        entry, untold = await requests.answer(digest, "approve", body.reason)
        return _view(quorum, entry, untold)

    @app.post("/unlocks/{prefix}/decline")
    async def decline(prefix: str, body: AnswerBody) -> UnlockView:
        digest = _found(quorum, prefix).request.digest()
        entry, untold = await requests.answer(digest, "decline", body.reason)
        return _view(quorum, entry, untold)

    @app.get("/unlocks/{prefix}/key")
    async def file_key(prefix: str) -> FileKeyView:
        return FileKeyView(file_key=quorum.unlocks.file_key(_found(quorum, prefix)).hex())


def _key_for(quorum: Quorum, sought: Sought, name: str) -> Key:
    """Return the key to which this is sealed, or the one of that name. Raises `NotFound`."""
    if name:
        key = made_key(quorum, name)
        if sought.mode == "sealed" and not is_for(key.public.group, _ciphertext(sought)):
            raise NotFound(f"this is not sealed to key {name}", hint="leave out --key")
        return key
    made = [entry.key for entry in quorum.records.all_keys() if entry.key is not None]
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
    if entry.request.type != "unlock":
        raise NotFound(
            "that is not a request to unlock", hint="list them with: quorate unlock list"
        )
    return entry


def _view(quorum: Quorum, entry: RequestEntry, untold: tuple[str, ...] = ()) -> UnlockView:
    unlocking, key = document_of(entry), quorum.records.key_of(entry.request.key)
    proofs = () if entry.result is None else wire.decode(entry.result, Opened).proofs
    return UnlockView(
        **dict(request_view(quorum, entry, untold)),
        mode=unlocking.sought.mode,
        record=unlocking.sought.record,
        needed=key.plan.min_signers,
        opener=unlocking.opener.member if unlocking.opener else "",
        risk=RISK if unlocking.sought.mode == "plain" else "",
        culprits=tuple(key.holder(proof.identifier).name for proof in proofs),
    )


def _decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedMessage("what is to be unlocked is not base64") from None
