"""From a request to the requester's file key: who can read it, and who can stand in the way."""

import os
from dataclasses import replace

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate import wire
from quorate.errors import Abort, MalformedMessage, Refused, VerificationFailed
from quorate.threshold import answers as boxes
from quorate.threshold import tdh2, unlocking
from quorate.threshold.age.header import make_header
from quorate.threshold.answers import SealedAnswer, SignedParts, Sought, answer, make_reply_key
from quorate.threshold.partial import Partial, combine, make_partial
from quorate.threshold.unlocking import Unlocking
from tests.threshold.holders import NAMES, Asking, Holders, deal
from tests.threshold.test_plain import wrap

KEY = os.urandom(16)
HOLDERS = Holders("unlock")
CONTENT = wire.encode(tdh2.encrypt(HOLDERS.public.group, "record-17", KEY, os.urandom))
SOUGHT = Sought("sealed", CONTENT, "record-17")
PLAIN = Holders("plain")
WITH_PHARMACY = (2, HOLDERS.identities[1])
PLAIN_CONTENT = make_header((wrap(PLAIN.public, KEY),), KEY).encode()


def sealed() -> Asking:
    return HOLDERS.ask(CONTENT, "record-17")


def check(document: Unlocking, holders: Holders = HOLDERS) -> None:
    unlocking.check_document(holders.public, document, holders.requester, holders.identities)


@pytest.mark.parametrize("holders", [HOLDERS, PLAIN], ids=["sealed", "plain"])
def test_three_of_five_open_and_two_do_not(holders: Holders) -> None:
    content = CONTENT if holders is HOLDERS else PLAIN_CONTENT
    asking = holders.ask(content, "record-17")
    answers = asking.answers(1, 4, 5)
    assert asking.unlock(answers).file_key == KEY
    with pytest.raises(Abort) as e:
        asking.unlock(answers[:2])
    assert not e.value.culprits | e.value.suspects


def test_the_document_is_one_encoding() -> None:
    for asking in (sealed(), PLAIN.ask(PLAIN_CONTENT, "r")):
        assert wire.decode(wire.encode(asking.document), Unlocking) == asking.document


def test_an_answer_is_for_the_requester_only() -> None:
    asking = sealed()
    answers = asking.answers(1, 2, 3)
    stranger = X25519PrivateKey.generate()
    with pytest.raises(Abort) as e:
        unlocking.unlock(
            HOLDERS.public, asking.document, asking.request, stranger, answers, HOLDERS.identities
        )
    assert e.value.suspects == {0, 1, 2}
    assert not e.value.culprits
    for sent, share in zip(answers, HOLDERS.shares, strict=False):
        base = tdh2.verify(HOLDERS.public.group, wire.decode(CONTENT, tdh2.Ciphertext))
        part = make_partial(share, base, asking.document.asked(asking.request), os.urandom)
        assert part.point not in sent.box


def test_control_parts_sent_in_the_clear_open_for_whoever_listens() -> None:
    asking = sealed()
    asked, ciphertext = asking.document.asked(asking.request), wire.decode(CONTENT, tdh2.Ciphertext)
    base = tdh2.verify(HOLDERS.public.group, ciphertext)
    heard = [make_partial(share, base, asked, os.urandom) for share in HOLDERS.shares[:3]]
    point = combine(HOLDERS.public, base, asked, heard).point
    assert tdh2.unmask(ciphertext, point) == KEY


def test_an_answer_to_one_request_is_none_to_another() -> None:
    asking = sealed()
    answers = asking.answers(1, 2, 3)
    for other in (asking.again(), replace(asking, reason="curiosity")):
        with pytest.raises(Abort) as e:
            other.unlock(answers)
        assert e.value.suspects == {0, 1, 2}


def test_an_answer_in_anothers_name_frames_nobody() -> None:
    asking = sealed()
    answers = asking.answers(1, 2, 3, 4)
    stolen = SealedAnswer(3, answers[0].box)
    opened = asking.unlock([*answers[:2], stolen, SealedAnswer(3, b""), answers[3]])
    assert opened.file_key == KEY
    assert (opened.culprits, opened.suspects) == ((), (2,))
    assert asking.unlock([SealedAnswer(6, b""), *answers]).file_key == KEY


def signed_by(asking: Asking, identifier: int, parts: tuple[Partial, ...]) -> SealedAnswer:
    """What a holder sends that follows no rule, but with its own key."""
    asked = asking.document.asked(asking.request)
    key = HOLDERS.keys[identifier - 1]
    signed = SignedParts(parts, key.sign(wire.signing_input("parts", (asked, parts))))
    box = boxes.seal_to(asking.document.answers_to, asked, identifier, wire.encode(signed))
    return SealedAnswer(identifier, box)


