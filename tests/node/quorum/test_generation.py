"""Keys made among real nodes: with everybody's word, with members away, against cheats."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra.edwards25519 import Scalar
from quorate.errors import Refused, Unavailable
from quorate.node.home import Home
from quorate.node.quorum.keys import Wanted
from quorate.node.quorum.records import KeyEntry
from quorate.quorum.key import Key, verify_key
from quorate.quorum.key_plan import KeyPlan
from quorate.quorum.lifecycle import KeyState
from quorate.quorum.posting import (
    CONFIRMATION,
    DEALING,
    STATIC,
    Body,
    Confirmed,
    Posting,
    StaticKey,
    make_posting,
    make_static_key,
)
from quorate.threshold import dkg
from quorate.threshold.dkg import Confirmation
from quorate.threshold.setup import Setup, SignedDealing, sign_dealing, static_key
from tests.node.quorum.clinic import PASSPHRASE, Clinic, approve, propose, signed_everywhere
from tests.node.three import Hospital, connected, make_homes, until, up
from tests.quorum.dealt import ROLES


def among(body: Callable[[Clinic], Awaitable[None]], names: tuple[str, ...] = ROLES) -> None:
    """Run `body` among connected nodes whose vaults are open."""

    async def main() -> None:
        async with connected(*make_homes(names)) as hospitals:
            for node in hospitals:
                await node.quorum.unlock(PASSPHRASE)
            await body({node.home.name: node for node in hospitals})

    asyncio.run(main())


async def planned(node: Hospital, name: str = "medication", rule: str = "2 of 3") -> KeyEntry:
    entry, _ = await node.quorum.keys.propose(
        Wanted(name, ROLES, rule, "sign"), "orders of the ward"
    )
    return entry


async def accept(node: Hospital, digest: bytes) -> None:
    await node.quorum.keys.answer(digest, "approve", "agreed")


def state_of(node: Hospital, digest: bytes) -> KeyState:
    return node.quorum.records.key(digest).state


def note_of(node: Hospital, digest: bytes) -> str:
    return node.quorum.records.key(digest).note


async def failed(node: Hospital, digest: bytes) -> str:
    """Wait until a node has given a key up, and return why."""
    await until(lambda: state_of(node, digest) is KeyState.FAILED)
    return note_of(node, digest)


async def ready(nodes: Clinic, digest: bytes) -> Key:
    """Wait until all nodes have the key, and return it."""
    await until(lambda: all(state_of(n, digest) is KeyState.READY for n in nodes.values()), 10)
    keys = [node.quorum.records.key(digest).key for node in nodes.values()]
    assert keys[0] is not None
    assert all(key == keys[0] for key in keys)
    return keys[0]


def test_a_key_is_made_when_every_holder_has_accepted_and_then_it_signs() -> None:
    async def body(nodes: Clinic) -> None:
        entry = await planned(nodes["doctor"])
        digest = entry.plan.digest()
        await accept(nodes["nurse"], digest)
        assert (
            nodes["nurse"].quorum.records.board(entry.plan).postings == ()
        )  # not before all accepted
        await accept(nodes["pharmacist"], digest)
        key = await ready(nodes, digest)
        verify_key(key, nodes["doctor"].desk.group)
        for name in ROLES:
            nodes[name].quorum.custody.share(key.key_id()).verify()
            assert nodes[name].quorum.records.sealed(f"generation {digest.hex()}") is None
        assert not nodes["laboratory"].quorum.custody.has_share(key.key_id())
        order = await propose(nodes["laboratory"], key)
        for name in ("nurse", "pharmacist"):
            await approve(nodes[name], order.request.digest())
        await signed_everywhere(nodes, order.request.digest())

    among(body, (*ROLES, "laboratory"))


def test_who_declines_a_key_ends_it() -> None:
    async def body(nodes: Clinic) -> None:
        digest = (await planned(nodes["doctor"])).plan.digest()
        await nodes["nurse"].quorum.keys.answer(digest, "decline", "too few of us")
        for node in nodes.values():
            assert (state_of(node, digest), note_of(node, digest)) == (
                KeyState.REFUSED,
                "declined by nurse",
            )
        with pytest.raises(Refused, match="a holder declined it"):
            await accept(nodes["pharmacist"], digest)
        await planned(nodes["doctor"])  # the name is free again

    among(body)


def test_one_name_is_one_key() -> None:
    async def body(nodes: Clinic) -> None:
        await planned(nodes["doctor"])
        with pytest.raises(Refused, match="a key named medication already"):
            await planned(nodes["pharmacist"])
        with pytest.raises(Refused, match="a key named group is one that all members hold"):
            await nodes["doctor"].quorum.keys.propose(
                Wanted("group", ROLES[:2], "2 of 2", "sign"), "x"
            )

    among(body)


def test_without_an_open_vault_no_key_is_accepted() -> None:
    async def body(nodes: Clinic) -> None:
        digest = (await planned(nodes["doctor"])).plan.digest()
        nodes["nurse"].quorum.custody.opened = None
        with pytest.raises(Unavailable, match="has its shares locked"):
            await accept(nodes["nurse"], digest)

    among(body)


def test_two_shares_under_one_operator_are_refused() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        group = homes[0].group
        assert group is not None
        members = tuple(replace(m, operator="clinic-it") for m in group.members)
        for home in homes:
            home.operator = "clinic-it"
            (home.folder / "group.json").unlink()
            home.join(replace(group, members=members))
        async with connected(*homes) as hospitals:
            await hospitals[0].quorum.unlock(PASSPHRASE)
            with pytest.raises(Refused, match="have one operator"):
                await planned(hospitals[0])

    asyncio.run(main())


def test_a_generation_waits_for_who_is_away_and_goes_on_after_restarts() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with opened(homes[0]) as doctor, opened(homes[1]) as pharmacist:
            await until(lambda: _sees(doctor, pharmacist))
            async with opened(homes[2]) as nurse:
                await until(lambda: _sees(doctor, nurse) and _sees(pharmacist, nurse))
                plan = (await planned(doctor)).plan
                digest = plan.digest()
                await accept(nurse, digest)
            await until(lambda: not _sees(pharmacist, nurse))
            await accept(pharmacist, digest)
            await until(lambda: len(doctor.quorum.records.board(plan).postings) == 2)
            assert doctor.quorum.keys.waits_for(doctor.quorum.records.key(digest)) == ("nurse",)
        async with opened(homes[2]) as nurse, opened(homes[0]) as doctor:
            await until(lambda: len(doctor.quorum.records.board(plan).postings) >= 4)
            assert state_of(doctor, digest) is KeyState.GENERATING
        async with up(homes[1]) as pharmacist, opened(homes[0]) as doctor:
            await until(lambda: _sees(doctor, pharmacist))
            assert state_of(doctor, digest) is KeyState.GENERATING  # a vault is locked
            await pharmacist.quorum.unlock(PASSPHRASE)
            async with opened(homes[2]) as nurse:
                nodes = {"doctor": doctor, "pharmacist": pharmacist, "nurse": nurse}
                key = await ready(nodes, digest)
                for node in nodes.values():
                    node.quorum.custody.share(key.key_id()).verify()

    asyncio.run(main())


class opened:  # noqa: N801 - reads as the function it stands for
    """One member's node with its vault open."""

    def __init__(self, home: Home) -> None:
        self.context = up(home)

    async def __aenter__(self) -> Hospital:
        node = await self.context.__aenter__()
        await node.quorum.unlock(PASSPHRASE)
        return node

    async def __aexit__(self, *error: object) -> None:
        await self.context.__aexit__(*error)  # type: ignore[arg-type]


