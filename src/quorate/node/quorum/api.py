"""The routes of keys, orders, unlocking and the vault, for this node's own staff."""

from datetime import timedelta

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from quorate.errors import NotFound
from quorate.node.quorum.backup import make_backup, restore
from quorate.node.quorum.keys import Wanted
from quorate.node.quorum.quorum import Quorum
from quorate.node.quorum.records import KeyEntry, RequestEntry
from quorate.node.quorum.renewals import OtherHands
from quorate.node.quorum.request_views import (
    answer_views,
    made_key,
    request_view,
    roles_of,
    witnesses_of,
)
from quorate.node.quorum.unlock_api import add_unlocks
from quorate.node.quorum.views import (
    AliveView,
    AnswerBody,
    HolderView,
    KeyBody,
    KeyView,
    OrderBody,
    OrderView,
    PassphraseBody,
    RefreshBody,
    RenewalBody,
    RestoreBody,
    SuccessionBody,
    VaultView,
)
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import KEY_OPEN, KeyState, RequestState
from quorate.quorum.order import order_to_json, words_for
from quorate.quorum.request import SIGNED
from quorate.quorum.succeeding import message_of, succession_to_json
from quorate.threshold import plain
from quorate.threshold.access import UNREVIEWED
from quorate.threshold.age.keys import VERSION, Identity, Recipient
from quorate.threshold.recovery import MEANING
from quorate.wire import ABSENT


def add_quorum(app: FastAPI, quorum: Quorum) -> None:
    """Add all routes of keys, orders and unlocking."""
    _add_vault(app, quorum)
    _add_keys(app, quorum)
    _add_renewals(app, quorum)
    _add_shares(app, quorum)
    _add_orders(app, quorum)
    add_unlocks(app, quorum)


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
        wanted = Wanted(
            body.name,
            members,
            body.rule,
            body.purpose,
            body.recovery,
            body.witnesses,
            body.published,
            roles_of(body.policy, body.roles),
        )
        entry, untold = await keys.propose(wanted, body.reason)
        return _key_view(quorum, entry, untold)

    @app.get("/keys/{name}")
    async def key(name: str) -> KeyView:
        return _key_view(quorum, records.find_key(name))

    @app.post("/keys/{name}/approve")
    async def approve(name: str, body: AnswerBody) -> KeyView:
        digest = records.find_key(name, KEY_OPEN).plan.digest()
        entry, untold = await keys.answer(digest, "approve", body.reason)
        return _key_view(quorum, entry, untold)

    @app.post("/keys/{name}/decline")
    async def decline(name: str, body: AnswerBody) -> KeyView:
        entry = records.find_key(name, KEY_OPEN)
        digest = entry.plan.digest()
        if entry.state is KeyState.GENERATING and entry.plan.renews is not ABSENT:
            quorum.generation.withdraw(digest, body.reason)
            return _key_view(quorum, records.key(digest))
        entry, untold = await keys.answer(digest, "decline", body.reason)
        return _key_view(quorum, entry, untold)


def _add_renewals(app: FastAPI, quorum: Quorum) -> None:
    renewals, records = quorum.renewals, quorum.records

    @app.post("/keys/{name}/reshare")
    async def reshare(name: str, body: RenewalBody) -> KeyView:
        to = OtherHands(body.members, body.rule, roles_of(body.policy, body.roles))
        entry, untold = await renewals.reshare(records.find_key(name), to, body.reason)
        return _key_view(quorum, entry, untold)

    @app.post("/keys/{name}/refresh")
    async def refresh(name: str, body: RefreshBody) -> KeyView:
        entry, untold = await renewals.refresh(records.find_key(name), body.reason, body.lost)
        return _key_view(quorum, entry, untold)

    @app.post("/keys/{name}/succeed")
    async def succeed(name: str, body: SuccessionBody) -> tuple[OrderView, OrderView]:
        old, new = made_key(quorum, name), made_key(quorum, body.successor)
        lasts = timedelta(hours=body.hours)
        by_old, by_new = await quorum.successions.propose(old, new, body.reason, lasts)
        return _order_view(quorum, by_old), _order_view(quorum, by_new)

    @app.get("/keys/{name}/succession")
    async def succession(name: str) -> PlainTextResponse:
        signed = quorum.successions.of(made_key(quorum, name))
        return PlainTextResponse(succession_to_json(signed), media_type="application/json")


