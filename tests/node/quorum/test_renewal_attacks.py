"""Who spoils, stops or leaves a key on its way to other hands: the key works, before or after."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra.edwards25519 import Scalar
from quorate.errors import Refused, Unavailable
from quorate.node.quorum.generation import Generation
from quorate.node.quorum.kept import Kept
from quorate.quorum.key import Key
from quorate.quorum.key_plan import KeyPlan
from quorate.quorum.lifecycle import KeyState
from quorate.quorum.posting import CONFIRMATION, DEALING, STATIC, Confirmed, Posting
from quorate.threshold import reshare
from quorate.threshold.keys import KeyShare
from quorate.threshold.setup import Setup, SignedDealing, sign_dealing
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    give_key,
    propose,
    signed_everywhere,
)
from tests.node.quorum.test_generation import failed, opened
from tests.node.quorum.test_renewals import in_five, refreshed, renewed_at
from tests.node.three import Hospital, make_homes, until, up
from tests.quorum.dealt import ROLES

Deal = Callable[[Setup, KeyShare, Scalar, Ed25519PrivateKey, Callable[[int], bytes]], SignedDealing]


async def proposed(nodes: Clinic, key: Key) -> KeyPlan:
    """Have the doctor propose new shares, and the others agree."""
    quorum = nodes["doctor"].quorum
    old = quorum.records.key(key.plan.digest())
    entry, _ = await quorum.renewals.refresh(old, "from time to time")
    for name in ROLES[1:]:
        await nodes[name].quorum.keys.answer(entry.plan.digest(), "approve", "agreed")
    return entry.plan


async def still_signs(nodes: Clinic, key: Key, by: tuple[str, str] = ("doctor", "nurse")) -> None:
    order = await propose(nodes[by[0]], key)
    await approve(nodes[by[1]], order.request.digest())
    await signed_everywhere(nodes, order.request.digest())


def serve_some_only(monkeypatch: pytest.MonkeyPatch, cheat: Ed25519PrivateKey) -> None:
    """Have the pharmacist, the second dealer, give the third holder a share that is none."""
    honest: Deal = reshare.round1

    def deal(
        setup: Setup,
        share: KeyShare,
        static: Scalar,
        identity: Ed25519PrivateKey,
        randomness: Callable[[int], bytes],
    ) -> SignedDealing:
        signed = honest(setup, share, static, identity, randomness)
        if identity is not cheat:
            return signed
        texts = signed.dealing.ciphertexts
        false = replace(signed.dealing, ciphertexts=(*texts[:2], bytes(len(texts[2]))))
        return sign_dealing(setup, 2, false, identity)

    monkeypatch.setattr(reshare, "round1", deal)


def test_a_dealer_that_serves_some_only_is_named_and_the_old_key_is_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        serve_some_only(monkeypatch, nodes["pharmacist"].home.identity)
        plan = await proposed(nodes, key)
        for node in nodes.values():
            assert (await failed(node, plan.digest())).startswith("pharmacist cheated: ")
            assert node.quorum.custody.has_share(key.key_id())
        await still_signs(nodes, key)

    in_five(body, names=ROLES)


def test_control_where_each_lets_its_old_share_go_alone_that_dealer_ends_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    careful = Generation._post

    def at_once(self: Generation, plan: KeyPlan, number: int, body: object, kept: Kept) -> Posting:
        posting = careful(self, plan, number, body, kept)  # type: ignore[arg-type]
        old = [e for e in self.records.all_keys() if e.state is KeyState.READY]
        if number == CONFIRMATION and old[0].key is not None:
            self.records.drop_sealed(f"share {old[0].key.key_id().hex()}")
        return posting

    monkeypatch.setattr(Generation, "_post", at_once)
    monkeypatch.setattr(Generation, "_judge", lambda *_: None)

    async def body(nodes: Clinic, key: Key) -> None:
        serve_some_only(monkeypatch, nodes["pharmacist"].home.identity)
        plan = await proposed(nodes, key)

        def have() -> list[str]:
            return [n for n in ROLES if nodes[n].quorum.custody.has_share(key.key_id())]

        await until(lambda: have() == ["nurse"])
        assert nodes["doctor"].quorum.records.key(plan.digest()).key is None

    in_five(body, names=ROLES)


STOPS = [
    (step, told) for step in (STATIC, DEALING, CONFIRMATION) for told in ("not kept", "not told")
]


@pytest.mark.parametrize(("step", "how"), [STOPS[-1]])
def test_a_holder_that_stops_when_it_is_ready_comes_back_to_new_shares(
    monkeypatch: pytest.MonkeyPatch, step: int, how: str
) -> None:
    asyncio.run(stops_at(monkeypatch, step, how))


@pytest.mark.slow
@pytest.mark.parametrize(("step", "how"), STOPS[:-1])
def test_wherever_a_holder_stops_the_old_key_works_and_then_the_new_one(
    monkeypatch: pytest.MonkeyPatch, step: int, how: str
) -> None:
    asyncio.run(stops_at(monkeypatch, step, how))


async def stops_at(monkeypatch: pytest.MonkeyPatch, step: int, how: str) -> None:
    """Stop the pharmacist's node at a stored step, sign with the old key, and start it again."""
    homes = make_homes(ROLES)
    async with opened(homes[0]) as doctor, opened(homes[2]) as nurse:
        two = {"doctor": doctor, "nurse": nurse}
        async with opened(homes[1]) as pharmacist:
            nodes = {**two, "pharmacist": pharmacist}
            for node in nodes.values():
                await node.desk.peers.wait_ready(10)
            key = await give_key(nodes, ROLES, 2)
            halted = halt(monkeypatch, pharmacist, step, how)
            plan = await proposed(nodes, key)
            await until(lambda: bool(halted))
        assert doctor.quorum.records.key(plan.digest()).state is KeyState.GENERATING
        await still_signs(two, key)
        monkeypatch.undo()
        async with up(homes[1]) as pharmacist:
            assert pharmacist.quorum.custody.has_share(key.key_id())
            await pharmacist.quorum.unlock(PASSPHRASE)
            nodes = {**two, "pharmacist": pharmacist}
            new = await renewed_at(nodes, plan.digest())
            for node in nodes.values():
                node.quorum.custody.share(new.key_id()).verify()
                assert not node.quorum.custody.has_share(key.key_id())
            await still_signs(nodes, new)