def _sees(node: Hospital, other: Hospital) -> bool:
    return node.desk.peers.peers[other.desk.me].ready.is_set()


def test_a_key_nobody_finishes_expires_and_says_for_whom_it_waited() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with opened(homes[0]) as doctor:
            digest = (await planned(doctor)).plan.digest()
        async with up(homes[0], timedelta(days=8)) as doctor:
            doctor.quorum.look_again()
            assert state_of(doctor, digest) is KeyState.EXPIRED
            assert "it waited for pharmacist, nurse" in note_of(doctor, digest)

    asyncio.run(main())


# Attacks

Deal = Callable[[Setup, Scalar, Ed25519PrivateKey, Callable[[int], bytes]], SignedDealing]


def test_who_deals_a_share_that_does_not_open_is_named_by_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest: Deal = dkg.round1

    async def body(nodes: Clinic) -> None:
        cheat = nodes["nurse"].home.identity

        def deal(
            setup: Setup,
            static: Scalar,
            identity: Ed25519PrivateKey,
            randomness: Callable[[int], bytes],
        ) -> SignedDealing:
            signed = honest(setup, static, identity, randomness)
            if identity is not cheat:
                return signed
            texts = signed.dealing.ciphertexts
            false = replace(signed.dealing, ciphertexts=(bytes(len(texts[0])), *texts[1:]))
            return sign_dealing(setup, 3, false, identity)

        monkeypatch.setattr(dkg, "round1", deal)
        digest = (await planned(nodes["doctor"])).plan.digest()
        await accept(nodes["nurse"], digest)
        await accept(nodes["pharmacist"], digest)
        for node in nodes.values():
            assert (await failed(node, digest)).startswith("nurse cheated: ")
            assert "cheating proven" in node.events()
        await planned(nodes["doctor"])  # another plan begins afresh

    among(body)


