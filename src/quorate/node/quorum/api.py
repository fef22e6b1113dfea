"""The routes of keys, orders and the vault: this node's own staff, on the node's socket."""

from datetime import timedelta

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from quorate.errors import NotFound, Refused
from quorate.node.quorum.backup import make_backup, restore
from quorate.node.quorum.quorum import Quorum
from quorate.node.quorum.records import KeyEntry, RequestEntry
from quorate.node.quorum.views import (
    AliveView,
    AnswerBody,
    AnswerView,
    HolderView,
    KeyBody,
    KeyView,
    OrderBody,
    OrderView,
    PassphraseBody,
    RestoreBody,
    VaultView,
)
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.fhir import plain_words
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import KeyState, RequestState
from quorate.quorum.order import order_to_json


def add_quorum(app: FastAPI, quorum: Quorum) -> None:
    """Add all routes of keys and orders."""
    _add_vault(app, quorum)
    _add_keys(app, quorum)
    _add_shares(app, quorum)
    _add_orders(app, quorum)


def _add_vault(app: FastAPI, quorum: Quorum) -> None:
    @app.get("/vault")
    async def vault() -> VaultView:
        return VaultView(vault=quorum.custody.state)

    @app.post("/vault")
    async def unlock(body: PassphraseBody) -> VaultView:
        await quorum.unlock(body.passphrase)
        return VaultView(vault=quorum.custody.state)

    @app.post("/vault/passphrase")
    async def change(body: PassphraseBody) -> VaultView:
        await quorum.custody.change(body.passphrase)
        return VaultView(vault=quorum.custody.state)


def _add_keys(app: FastAPI, quorum: Quorum) -> None:
    keys, records = quorum.keys, quorum.records

    @app.get("/keys")
    async def all_keys() -> tuple[KeyView, ...]:
        return tuple(_key_view(quorum, entry) for entry in records.all_keys())

    @app.post("/keys")
    async def propose(body: KeyBody) -> KeyView:
        members = body.members or quorum.desk.group.names
        entry, untold = await keys.propose(body.name, members, body.rule, body.purpose, body.reason)
        return _key_view(quorum, entry, untold)

    @app.get("/keys/{name}")
    async def key(name: str) -> KeyView:
        return _key_view(quorum, records.find_key(name))

    @app.post("/keys/{name}/approve")
    async def approve(name: str, body: AnswerBody) -> KeyView:
        digest = records.find_key(name).plan.digest()
        entry, untold = await keys.answer(digest, "approve", body.reason)
        return _key_view(quorum, entry, untold)

    @app.post("/keys/{name}/decline")
    async def decline(name: str, body: AnswerBody) -> KeyView:
        digest = records.find_key(name).plan.digest()
        entry, untold = await keys.answer(digest, "decline", body.reason)
        return _key_view(quorum, entry, untold)


def _add_shares(app: FastAPI, quorum: Quorum) -> None:
    @app.post("/keys/{name}/check")
    async def check(name: str) -> tuple[AliveView, ...]:
        found = await quorum.heartbeats.check(_made(quorum, name))
        return tuple(
            AliveView(member=one.member, alive=not one.trouble, trouble=one.trouble)
            for one in found
        )

    @app.post("/keys/{name}/backup")
    async def backup(name: str, body: PassphraseBody) -> PlainTextResponse:
        key = _made(quorum, name)
        text = await make_backup(quorum.desk, quorum.custody, key, body.passphrase)
        return PlainTextResponse(text, media_type="application/json")

    @app.post("/shares")
    async def restore_share(body: RestoreBody) -> KeyView:
        key = await restore(quorum.desk, quorum.custody, quorum.keys, body.backup, body.passphrase)
        return _key_view(quorum, quorum.records.key(key.plan.digest()))


