"""Orders among real nodes: answered, signed, passed on; whoever is missing or cheats is named."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from quorate.errors import NotFound, Refused, Unavailable
from quorate.node.quorum.messages import Asked, Commit, Sign
from quorate.node.quorum.records import RequestEntry
from quorate.node.quorum.signer import Signer
from quorate.quorum.answer import Answer, SignedAnswer, sign_answer
from quorate.quorum.key import Key
from quorate.quorum.lifecycle import RequestState
from quorate.quorum.order import verify_order
from quorate.quorum.request import sign_request
from quorate.studies.times import utc_text
from quorate.threshold import frost
from quorate.threshold.frost import NonceCommitment
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    decline,
    in_a_clinic,
    propose,
    signed_everywhere,
    state_at,
    tamper,
    up_with_key,
)
from tests.node.three import NOW, Hospital, connected, make_homes, until, up
from tests.quorum.dealt import DOCUMENT, ROLES, altered_expiry


def test_an_order_is_signed_when_enough_holders_have_approved() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        entry = await propose(nodes["doctor"], key)
        digest = entry.request.digest()
        assert state_at(nodes["nurse"], digest) is RequestState.OPEN
        await approve(nodes["nurse"], digest)
        await signed_everywhere(nodes, digest)
        for node in nodes.values():
            order = node.quorum.orders.order(node.quorum.records.request(digest))
            verify_order(order, node.desk.group)
            assert [s.answer.member for s in order.answers] == ["doctor", "nurse"]
            assert [s.answer.reason for s in order.answers][1] == "checked the dose"
        assert nodes["laboratory"].events()[-1] == "order signed"
        assert nodes["doctor"].events().count("share given") == 1
        assert "pharmacist" not in nodes["doctor"].details()

    in_a_clinic(body, (*ROLES, "laboratory"))


def test_who_holds_no_share_proposes_and_does_not_answer() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        entry = await propose(nodes["laboratory"], key)
        digest = entry.request.digest()
        with pytest.raises(NotFound, match="laboratory holds no share"):
            await approve(nodes["laboratory"], digest)
        await approve(nodes["pharmacist"], digest)
        assert state_at(nodes["doctor"], digest) is RequestState.OPEN
        await approve(nodes["doctor"], digest)
        await signed_everywhere(nodes, digest)

    in_a_clinic(body, (*ROLES, "laboratory"))


def test_an_order_that_too_many_decline_is_over() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        entry = await propose(nodes["doctor"], key)
        digest = entry.request.digest()
        await decline(nodes["nurse"], digest)
        assert state_at(nodes["doctor"], digest) is RequestState.OPEN
        with pytest.raises(Refused, match="has answered"):
            await approve(nodes["nurse"], digest)
        await decline(nodes["pharmacist"], digest)
        for node in nodes.values():
            assert state_at(node, digest) is RequestState.DECLINED
            assert "allergy" in node.details()

    in_a_clinic(body)


def test_members_that_were_away_hear_of_orders_and_sign_when_they_are_back() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes) as (_, key):
            pass
        async with up(homes[0]) as doctor:
            await doctor.quorum.custody.unlock(PASSPHRASE)
            entry = await propose(doctor, key)
            digest = entry.request.digest()
            async with up(homes[1]) as pharmacist:
                await pharmacist.quorum.custody.unlock(PASSPHRASE)
                await until(lambda: state_at(pharmacist, digest) is RequestState.OPEN)
                await approve(pharmacist, digest)
                await signed_everywhere({"doctor": doctor, "pharmacist": pharmacist}, digest)
            async with up(homes[2]) as nurse:
                await until(lambda: state_at(nurse, digest) is RequestState.SIGNED)

    asyncio.run(main())


def test_an_order_waits_for_a_signer_whose_node_is_down_and_says_so() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes) as (nodes, key):
            entry = await propose(nodes["doctor"], key)
            digest = entry.request.digest()
            nodes["doctor"].quorum.custody.opened = None  # restarted without the passphrase
            await approve(nodes["pharmacist"], digest)
            await until(lambda: bool(nodes["pharmacist"].quorum.records.request(digest).note))
            note = nodes["pharmacist"].quorum.records.request(digest).note
            assert "doctor: this node has its shares locked" in note
            assert state_at(nodes["pharmacist"], digest) is RequestState.APPROVED
            await approve(nodes["nurse"], digest)  # another set of signers
            await signed_everywhere(nodes, digest)

    asyncio.run(main())


def test_who_sends_a_wrong_share_is_named_with_proof_and_others_sign() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        await tamper(nodes["nurse"], key)
        entry = await propose(nodes["doctor"], key)
        digest = entry.request.digest()
        await approve(nodes["nurse"], digest)
        await until(lambda: "cheating proven" in nodes["nurse"].events())
        await until(lambda: "nurse cheated" in nodes["nurse"].quorum.records.request(digest).note)
        assert state_at(nodes["doctor"], digest) is RequestState.APPROVED
        await approve(nodes["pharmacist"], digest)
        await signed_everywhere(nodes, digest)

    in_a_clinic(body)


def test_a_signer_that_answers_in_anothers_place_is_left_out() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        nurse = nodes["nurse"].quorum.custody
        stolen = nodes["pharmacist"].quorum.custody.share(key.key_id())
        nurse.keep(f"share {key.key_id().hex()}", stolen)
        entry = await propose(nodes["doctor"], key)
        digest = entry.request.digest()
        await approve(nodes["nurse"], digest)
        await until(
            lambda: (
                "nurse answered in another" in nodes["nurse"].quorum.records.request(digest).note
            )
        )

    in_a_clinic(body)


def forged(nodes: Clinic, entry: RequestEntry) -> dict[str, Asked]:
    """What a member, the nurse, might send to the doctor about the doctor's own request."""
    request, nurse = entry.request, nodes["nurse"].home.identity
    text = entry.document
    answer = Answer(
        request.digest(), "pharmacist", "approve", "yes", utc_text(NOW), request.expires
    )
    by_pharmacist = sign_answer(nodes["pharmacist"].home.identity, answer)
    later = altered_expiry(request, timedelta(days=1))
    other = replace(request, reason="another")
    of_other = replace(answer, subject=other.digest())
    return {
        "a forged answer": Asked(request, text, entry.signature, (sign_answer(nurse, answer),)),
        "an answer to an altered request": Asked(
            later, text, sign_request(nodes["doctor"].home.identity, later), (by_pharmacist,)
        ),
        "a request altered without its requester": Asked(other, text, entry.signature, ()),
        "a request in another's name": Asked(other, text, sign_request(nurse, other), ()),
        "an answer to another request": Asked(
            request,
            text,
            entry.signature,
            (sign_answer(nodes["pharmacist"].home.identity, of_other),),
        ),
        "an answer of who holds no share": Asked(
            request,
            text,
            entry.signature,
            (sign_answer(nodes["laboratory"].home.identity, replace(answer, member="laboratory")),),
        ),
        "another document": Asked(
            replace(request, nonce=bytes(16)),
            text + b" ",
            sign_request(nodes["doctor"].home.identity, replace(request, nonce=bytes(16))),
            (),
        ),
    }


