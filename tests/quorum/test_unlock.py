"""Three of five unlock a record for who asked, until the hour, and for nothing else they said."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate import wire
from quorate.errors import Abort, Error, MalformedMessage, Refused, VerificationFailed
from quorate.quorum.answer import Holder, SignedAnswer
from quorate.quorum.key import Key
from quorate.quorum.key_plan import holders_of
from quorate.quorum.request import Request, make_request
from quorate.quorum.unlock import Checked, Own, answer_unlock, check_unlock, identities
from quorate.threshold import tdh2
from quorate.threshold.age.header import make_header
from quorate.threshold.answers import SealedAnswer, Sought, answer, make_reply_key
from quorate.threshold.keys import KeyShare, Purpose
from quorate.threshold.partial import Asked, combine, make_partial
from quorate.threshold.sharing import polynomial, recover
from quorate.threshold.unlocking import Unlocking, unlock
from tests.quorum.dealt import NOW, WARD, deal, identity, plan_of, ward, word
from tests.threshold.dealt import of_polynomial
from tests.threshold.holders import KeptRegister
from tests.threshold.test_plain import wrap

FILE_KEY = os.urandom(16)
LATER = NOW + timedelta(hours=1)


def records_key(purpose: Purpose) -> tuple[Key, tuple[KeyShare, ...]]:
    return deal(plan_of(ward(), WARD, 3, purpose), [identity(name) for name in WARD])


KEY, SHARES = records_key("unlock")
PLAIN, PLAIN_SHARES = records_key("plain")
SEALED = tdh2.encrypt(KEY.public.group, "record-17", FILE_KEY, os.urandom)
SOUGHT = Sought("sealed", wire.encode(SEALED), "record-17")


@dataclass(frozen=True)
class Asking:
    """A member's request, and the secret to which it has the answers sealed."""

    request: Request
    document: bytes
    secret: X25519PrivateKey
    key: Key = KEY
    shares: tuple[KeyShare, ...] = SHARES

    def checked(self) -> Checked:
        return check_unlock(self.key, self.request, self.document, member(self.request.requester))

    def answer(
        self,
        name: str,
        words: Iterable[SignedAnswer],
        at: datetime = LATER,
        register: KeptRegister | None = None,
    ) -> SealedAnswer:
        share = self.shares[self.key.plan.identifier(name) - 1]
        own = Own(share, identity(name), register or KeptRegister())
        return answer_unlock(self.checked(), own, words, at, os.urandom)

    def approved_by(self, *names: str) -> list[SignedAnswer]:
        return [word(self.request, name) for name in names]

    def opened(self, answers: Sequence[SealedAnswer]) -> bytes:
        document, digest = wire.decode(self.document, Unlocking), self.request.digest()
        them = identities(self.key)
        return unlock(self.key.public, document, digest, self.secret, answers, them).file_key


def member(name: str) -> Holder:
    return holders_of(ward(), [name])[0]


def asking(by: str = "nurse", sought: Sought = SOUGHT, key: Key = KEY) -> Asking:
    secret, reply = make_reply_key(identity(by), by, sought, os.urandom)
    document = wire.encode(Unlocking(sought, reply, None))
    return Asking(about(document, by, key), document, secret)


def about(document: bytes, by: str, key: Key = KEY) -> Request:
    return make_request(
        "unlock",
        key.key_id(),
        document,
        reason="acute care",
        requester=by,
        now=NOW,
        lasts=timedelta(hours=24),
        randomness=os.urandom,
    )


def test_three_who_approve_unlock_for_the_nurse() -> None:
    ours = asking()
    three = ("doctor", "nurse", "reception")
    words = ours.approved_by(*three)
    answers = [ours.answer(name, words) for name in three]
    assert ours.opened(answers) == FILE_KEY
    with pytest.raises(Abort):
        ours.opened(answers[:2])


def test_two_approvals_move_no_share() -> None:
    ours = asking()
    for names in (("doctor", "nurse"), ("doctor", "nurse", "nurse")):
        with pytest.raises(Refused, match="2 holders approved, where 3 of 5 must"):
            ours.answer("doctor", ours.approved_by(*names))
    declined = word(ours.request, "pharmacist", "decline")
    with pytest.raises(Refused, match="2 holders"):
        ours.answer("doctor", [*ours.approved_by("doctor", "nurse"), declined])


def test_a_holder_whose_person_did_not_approve_keeps_its_share_still() -> None:
    ours = asking()
    with pytest.raises(Refused, match="this member has not approved"):
        ours.answer("reception", ours.approved_by("doctor", "nurse", "pharmacist"))


def plain_asking(content: bytes, record: str) -> Asking:
    """The nurse asks for a file that is sealed to the plain key; the doctor is the opener."""
    sought = Sought("plain", content, record)
    _, reply = make_reply_key(identity("nurse"), "nurse", sought, os.urandom)
    secret, opener = make_reply_key(identity("doctor"), "doctor", sought, os.urandom)
    document = wire.encode(Unlocking(sought, reply, opener))
    request = about(document, "nurse", PLAIN)
    return Asking(request, document, secret, PLAIN, PLAIN_SHARES)


