"""Four of five give one member the whole key; three, who open files with it, do not."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.montgomery import u_of
from quorate.errors import Abort, Error, MalformedMessage, Refused, VerificationFailed
from quorate.quorum import recovery
from quorate.quorum.answer import SignedAnswer
from quorate.quorum.key import Key
from quorate.quorum.key_plan import check_plan
from quorate.quorum.recovery import (
    Recovered,
    Recovery,
    WrongShare,
    answer_recovery,
    check_recovery,
    sign_recovered,
    verify_recovered,
)
from quorate.quorum.request import Purpose, Request, make_request, sign_request
from quorate.quorum.unlock import Own, answer_unlock, check_unlock, identities
from quorate.threshold.age import bech32
from quorate.threshold.age.header import make_header
from quorate.threshold.answers import SealedAnswer, Sought, Whole, make_reply_key
from quorate.threshold.keys import KeyShare, seat
from quorate.threshold.recovery import HandedOver, Recovering, hand_over, read_share, recover
from quorate.threshold.recovery import Recovered as Found
from quorate.wire import ABSENT
from tests.quorum.dealt import NOW, WARD, deal, identity, plan_of, ward, word
from tests.quorum.test_unlock import KEY as SEALING_KEY
from tests.quorum.test_unlock import member, plain_asking
from tests.threshold.holders import KeptRegister
from tests.threshold.test_plain import wrap

LATER = NOW + timedelta(hours=1)
PLAN = replace(plan_of(ward(), WARD, 3, "plain"), recoverers=4)
KEY, SHARES = deal(PLAN, [identity(name) for name in WARD])
FOUR, THREE = WARD[:4], WARD[:3]


@dataclass(frozen=True)
class Asking:
    """The nurse's request for the whole key, and the secret to which she has shares sealed."""

    request: Request
    document: bytes
    secret: X25519PrivateKey

    def checked(self, key: Key = KEY) -> Recovery:
        return check_recovery(key, self.request, self.document, member(self.request.requester))

    def words(self, *names: str) -> list[SignedAnswer]:
        return [word(self.request, name) for name in names]

    def answer(
        self, name: str, words: Iterable[SignedAnswer], at: datetime = LATER
    ) -> SealedAnswer:
        return answer_recovery(self.checked(), share_of(name), identity(name), words, at)

    def recovered(self, answers: Sequence[SealedAnswer]) -> Found:
        document, digest = wire.decode(self.document, Recovering), self.request.digest()
        return recover(KEY.public, document, digest, self.secret, answers, identities(KEY))

    def told(self, proofs: tuple[WrongShare, ...] = (), by: Sequence[str] = FOUR) -> Recovered:
        return Recovered(
            self.request,
            self.document,
            sign_request(identity("nurse"), self.request),
            tuple(self.words(*by)),
            proofs,
            sign_recovered(identity("nurse"), self.request, proofs),
        )


def share_of(name: str) -> KeyShare:
    return SHARES[seat(KEY.plan.identifier(name))]


def about(document: bytes, by: str = "nurse", purpose: Purpose = "recover") -> Request:
    return make_request(
        purpose,
        KEY.key_id(),
        document,
        reason="the group ends",
        requester=by,
        now=NOW,
        lasts=timedelta(hours=24),
        randomness=os.urandom,
    )


def asking(whole: bytes | None = None) -> Asking:
    sought = Whole(whole or KEY.key_id())
    secret, reply = make_reply_key(identity("nurse"), "nurse", sought, os.urandom)
    document = wire.encode(Recovering(sought, reply))
    return Asking(about(document), document, secret)


def opens_alone(line: str) -> bool:
    """Return whether an identity's line is of the key that the group holds."""
    secret = X25519PrivateKey.from_private_bytes(bech32.decode(line)[1])
    return secret.public_key().public_bytes_raw() == u_of(KEY.public.group)


def test_four_who_approve_give_the_nurse_the_whole_key() -> None:
    ours = asking()
    words = ours.words(*FOUR)
    answers = [ours.answer(name, words) for name in FOUR]
    assert {len(wire.encode(one)) for one in answers} == {185}
    found = ours.recovered(answers)
    assert opens_alone(found.line)
    assert (found.culprits, found.suspects) == ((), ())
    assert found.line not in repr(found)
    with pytest.raises(Abort, match="2 shares are right, and 3"):
        ours.recovered(answers[:2])
    assert verify_recovered(KEY, ours.told(), member("nurse")).key is KEY