def test_a_wrong_part_is_named_with_proof_and_left_out() -> None:
    asking = sealed()
    asked = asking.document.asked(asking.request)
    base = tdh2.verify(HOLDERS.public.group, wire.decode(CONTENT, tdh2.Ciphertext))
    own = make_partial(HOLDERS.shares[1], base, asked, os.urandom)
    another = make_partial(HOLDERS.shares[2], base, asked, os.urandom)
    right = asking.answers(1, 4, 5)
    for parts in (
        (replace(own, point=another.point),),
        (replace(own, point=bytes(32)),),
        (another,),  # in the name of 3, under the signature of 2
        (),
        (own, own),
    ):
        wrong = signed_by(asking, 2, parts)
        opened = asking.unlock([wrong, *right])
        assert opened.file_key == KEY
        assert (opened.culprits, opened.suspects) == ((1,), ())
        boxes.verify_proof(HOLDERS.public, asked, (base,), shown(asking, wrong), WITH_PHARMACY)
        with pytest.raises(Abort) as e:
            asking.unlock([wrong, *right[:2]])
        assert e.value.culprits == {1}
        assert e.value.exit_code == 4


def shown(asking: Asking, sealed: SealedAnswer) -> SignedParts:
    """What the requester can show to others: it opens no other answer."""
    asked, holder = asking.document.asked(asking.request), HOLDERS.identities[sealed.identifier - 1]
    return boxes.read_answer(asking.secret, asked, sealed, holder)


def test_nothing_honest_proves_anything_against_its_holder() -> None:
    asking = sealed()
    asked = asking.document.asked(asking.request)
    base = tdh2.verify(HOLDERS.public.group, wire.decode(CONTENT, tdh2.Ciphertext))
    honest = shown(asking, asking.answer(2))
    forged = replace(honest, parts=(replace(honest.parts[0], point=bytes(32)),))
    other = asking.again().document.asked(bytes(32))
    for about, signed in ((asked, honest), (asked, forged), (other, honest)):
        with pytest.raises(VerificationFailed):
            boxes.verify_proof(HOLDERS.public, about, (base,), signed, WITH_PHARMACY)


def test_nobody_takes_the_requesters_place() -> None:
    document = sealed().document
    other = X25519PrivateKey.generate().public_key().public_bytes_raw()
    stranger, reply = Holders("unlock"), document.requester
    for forged in (
        replace(reply, key=other),
        replace(reply, signature=bytes(64)),
        replace(reply, member=NAMES[1]),
        replace(reply, key=b""),
        stranger.ask(CONTENT, "record-17").document.requester,
        HOLDERS.ask(CONTENT, "record-18").document.requester,  # signed, for another record
        PLAIN.ask(PLAIN_CONTENT, "record-17").document.requester,
    ):
        with pytest.raises(VerificationFailed, match="the key to answer to"):
            check(replace(document, requester=forged))


def test_a_requester_swapped_after_the_request_reads_nothing() -> None:
    """Whoever replaces the reply key changes what was asked: earlier answers do not open."""
    asking = sealed()
    answers = asking.answers(1, 2, 3)
    secret, reply = make_reply_key(HOLDERS.keys[1], NAMES[1], SOUGHT, os.urandom)
    swapped = replace(asking, document=replace(asking.document, requester=reply), secret=secret)
    with pytest.raises(Abort):
        replace(swapped, opening=secret).unlock(answers)


def test_control_without_its_signature_a_reply_key_can_be_anybodys() -> None:
    """A holder that skips the check answers to a key that the requester does not have."""
    asking = sealed()
    mine = X25519PrivateKey.generate()
    reply = replace(asking.document.requester, key=mine.public_key().public_bytes_raw())
    swapped = replace(asking, document=replace(asking.document, requester=reply), opening=mine)
    asked = swapped.document.asked(swapped.request)
    base = tdh2.verify(HOLDERS.public.group, wire.decode(CONTENT, tdh2.Ciphertext))
    answers = [
        answer(share, key, asked, (base,), reply, os.urandom)
        for share, key in zip(HOLDERS.shares[:3], HOLDERS.keys, strict=False)
    ]
    assert swapped.unlock(answers).file_key == KEY


def test_a_key_of_small_order_is_nobodys_to_answer_to() -> None:
    _, reply = make_reply_key(HOLDERS.requester_key, "registrar", SOUGHT, os.urandom)
    signature = HOLDERS.requester_key.sign(boxes._terms(SOUGHT, "registrar", bytes(32)))
    weak = replace(reply, key=bytes(32), signature=signature)
    with pytest.raises(VerificationFailed, match="not usable"):
        replace(sealed(), document=replace(sealed().document, requester=weak)).answers(1)


def test_what_was_sealed_as_another_record_is_not_opened() -> None:
    with pytest.raises(VerificationFailed, match="another record"):
        HOLDERS.ask(CONTENT, "record-18").answers(1)