def test_forged_altered_and_replayed_words_sign_nothing() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        entry = await propose(nodes["doctor"], key)
        digest = entry.request.digest()
        for how, asked in forged(nodes, entry).items():
            with pytest.raises(Refused):
                await nodes["nurse"].desk.tell(0, "request", asked)
            assert state_at(nodes["doctor"], digest) is RequestState.OPEN, how
        answers = nodes["doctor"].quorum.records.answers(digest)
        assert [signed.answer.member for signed in answers] == ["doctor"]
        earlier = nodes["doctor"].quorum.records.request(digest)
        again = await propose(nodes["doctor"], key)  # the same document, another nonce
        replayed = Asked(
            again.request,
            DOCUMENT.encode(),
            again.signature,
            nodes["nurse"].quorum.records.answers(earlier.request.digest()),
        )
        with pytest.raises(Refused):
            await nodes["nurse"].desk.tell(0, "request", replayed)

    in_a_clinic(body, (*ROLES, "laboratory"))


def test_a_request_that_is_over_is_neither_answered_nor_signed() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes) as (nodes, key):
            entry = await propose(nodes["doctor"], key, hours=1)
            digest = entry.request.digest()
            answers = nodes["doctor"].quorum.records.answers(digest)
        later = timedelta(hours=2)
        async with connected(*homes, clock_off=later) as hospitals:
            doctor, pharmacist, _ = hospitals
            for node in hospitals:
                await node.quorum.custody.unlock(PASSPHRASE)
            with pytest.raises(Refused, match="its time is over"):
                await approve(pharmacist, digest)
            assert "request expired" in pharmacist.events()
            given = Answer(
                digest, "pharmacist", "approve", "late", utc_text(NOW), entry.request.expires
            )
            words = (*answers, sign_answer(homes[1].identity, given))
            with pytest.raises(Refused, match="is over since"):
                await ask_commit(pharmacist, doctor, digest, words)

    asyncio.run(main())