def _add_shares(app: FastAPI, quorum: Quorum) -> None:
    @app.post("/keys/{name}/check")
    async def check(name: str) -> tuple[AliveView, ...]:
        found = await quorum.heartbeats.check(made_key(quorum, name))
        return tuple(
            AliveView(member=one.member, alive=not one.trouble, trouble=one.trouble)
            for one in found
        )

    @app.post("/keys/{name}/backup")
    async def backup(name: str, body: PassphraseBody) -> PlainTextResponse:
        key = made_key(quorum, name)
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
        entries = (e for e in records.all_requests() if e.request.type in SIGNED)
        return tuple(_order_view(quorum, entry) for entry in entries)

    @app.post("/orders")
    async def propose(body: OrderBody) -> OrderView:
        key = made_key(quorum, body.key)
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


def _found(quorum: Quorum, prefix: str) -> RequestEntry:
    entry = quorum.records.find_request(prefix)
    if entry.request.type not in SIGNED:
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
        rule=plan.wanted,
        follows="" if plan.follows is ABSENT else plan.follows,
        dealers=() if plan.renews is ABSENT else tuple(d.name for d in plan.dealers),
        recovery=str(plan.recovery) if plan.purpose == "plain" else "",
        witnesses=witnesses_of(plan),
        warning=_warning(quorum, entry),
        state=entry.state.value,
        note=entry.note,
        proposer=plan.proposer,
        created=plan.created,
        expires=plan.expires,
        holders=tuple(
            HolderView(name=h.name, operator=h.operator, public_key=h.public_key.hex())
            for h in plan.holders
        ),
        answers=answer_views(quorum.records.answers(plan.digest())),
        waits_for=quorum.keys.waits_for(entry) if entry.state is not KeyState.READY else (),
        key_id="" if key is None else key.key_id().hex(),
        public_key="" if key is None else key.public.group.hex(),
        share="sealed" if has_share else "",
        recipient="" if key is None else _recipient(key),
        identity="" if key is None else _identity(quorum, key),
        untold=untold,
    )


def _warning(quorum: Quorum, entry: KeyEntry) -> str:
    """Return what whoever uses a key should know first."""
    if entry.plan.policy is not ABSENT:
        return UNREVIEWED
    if entry.plan.purpose != "plain":
        return entry.plan.rule.warning
    if entry.key is None:
        return plain.RISK
    has_it = quorum.recoveries.who_has(entry.key)
    return f"{', '.join(has_it)} has the whole key: {MEANING}" if has_it else plain.RISK


def _recipient(key: Key) -> str:
    """Return the line to which age seals."""
    if key.plan.purpose == "plain":
        return plain.recipient(key.public)
    sealed_to = Recipient(VERSION, key.public.group, "")
    return sealed_to.text() if key.plan.purpose == "unlock" else ""


def _identity(quorum: Quorum, key: Key) -> str:
    """Return the line with which age opens, by asking this node; it holds no secret."""
    identity = Identity(VERSION, key.public.group, str(quorum.desk.home.folder.absolute()))
    return identity.text() if key.plan.purpose == "unlock" else ""


def _order_view(quorum: Quorum, entry: RequestEntry, untold: tuple[str, ...] = ()) -> OrderView:
    order = None if entry.result is None else quorum.orders.order(entry)
    key = quorum.records.key_of(entry.request.key)
    return OrderView(
        **dict(request_view(quorum, entry, untold)),
        words=words_for(entry.request, entry.document.decode(), key),
        document=entry.document.decode(),
        subject=entry.request.subject.hex(),
        signature="" if order is None else order.signature.hex(),
        message=message_of(entry.request, entry.document.decode(), key).hex(),
    )