def test_content_that_is_not_whole_is_refused_before_a_share_is_used() -> None:
    for content in (b"", CONTENT[:-1], CONTENT + b"\0", PLAIN_CONTENT):
        with pytest.raises((MalformedMessage, VerificationFailed)):
            HOLDERS.ask(content, "record-17").answers(1)
    for content in (b"", PLAIN_CONTENT[:-1], PLAIN_CONTENT + b"\0", CONTENT):
        with pytest.raises((MalformedMessage, VerificationFailed)):
            PLAIN.ask(content, "record-17").answers(1)


def test_each_kind_of_key_opens_its_own_kind() -> None:
    plain, tdh = PLAIN.ask(PLAIN_CONTENT, "r").document, sealed().document
    signing = replace(HOLDERS.public, purpose="sign")
    for public, document in (
        (PLAIN.public, tdh),
        (HOLDERS.public, plain),
        (signing, tdh),
        (signing, plain),
    ):
        holders = PLAIN if document is plain else HOLDERS
        with pytest.raises(Refused, match="was generated to"):
            unlocking.check_document(public, document, holders.requester, holders.identities)


def test_the_opener_of_a_plain_file_is_another_holder_that_approves() -> None:
    asking = PLAIN.ask(PLAIN_CONTENT, "record-17")
    document = asking.document
    with pytest.raises(Refused, match="cannot be its opener"):
        check(replace(document, opener=document.requester), PLAIN)
    with pytest.raises(Refused, match="by one of the key's holders"):
        check(replace(document, opener=None), PLAIN)
    _, outside = make_reply_key(PLAIN.requester_key, "clerk", document.sought, os.urandom)
    with pytest.raises(Refused, match="holds no share"):
        check(replace(document, opener=outside), PLAIN)
    forged = replace(outside, member=NAMES[0])
    with pytest.raises(VerificationFailed):
        check(replace(document, opener=forged), PLAIN)
    with pytest.raises(Refused, match="not approved this request itself"):
        asking.unlock(asking.answers(2, 3, 4))
    with pytest.raises(Refused, match="sealed to a plain key"):
        check(replace(sealed().document, opener=document.opener))


def test_the_requester_of_a_plain_file_gets_its_file_key_and_no_sum() -> None:
    asking = PLAIN.ask(PLAIN_CONTENT, "record-17")
    answers = asking.answers(1, 2, 3)
    with pytest.raises(Abort):
        replace(asking, opening=asking.secret).unlock(answers)
    asked = asking.document.asked(asking.request)
    passed = unlocking.pass_on(KEY, asking.document, asked)
    assert unlocking.take_over(asking.secret, asked, passed) == KEY
    with pytest.raises(InvalidTag):
        boxes.SUITE.decrypt(passed, asking.opening, info=boxes._about(asked, 0))


def test_what_the_opener_passes_on_is_for_this_request() -> None:
    asking = PLAIN.ask(PLAIN_CONTENT, "record-17")
    asked = asking.document.asked(asking.request)
    passed = unlocking.pass_on(KEY, asking.document, asked)
    other = asking.document.asked(bytes(32))
    for about, box in ((other, passed), (asked, passed[:-1]), (asked, b"")):
        with pytest.raises(VerificationFailed):
            unlocking.take_over(asking.secret, about, box)
    short = unlocking.pass_on(KEY[:8], asking.document, asked)
    with pytest.raises(VerificationFailed):
        unlocking.take_over(asking.secret, asked, short)


def test_an_answer_about_another_number_of_stanzas_is_its_holders_fault() -> None:
    content = make_header((wrap(deal("plain")[0].public, KEY), wrap(PLAIN.public, KEY)), KEY)
    asking = PLAIN.ask(content.encode(), "two")
    bases = unlocking.check_document(
        PLAIN.public, asking.document, PLAIN.requester, PLAIN.identities
    )
    asked, to = asking.document.asked(asking.request), asking.document.answers_to
    short = answer(PLAIN.shares[1], PLAIN.keys[1], asked, bases[:1], to, os.urandom)
    opened = asking.unlock([short, *asking.answers(1, 3, 4)])
    assert opened.file_key == KEY
    assert opened.culprits == (1,)


def test_a_file_key_is_in_no_repr() -> None:
    asking = sealed()
    opened = asking.unlock(asking.answers(1, 2, 3))
    assert repr(KEY) not in repr(opened)
    assert KEY.hex() not in repr(opened)


def test_sizes_are_as_the_page_says() -> None:
    asking, plain = sealed(), PLAIN.ask(PLAIN_CONTENT, "record-17")
    record, requester = "record-17", asking.document.requester
    assert len(CONTENT) == 230 + len(record)
    assert len(wire.encode(requester)) == 123 + len(requester.member)
    rest = len(record) + len(requester.member)
    assert len(wire.encode(asking.document)) == len(CONTENT) + 180 + rest
    assert len(wire.encode(plain.document)) == len(PLAIN_CONTENT) + 301 + rest + len(NAMES[0])
    assert len(wire.encode(asking.answer(1))) == len(wire.encode(plain.answer(1))) == 299
    asked = plain.document.asked(plain.request)
    assert len(unlocking.pass_on(KEY, plain.document, asked)) == 64