def test_as_many_as_open_a_file_do_not_give_the_key_away() -> None:
    ours = asking()
    for names in (THREE, (*THREE, "doctor")):
        with pytest.raises(Refused, match="3 holders approved, where 4 of 5 must"):
            ours.answer("doctor", ours.words(*names))
    declined = word(ours.request, "laboratory", "decline")
    with pytest.raises(Refused, match="3 holders"):
        ours.answer("doctor", [*ours.words(*THREE), declined])
    with pytest.raises(VerificationFailed, match="3 holders approved, where 4 of 5 must"):
        verify_recovered(KEY, ours.told(by=THREE), member("nurse"))
    with pytest.raises(Refused, match="this member has not approved"):
        ours.answer("reception", ours.words(*FOUR))


def test_control_under_the_rule_for_files_three_give_the_key_away() -> None:
    lower, ours = replace(KEY, plan=replace(PLAN, recoverers=3)), asking()
    checked, words = ours.checked(lower), ours.words(*THREE)
    answers = [answer_recovery(checked, share_of(n), identity(n), words, LATER) for n in THREE]
    assert opens_alone(ours.recovered(answers).line)


def test_a_key_whose_plan_says_nothing_is_recovered_by_all_only() -> None:
    silent = replace(PLAN, recoverers=ABSENT)
    assert str(silent.wanted_for("recover")) == "5 of 5"
    assert str(silent.wanted_for("unlock")) == "3 of 5"
    assert silent.digest() == plan_of(ward(), WARD, 3, "plain").digest()
    for wanted in (4, 5):
        check_plan(replace(PLAN, recoverers=wanted), ward())
    for wanted in (-1, 0, 3, 6):
        with pytest.raises(Refused, match="to recover a key"):
            check_plan(replace(PLAN, recoverers=wanted), ward())
    check_plan(replace(PLAN, min_signers=5, recoverers=5), ward())
    with pytest.raises(Refused, match="only a plain key is recovered"):
        check_plan(replace(PLAN, purpose="unlock"), ward())


def unlocking() -> tuple[Request, bytes]:
    """Return a request of the nurse to unlock one file, under the same key."""
    content = make_header((wrap(KEY.public, bytes(16)),), bytes(16)).encode()
    ours = plain_asking(content, "letter-3")
    return about(ours.document, purpose="unlock"), ours.document


def test_approvals_to_unlock_are_none_to_recover_and_the_reverse() -> None:
    ours = asking()
    request, document = unlocking()
    to_unlock = [word(request, name) for name in FOUR]
    with pytest.raises(Refused, match="not approved"):
        ours.answer("doctor", to_unlock)
    with pytest.raises(VerificationFailed, match="approves another request"):
        verify_recovered(KEY, replace(ours.told(), answers=tuple(to_unlock)), member("nurse"))
    checked = check_unlock(KEY, request, document, member("nurse"))
    own = Own(share_of("doctor"), identity("doctor"), KeptRegister())
    with pytest.raises(Refused, match="not approved"):
        answer_unlock(checked, own, ours.words(*FOUR), LATER, os.urandom)


def test_a_request_of_one_kind_is_not_taken_for_the_other() -> None:
    ours = asking()
    request, document = unlocking()
    with pytest.raises(Refused, match="does not ask to recover"):
        check_recovery(KEY, request, document, member("nurse"))
    with pytest.raises(Refused, match="does not ask to unlock"):
        check_unlock(KEY, ours.request, ours.document, member("nurse"))
    with pytest.raises(MalformedMessage):  # the type of one with the document of the other
        check_recovery(KEY, about(document), document, member("nurse"))
    disguised = about(ours.document, purpose="unlock")
    with pytest.raises(MalformedMessage):
        check_unlock(KEY, disguised, ours.document, member("nurse"))