def _add_orders(app: FastAPI, quorum: Quorum) -> None:
    records = quorum.records

    @app.get("/orders")
    async def orders() -> tuple[OrderView, ...]:
        quorum.requests.expire()
        entries = (e for e in records.all_requests() if e.request.type == "order")
        return tuple(_order_view(quorum, entry) for entry in entries)

    @app.post("/orders")
    async def propose(body: OrderBody) -> OrderView:
        key = _made(quorum, body.key)
        entry, untold = await quorum.requests.propose(
            "order", key, body.document.encode(), body.reason, timedelta(hours=body.hours)
        )
        return _order_view(quorum, entry, untold)

    @app.get("/orders/{prefix}")
    async def order(prefix: str) -> OrderView:
        quorum.requests.expire()
        return _order_view(quorum, _found(quorum, prefix))

    @app.post("/orders/{prefix}/approve")
    async def approve(prefix: str, body: AnswerBody) -> OrderView:
        digest = _found(quorum, prefix).request.digest()
        _, untold = await quorum.requests.answer(digest, "approve", body.reason)
        await quorum.signing.finished(digest)
        return _order_view(quorum, records.request(digest), untold)

    @app.post("/orders/{prefix}/decline")
    async def decline(prefix: str, body: AnswerBody) -> OrderView:
        digest = _found(quorum, prefix).request.digest()
        entry, untold = await quorum.requests.answer(digest, "decline", body.reason)
        return _order_view(quorum, entry, untold)

    @app.post("/orders/{prefix}/sign")
    async def sign(prefix: str) -> OrderView:
        entry = _found(quorum, prefix)
        if entry.state is RequestState.APPROVED:
            await quorum.signing.start(entry.request.digest())
        return _order_view(quorum, records.request(entry.request.digest()))

    @app.get("/orders/{prefix}/file")
    async def file(prefix: str) -> PlainTextResponse:
        text = order_to_json(quorum.orders.order(_found(quorum, prefix)))
        return PlainTextResponse(text, media_type="application/json")


def _made(quorum: Quorum, name: str) -> Key:
    """Return the key of that name, if it exists already. Raises `NotFound`, `Refused`."""
    entry = quorum.records.find_key(name)
    if entry.key is None:
        raise Refused(
            f"key {entry.plan.name} is {entry.state.value}: it does not exist yet",
            hint=f"quorate key show {entry.plan.name}",
        )
    return entry.key


def _found(quorum: Quorum, prefix: str) -> RequestEntry:
    entry = quorum.records.find_request(prefix)
    if entry.request.type != "order":
        raise NotFound("that is not an order", hint="list them with: quorate order list")
    return entry


def _key_view(quorum: Quorum, entry: KeyEntry, untold: tuple[str, ...] = ()) -> KeyView:
    plan, key = entry.plan, entry.key
    has_share = key is not None and quorum.custody.has_share(key.key_id())
    return KeyView(
        id=plan.short_id,
        digest=plan.digest().hex(),
        name=plan.name,
        purpose=plan.purpose,
        rule=str(plan.rule),
        warning=plan.rule.warning,
        state=entry.state.value,
        note=entry.note,
        proposer=plan.proposer,
        created=plan.created,
        expires=plan.expires,
        holders=tuple(
            HolderView(name=h.name, operator=h.operator, public_key=h.public_key.hex())
            for h in plan.holders
        ),
        answers=_answer_views(quorum.records.answers(plan.digest())),
        waits_for=quorum.keys.waits_for(entry) if entry.state is not KeyState.READY else (),
        key_id="" if key is None else key.key_id().hex(),
        public_key="" if key is None else key.public.group.hex(),
        share="sealed" if has_share else "",
        untold=untold,
    )


def _order_view(quorum: Quorum, entry: RequestEntry, untold: tuple[str, ...] = ()) -> OrderView:
    request, records = entry.request, quorum.records
    key = records.key_of(request.key)
    answers = records.answers(request.digest())
    answered = {signed.answer.member for signed in answers}
    order = None if entry.result is None else quorum.orders.order(entry)
    return OrderView(
        id=request.short_id,
        digest=request.digest().hex(),
        key=key.plan.name,
        rule=str(key.plan.rule),
        requester=request.requester,
        reason=request.reason,
        created=request.created,
        expires=request.expires,
        state=entry.state.value,
        note=entry.note,
        words=plain_words(entry.document.decode()),
        document=entry.document.decode(),
        subject=request.subject.hex(),
        holders=key.plan.names,
        answers=_answer_views(answers),
        waits_for=tuple(name for name in key.plan.names if name not in answered),
        signature="" if order is None else order.signature.hex(),
        message=request.message().hex(),
        untold=untold,
    )


def _answer_views(answers: tuple[SignedAnswer, ...]) -> tuple[AnswerView, ...]:
    return tuple(
        AnswerView(member=a.member, word=a.word, reason=a.reason, time=a.time)
        for a in (signed.answer for signed in answers)
    )