def test_a_plain_file_is_registered_when_it_is_answered_not_when_it_is_asked_for() -> None:
    content = make_header((wrap(PLAIN.public, FILE_KEY),), FILE_KEY).encode()
    registers = {name: KeptRegister() for name in ("doctor", "nurse", "pharmacist")}
    first, second = plain_asking(content, "not what it is"), plain_asking(content, "letter-3")
    words = first.approved_by("doctor", "nurse")
    with pytest.raises(Refused, match="2 holders"):
        first.answer("doctor", words, register=registers["doctor"])
    words = second.approved_by(*registers)
    answers = [second.answer(name, words, register=kept) for name, kept in registers.items()]
    assert second.opened(answers) == FILE_KEY
    with pytest.raises(Refused, match="as another record"):
        first.answer("doctor", first.approved_by(*registers), register=registers["doctor"])


def test_a_request_that_is_over_unlocks_nothing() -> None:
    ours = asking()
    words = ours.approved_by("doctor", "nurse", "pharmacist")
    ours.answer("doctor", words, NOW + timedelta(hours=23, minutes=59))
    with pytest.raises(Refused, match="over"):
        ours.answer("doctor", words, NOW + timedelta(hours=24))


def test_control_shares_that_ask_for_no_approval_open_after_the_hour() -> None:
    """What holders would send that skip `answer_unlock`: nobody approved, and it is late."""
    ours = asking()
    checked = ours.checked()
    asked, to = checked.unlocking.asked(ours.request.digest()), checked.unlocking.answers_to
    names = ("doctor", "nurse", "pharmacist")
    answers = [
        answer(share, identity(name), asked, checked.bases, to, os.urandom)
        for share, name in zip(SHARES, WARD, strict=True)
        if name in names
    ]
    assert ours.opened(answers) == FILE_KEY


def test_approvals_of_one_request_are_none_of_another() -> None:
    words = asking().approved_by("doctor", "nurse", "pharmacist")
    with pytest.raises(Refused, match="not approved"):
        asking().answer("doctor", words)


def test_a_forged_approval_is_refused() -> None:
    ours = asking()
    forged = replace(word(ours.request, "pharmacist"), signature=bytes(64))
    with pytest.raises(VerificationFailed):
        ours.answer("doctor", [*ours.approved_by("doctor", "nurse"), forged])


def test_a_document_that_was_altered_after_the_approval_is_refused() -> None:
    ours, other = asking(), asking("reception")
    with pytest.raises(Refused, match="another document"):
        replace(ours, document=other.document).checked()


def test_the_requester_of_the_document_is_the_one_that_asks() -> None:
    theirs = asking("reception")
    as_nurse = replace(theirs, request=about(theirs.document, "nurse"))
    with pytest.raises(Refused, match="another member"):
        as_nurse.checked()
    with pytest.raises(Refused, match="another member"):
        check_unlock(KEY, theirs.request, theirs.document, member("nurse"))
    impostor = replace(member("reception"), public_key=member("nurse").public_key)
    with pytest.raises(VerificationFailed, match="the key to answer to"):
        check_unlock(KEY, theirs.request, theirs.document, impostor)


def test_orders_and_other_keys_do_not_unlock() -> None:
    ours = asking()
    for request in (replace(ours.request, type="order"), replace(ours.request, key=bytes(32))):
        with pytest.raises(Refused, match="does not ask to unlock"):
            replace(ours, request=request).checked()
    signing, _ = deal(plan_of(ward(), WARD, 3), [identity(name) for name in WARD])
    with pytest.raises(Refused, match="generated to sign"):
        check_unlock(
            signing, about(ours.document, "nurse", signing), ours.document, member("nurse")
        )


def test_what_is_not_whole_reaches_no_person() -> None:
    for sought in (
        replace(SOUGHT, record="record-18"),
        replace(SOUGHT, content=SOUGHT.content[:-1]),
        replace(SOUGHT, mode="plain"),
    ):
        with pytest.raises(Error):
            asking(sought=sought).checked()
    document = wire.encode({"not": "an unlocking"})
    with pytest.raises(MalformedMessage):
        check_unlock(KEY, about(document, "nurse"), document, member("nurse"))


def test_what_was_sealed_outlives_the_members_of_a_key() -> None:
    """Another sharing of the same key, among others: what was sealed before opens as before."""

    whole = recover([(share.identifier, share.secret) for share in SHARES[:3]])
    shares, public = of_polynomial(polynomial(whole, 2, os.urandom), 3, "unlock")
    assert public.key_id() != KEY.key_id()
    base, asked = tdh2.verify(public.group, SEALED), Asked(bytes(32), SEALED.digest())
    parts = [make_partial(share, base, asked, os.urandom) for share in shares[1:]]
    assert tdh2.unmask(SEALED, combine(public, base, asked, parts).point) == FILE_KEY