async def ask_commit(
    asker: Hospital, asked: Hospital, digest: bytes, words: tuple[SignedAnswer, ...]
) -> NonceCommitment:
    question = Commit(digest, bytes(32), words)
    return await asker.desk.peers.ask(
        asked.desk.me, "commit", question, NonceCommitment, timeout_s=3
    )


def test_below_the_quorum_no_node_commits() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        entry = await propose(nodes["doctor"], key)
        with pytest.raises(Refused, match="is open"):
            await ask_commit(nodes["nurse"], nodes["doctor"], entry.request.digest(), ())
        with pytest.raises(Refused, match="no such request"):
            await ask_commit(nodes["nurse"], nodes["doctor"], bytes(32), ())

    in_a_clinic(body)


def test_control_a_signer_that_does_not_check_signs_what_nobody_approved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unchecked(signer: Signer, digest: bytes) -> RequestEntry:
        return signer.records.request(digest)

    async def body(nodes: Clinic, key: Key) -> None:
        entry = await propose(nodes["laboratory"], key)
        digest, session = entry.request.digest(), bytes(32)
        signers = [nodes[name].quorum.signer for name in ("doctor", "pharmacist")]
        with pytest.raises(Refused, match="is open"):
            signers[0].commit(2, Commit(digest, session, ()))
        monkeypatch.setattr(Signer, "_may_sign", unchecked)
        monkeypatch.setattr(Signer, "_check_signers", lambda *_: None)
        commitments = tuple(one.commit(2, Commit(digest, session, ())) for one in signers)
        shares = [one.sign(2, Sign(session, commitments)).share for one in signers]
        package = frost.package(entry.request.message(), commitments)
        signature = frost.aggregate(key.public, package, shares)
        frost.verify(key.public.group, entry.request.message(), signature)

    in_a_clinic(body, (*ROLES, "laboratory"))


def test_who_has_not_approved_does_not_sign_even_if_enough_others_did() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        entry = await propose(nodes["doctor"], key)
        digest = entry.request.digest()
        nodes["doctor"].quorum.custody.opened = None
        await approve(nodes["nurse"], digest)
        words = nodes["nurse"].quorum.records.answers(digest)
        with pytest.raises(Refused, match="pharmacist has not approved"):
            await ask_commit(nodes["nurse"], nodes["pharmacist"], digest, words)

    in_a_clinic(body)


def test_a_locked_node_starts_and_says_so() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes) as (_, key):
            pass
        async with up(homes[0]) as doctor:
            assert doctor.quorum.custody.state == "locked"
            with pytest.raises(Unavailable, match="has its shares locked"):
                doctor.quorum.custody.share(key.key_id())
            with pytest.raises(Refused, match="passphrase is wrong"):
                await doctor.quorum.custody.unlock("wrong horse battery")
            await doctor.quorum.custody.unlock(PASSPHRASE)
            doctor.quorum.custody.share(key.key_id()).verify()

    asyncio.run(main())


def test_a_share_is_nowhere_in_the_folder_log_answers_or_errors() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        async with up_with_key(*homes) as (nodes, key):
            entry = await propose(nodes["doctor"], key)
            await approve(nodes["nurse"], entry.request.digest())
            await signed_everywhere(nodes, entry.request.digest())
            secrets = {n: nodes[n].quorum.custody.share(key.key_id()).secret for n in ROLES}
            shown = repr(nodes["doctor"].quorum.custody) + repr(
                nodes["doctor"].quorum.custody.share(key.key_id())
            )
        for home in homes:
            secret = secrets[home.name]
            assert secret.hex() not in shown
            for path in home.folder.iterdir():
                if path.is_file():
                    content = path.read_bytes()
                    assert bytes(secret) not in content, path
                    assert secret.hex().encode() not in content, path

    asyncio.run(main())


def test_one_member_cannot_fill_the_others_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quorate.node.quorum.requests.MAX_OPEN", 3)

    async def body(nodes: Clinic, key: Key) -> None:
        for _ in range(3):
            await propose(nodes["nurse"], key)
        with pytest.raises(Refused, match="3 requests of nurse wait"):
            await propose(nodes["nurse"], key)
        await propose(nodes["doctor"], key)

    in_a_clinic(body)