class TwoFaced:
    """The nurse, who answers by hand while its node's vault is locked."""

    def __init__(self, nodes: Clinic, plan: KeyPlan) -> None:
        self.nodes, self.plan, self.nurse = nodes, plan, nodes["nurse"]
        self.static = static_key(os.urandom(32))

    async def tell(self, to: str, number: int, body: Body) -> None:
        posting = make_posting(self.nurse.home.identity, self.plan.digest(), number, "nurse", body)
        await self.nurse.desk.tell(self.nodes[to].desk.me, "posting", posting)

    async def post_static(self) -> Setup:
        mine = make_static_key(self.plan, "nurse", self.static)
        for to in ("doctor", "pharmacist"):
            await self.tell(to, STATIC, mine)
        board = self.nodes["doctor"].quorum.records.board
        await until(lambda: len(board(self.plan).of(DEALING, SignedDealing)) == 2)
        return board(self.plan).setup()

    def dealing(self, setup: Setup) -> SignedDealing:
        return dkg.round1(setup, self.static, self.nurse.home.identity, os.urandom)


def with_a_two_faced_nurse(body: Callable[[Clinic, TwoFaced], Awaitable[None]]) -> None:
    async def main(nodes: Clinic) -> None:
        plan = (await planned(nodes["doctor"])).plan
        await accept(nodes["nurse"], plan.digest())
        nodes["nurse"].quorum.custody.opened = None
        await accept(nodes["pharmacist"], plan.digest())
        await body(nodes, TwoFaced(nodes, plan))

    among(main)


def test_who_deals_two_holders_different_polynomials_is_named_by_both() -> None:
    async def body(nodes: Clinic, nurse: TwoFaced) -> None:
        setup = await nurse.post_static()
        await nurse.tell("doctor", DEALING, nurse.dealing(setup))
        await nurse.tell("pharmacist", DEALING, nurse.dealing(setup))
        for name in ("doctor", "pharmacist"):
            note = await failed(nodes[name], nurse.plan.digest())
            assert note.startswith("nurse cheated: posted two different things")

    with_a_two_faced_nurse(body)


def test_control_without_comparing_postings_two_stories_blame_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    generation = "quorate.node.quorum.generation.Generation"
    monkeypatch.setattr(f"{generation}._compare", lambda *_: None)

    async def body(nodes: Clinic, nurse: TwoFaced) -> None:
        setup = await nurse.post_static()
        for to in ("doctor", "pharmacist"):
            await nurse.tell(to, DEALING, nurse.dealing(setup))
        board = nodes["doctor"].quorum.records.board
        await until(lambda: len(board(nurse.plan).of(CONFIRMATION, Confirmed)) == 2)
        for name in ("doctor", "pharmacist"):
            assert state_of(nodes[name], nurse.plan.digest()) is KeyState.GENERATING

    with_a_two_faced_nurse(body)


def test_postings_that_are_not_their_holders_own_are_refused() -> None:
    async def body(nodes: Clinic, nurse: TwoFaced) -> None:
        plan, doctor = nurse.plan, nodes["doctor"]
        copied = doctor.quorum.records.board(plan).of(STATIC, StaticKey)["doctor"]
        mine = make_static_key(plan, "nurse", nurse.static)
        identity, digest = nodes["nurse"].home.identity, plan.digest()
        false = {
            "another's static key": make_posting(identity, digest, STATIC, "nurse", copied),
            "in another's name": make_posting(identity, digest, STATIC, "doctor", mine),
            "of who holds no share": make_posting(identity, digest, STATIC, "lab", mine),
            "of another step": make_posting(identity, digest, DEALING, "nurse", mine),
            "of no step": make_posting(identity, digest, 7, "nurse", mine),
            "of no key": make_posting(identity, bytes(32), STATIC, "nurse", mine),
            "not signed": Posting(digest, STATIC, "nurse", b"", bytes(64)),
        }
        for how, posting in false.items():
            with pytest.raises(Refused):
                await nodes["nurse"].desk.tell(doctor.desk.me, "posting", posting)
            kept = doctor.quorum.records.board(plan).of(STATIC, StaticKey)
            assert "nurse" not in kept, how

    with_a_two_faced_nurse(body)


def test_a_confirmation_that_was_made_up_makes_no_key() -> None:
    async def body(nodes: Clinic, nurse: TwoFaced) -> None:
        setup = await nurse.post_static()
        dealing = nurse.dealing(setup)
        for to in ("doctor", "pharmacist"):
            await nurse.tell(to, DEALING, dealing)
        board = nodes["doctor"].quorum.records.board
        await until(lambda: len(board(nurse.plan).of(CONFIRMATION, Confirmed)) == 2)
        seen = board(nurse.plan).of(CONFIRMATION, Confirmed)["doctor"]
        forged = Confirmed(Confirmation(seen.confirmation.transcript, bytes(64)), bytes(64))
        await nurse.tell("doctor", CONFIRMATION, forged)
        assert state_of(nodes["doctor"], nurse.plan.digest()) is KeyState.GENERATING
        assert "confirmation of 3 does not verify" in note_of(nodes["doctor"], nurse.plan.digest())

    with_a_two_faced_nurse(body)