def halt(monkeypatch: pytest.MonkeyPatch, node: Hospital, step: int, how: str) -> list[int]:
    """Cut the power of one node at a step: before it is on the disk, or before it is told."""
    halted: list[int] = []
    generation = node.quorum.generation
    keep, tell = Generation._post, Generation._tell

    def post(self: Generation, plan: KeyPlan, number: int, body: object, kept: Kept) -> Posting:
        if self is generation and how == "not kept" and number == step:
            halted.append(number)
            raise Unavailable("the power went")
        return keep(self, plan, number, body, kept)  # type: ignore[arg-type]

    def told(self: Generation, plan: KeyPlan, postings: tuple[Posting, ...]) -> None:
        if self is generation and how == "not told" and postings[-1].round >= step:
            halted.append(step)
            return
        tell(self, plan, postings)

    monkeypatch.setattr(Generation, "_post", post)
    monkeypatch.setattr(Generation, "_tell", told)
    return halted


def test_who_said_ready_waits_and_a_holder_that_withdraws_sets_it_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        halted = halt(monkeypatch, nodes["nurse"], CONFIRMATION, "not kept")
        plan = await proposed(nodes, key)
        board = nodes["doctor"].quorum.records.board
        await until(lambda: bool(halted) and len(board(plan).of(CONFIRMATION, Confirmed)) == 2)
        with pytest.raises(Refused, match="said already that it is ready"):
            nodes["doctor"].quorum.generation.withdraw(plan.digest(), "no")
        nodes["nurse"].quorum.generation.withdraw(plan.digest(), "my disk is full")
        monkeypatch.undo()
        refused = [KeyState.REFUSED] * 3
        await until(
            lambda: [n.quorum.records.key(plan.digest()).state for n in nodes.values()] == refused
        )
        await still_signs(nodes, key)
        await still_signs(nodes, await refreshed(nodes, key))

    in_five(body, names=ROLES)