def test_control_approvals_that_name_no_request_count_for_any(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the check of what was approved switched off, words to unlock give the key away."""
    ours = asking()
    request, _ = unlocking()
    words = [word(request, name) for name in FOUR]
    monkeypatch.setattr(recovery, "check_may_answer", lambda *_: None)
    assert opens_alone(ours.recovered([ours.answer(name, words) for name in THREE]).line)


def test_nobody_takes_the_requesters_place() -> None:
    ours = asking()
    mine = make_reply_key(identity("reception"), "reception", Whole(KEY.key_id()), os.urandom)[1]
    document = wire.decode(ours.document, Recovering)
    swapped = wire.encode(replace(document, requester=mine))
    with pytest.raises(Refused, match="another document"):
        check_recovery(KEY, ours.request, swapped, member("nurse"))
    with pytest.raises(Refused, match="another member"):
        check_recovery(KEY, about(swapped), swapped, member("nurse"))
    renamed = wire.encode(replace(document, requester=replace(mine, member="nurse")))
    with pytest.raises(VerificationFailed, match="the key to answer to"):
        check_recovery(KEY, about(renamed), renamed, member("nurse"))
    for_a_file = Sought("plain", KEY.key_id(), "letter-3")
    _, reply = make_reply_key(identity("nurse"), "nurse", for_a_file, os.urandom)
    taken = wire.encode(replace(document, requester=reply))
    with pytest.raises(VerificationFailed, match="the key to answer to"):
        check_recovery(KEY, about(taken), taken, member("nurse"))


def test_a_share_is_for_the_requester_of_this_request_only() -> None:
    ours, other = asking(), asking()
    answers = [ours.answer(name, ours.words(*FOUR)) for name in FOUR]
    with pytest.raises(Abort) as raised:
        other.recovered(answers)
    assert not raised.value.culprits
    assert raised.value.suspects == {0, 1, 2, 3}
    with pytest.raises(Abort):
        replace(ours, secret=other.secret).recovered(answers)


def test_when_it_is_over_no_share_is_given() -> None:
    ours = asking()
    words = ours.words(*FOUR)
    ours.answer("doctor", words, NOW + timedelta(hours=23, minutes=59))
    with pytest.raises(Refused, match="over"):
        ours.answer("doctor", words, NOW + timedelta(hours=24))


def wrong_share(ours: Asking, name: str) -> SealedAnswer:
    share = share_of(name)
    wrong = replace(share, secret=ed.scalar_add(share.secret, ed.ONE))
    return hand_over(wrong, identity(name), ours.checked().asked, ours.checked().answers_to)


def proof_of(ours: Asking, sealed: SealedAnswer) -> HandedOver:
    holder = identities(KEY)[seat(sealed.identifier)]
    return read_share(ours.secret, ours.checked().asked, sealed, holder)


def test_a_wrong_share_names_its_holder_with_proof_and_the_others_recover() -> None:
    ours = asking()
    wrong = wrong_share(ours, "pharmacist")
    right = [ours.answer(name, ours.words(*FOUR)) for name in ("doctor", "nurse", "laboratory")]
    found = ours.recovered([right[0], wrong, *right[1:]])
    assert opens_alone(found.line)
    assert found.culprits == (1,)
    with pytest.raises(Abort) as raised:
        ours.recovered([wrong, *right[:2]])
    assert raised.value.culprits == {1}
    proof = WrongShare(2, proof_of(ours, wrong))
    verify_recovered(KEY, ours.told((proof,)), member("nurse"))


def test_nobody_is_framed() -> None:
    ours = asking()
    right = ours.answer("doctor", ours.words(*FOUR))
    honest = proof_of(ours, right)
    wrong = proof_of(ours, wrong_share(ours, "pharmacist"))
    for proof in (
        WrongShare(1, honest),
        WrongShare(1, wrong),
        WrongShare(1, replace(honest, secret=ed.ONE)),
        WrongShare(6, wrong),
    ):
        with pytest.raises(VerificationFailed):
            verify_recovered(KEY, ours.told((proof,)), member("nurse"))
    in_anothers_name = replace(wrong_share(ours, "pharmacist"), identifier=1)
    with pytest.raises(Abort) as raised:
        ours.recovered([in_anothers_name])
    assert not raised.value.culprits
    assert raised.value.suspects == {0}


def test_that_a_key_was_recovered_is_said_by_the_requester_alone() -> None:
    ours = asking()
    whole = ours.told()
    for altered in (
        replace(whole, requested=bytes(64)),
        replace(whole, document=whole.document[:-1]),
        replace(whole, signature=sign_recovered(identity("doctor"), ours.request, ())),
        replace(whole, answers=whole.answers[::-1]),
    ):
        with pytest.raises(Error):
            verify_recovered(KEY, altered, member("nurse"))


def test_other_keys_are_not_recovered() -> None:
    with pytest.raises(VerificationFailed, match="another key"):
        asking(whole=SEALING_KEY.key_id()).checked()
    with pytest.raises(Refused, match="does not ask to recover"):
        asking().checked(SEALING_KEY)
    ours = asking(whole=SEALING_KEY.key_id())
    request = replace(ours.request, key=SEALING_KEY.key_id())
    with pytest.raises(Refused, match="only a plain key is recovered"):
        replace(ours, request=request).checked(SEALING_KEY)
