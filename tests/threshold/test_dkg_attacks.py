"""Holders that cheat while a key is made: no key, and named where there is proof."""

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import Abort, Refused, VerificationFailed
from quorate.threshold import delivery, dkg, evidence, schnorr, sharing
from quorate.threshold.dkg import Confirmation, Pending
from quorate.threshold.record import common_commitment
from quorate.threshold.setup import (
    Dealing,
    Promise,
    Setup,
    SignedDealing,
    possession_input,
    sign_dealing,
    verify_dealing,
)
from tests.algebra import slow_edwards25519 as slow
from tests.threshold.ceremony import Holders, holders
from tests.threshold.dealt import verify_share

CHEAT, VICTIM = 2, 0  # seats
Plain = Callable[[int, bytes], bytes]


def honest_text(_: int, share: bytes) -> bytes:
    return share


def dealing(
    them: Holders, polynomial: tuple[Scalar, ...], plain: Plain = honest_text, seat: int = CHEAT
) -> SignedDealing:
    """A dealing as `round1` makes it, but for the polynomial and what each recipient finds."""
    setup, static = them.setup, them.statics[seat]
    ephemeral = ed.random_scalar(os.urandom)
    promise = Promise(sharing.commit(polynomial), b"", ed.base_mul(ephemeral))
    proof = schnorr.sign(polynomial[0], possession_input(setup.context(), promise))
    texts = []
    for recipient in range(1, setup.max_signers + 1):
        route = setup.route(seat + 1, recipient, promise.ephemeral)
        secrets = delivery.sender_secrets(route, ephemeral, static)
        text = plain(recipient, sharing.evaluate(polynomial, recipient))
        texts.append(delivery.seal(route, secrets, Scalar(text)))
    return signed(them, Dealing(replace(promise, proof=proof), tuple(texts)), seat)


def signed(them: Holders, false: Dealing, seat: int = CHEAT) -> SignedDealing:
    return sign_dealing(them.setup, seat + 1, false, them.identities[seat])


def random_polynomial(min_signers: int) -> tuple[Scalar, ...]:
    return sharing.polynomial(ed.random_scalar(os.urandom), min_signers, os.urandom)


def among(them: Holders, false: SignedDealing, seat: int = CHEAT) -> list[SignedDealing]:
    dealings = them.dealings()
    dealings[seat] = false
    return dealings


def refusal(them: Holders, dealings: list[SignedDealing], seat: int = VICTIM) -> Abort:
    with pytest.raises(Abort) as aborted:
        them.check(seat, dealings)
    return aborted.value


def plus_one(share: bytes) -> bytes:
    return ed.scalar_add(Scalar(share), ed.ONE)


def plus_order(share: bytes) -> bytes:
    return (int.from_bytes(share, "little") + ed.ORDER).to_bytes(32, "little")


@pytest.mark.parametrize(
    ("lie", "message"),
    [
        (plus_one, "3: the share of 1 is not the one committed to"),
        (plus_order, "3: what decrypts is not a share"),
    ],
    ids=["another", "beyond the order"],
)
def test_a_false_share_names_its_sender_with_proof(
    lie: Callable[[bytes], bytes], message: str
) -> None:
    them = holders(3, 2)
    false = dealing(them, random_polynomial(2), lambda i, s: lie(s) if i == 1 else s)
    dealings = among(them, false)
    aborted = refusal(them, dealings)
    assert aborted.culprits == {CHEAT}
    assert message in str(aborted)
    them.check(1, dealings)  # the others cannot see it: they need the complaint
    complaint = evidence.complain(
        them.setup, them.statics[VICTIM], CHEAT + 1, false.dealing, os.urandom
    )
    evidence.verify_complaint(them.setup, complaint, false)


def test_a_share_that_does_not_decrypt_names_its_sender_with_proof() -> None:
    them = holders(3, 2)
    good = them.dealings()[CHEAT].dealing
    false = signed(them, replace(good, ciphertexts=(bytes(48), *good.ciphertexts[1:])))
    aborted = refusal(them, among(them, false))
    assert "3: a share does not decrypt" in str(aborted)
    assert aborted.culprits == {CHEAT}
    complaint = evidence.complain(
        them.setup, them.statics[VICTIM], CHEAT + 1, false.dealing, os.urandom
    )
    evidence.verify_complaint(them.setup, complaint, false)


def test_all_who_send_false_shares_are_named() -> None:
    them = holders(5, 2)
    dealings = them.dealings()
    for seat in (1, 3):
        dealings[seat] = dealing(them, random_polynomial(2), lambda _, s: plus_one(s), seat)
    assert refusal(them, dealings).culprits == {1, 3}


def test_lies_that_cancel_change_nothing() -> None:
    them = holders(3, 2)
    dealings = them.dealings()
    minus_one = ed.scalar_negate(ed.ONE)
    dealings[1] = dealing(them, random_polynomial(2), lambda _, s: plus_one(s), 1)
    dealings[2] = dealing(
        them, random_polynomial(2), lambda _, s: ed.scalar_add(Scalar(s), minus_one), 2
    )
    checked = [them.check(seat, dealings) for seat in range(3)]
    for pending, _ in checked:
        dkg.round3(pending, [sent for _, sent in checked]).share.verify()


@pytest.mark.parametrize("who", ["right", "forged", "stranger's", "of another dealing"])
def test_a_complaint_cannot_frame_the_honest(who: str) -> None:
    them = holders(3, 2)
    dealings = them.dealings()
    accused = dealings[CHEAT]
    complaint = evidence._shown(
        them.setup, them.statics[VICTIM], CHEAT + 1, accused.dealing, os.urandom
    )
    if who == "forged":  # other secrets, with which nothing decrypts
        complaint = replace(complaint, ephemeral=ed.base_mul(ed.random_scalar(os.urandom)))
    if who == "stranger's":
        complaint = replace(complaint, accuser=9)
    if who == "of another dealing":
        accused = dkg.round1(them.setup, them.statics[CHEAT], them.identities[CHEAT], os.urandom)
    reason = {"right": "the share is right", "stranger's": "among others"}.get(who, "proof")
    with pytest.raises(VerificationFailed, match=reason):
        evidence.verify_complaint(them.setup, complaint, accused)


def test_nobody_is_tricked_into_showing_a_right_share() -> None:
    them = holders(3, 2)
    honest = them.dealings()[CHEAT].dealing
    with pytest.raises(Refused, match="what 3 dealt to this holder is right"):
        evidence.complain(them.setup, them.statics[VICTIM], CHEAT + 1, honest, os.urandom)


def test_control_a_complaint_without_its_proofs_frames_the_honest() -> None:
    """Secrets that nobody proved: with them the honest ciphertext does not open."""
    them = holders(3, 2)
    honest = them.dealings()[CHEAT].dealing
    route = them.setup.route(CHEAT + 1, VICTIM + 1, honest.promise.ephemeral)
    made_up = delivery.Secrets(ed.BASE, ed.BASE)
    with pytest.raises(VerificationFailed, match="does not decrypt"):
        delivery.open_sealed(route, made_up, honest.ciphertexts[VICTIM])


def test_a_longer_commitment_is_refused() -> None:
    them = holders(3, 2)
    for points in (1, 3):
        false = dealing(them, random_polynomial(points))
        aborted = refusal(them, among(them, false))
        assert f"a commitment of {points} points, where 2 are due" in str(aborted)
        assert aborted.culprits == {CHEAT}
        evidence.verify_false_dealing(them.setup, CHEAT + 1, false)


def test_control_a_longer_commitment_raises_the_number_of_signers() -> None:
    """One polynomial of three coefficients among those of two: two shares no longer suffice."""
    dealt = [random_polynomial(2), random_polynomial(2), random_polynomial(3)]
    shares = [
        (i, ed.scalar_sum(sharing.evaluate(polynomial, i) for polynomial in dealt))
        for i in (1, 2, 3)
    ]
    key = ed.scalar_sum(polynomial[0] for polynomial in dealt)
    assert sharing.recover(shares[:2]) != key
    assert sharing.recover(shares) == key


def rogue(them: Holders, honest: SignedDealing) -> tuple[SignedDealing, Scalar, Scalar]:
    """In 2 of 2: a dealing that makes the key one of the cheat's choice, the key, and the share."""
    chosen, share = ed.random_scalar(os.urandom), ed.random_scalar(os.urandom)
    constant = ed.sub(ed.base_mul(chosen), honest.dealing.promise.commitment[0])
    commitment = (constant, ed.sub(ed.base_mul(share), constant))
    ephemeral = ed.random_scalar(os.urandom)
    promise = Promise(commitment, b"", ed.base_mul(ephemeral))
    forged = schnorr.sign(chosen, possession_input(them.setup.context(), promise))
    texts = []
    for recipient in (1, 2):
        route = them.setup.route(2, recipient, promise.ephemeral)
        secrets = delivery.sender_secrets(route, ephemeral, them.statics[1])
        texts.append(delivery.seal(route, secrets, share))
    return signed(them, Dealing(replace(promise, proof=forged), tuple(texts)), 1), chosen, share


def test_a_rogue_key_lacks_its_proof_of_possession() -> None:
    them = holders(2, 2)
    honest = them.dealings()[0]
    false, _, _ = rogue(them, honest)
    aborted = refusal(them, [honest, false])
    assert "the proof of possession does not hold" in str(aborted)
    assert aborted.culprits == {1}
    evidence.verify_false_dealing(them.setup, 2, false)


def test_control_without_proofs_of_possession_the_last_to_speak_owns_the_key() -> None:
    """Every other check passes, and the cheat alone knows the secret of the group's key."""
    them = holders(2, 2)
    honest = them.dealings()[0]
    false, chosen, share = rogue(them, honest)
    found = evidence.open_dealing(them.setup, 1, them.statics[0], 2, false.dealing)
    assert found.share == share
    verify_share(found.share, 1, false.dealing.promise.commitment)
    promises = (honest.dealing.promise, false.dealing.promise)
    assert common_commitment(promises)[0] == ed.base_mul(chosen)


def test_a_proof_of_possession_is_for_one_session() -> None:
    them = holders(3, 2)
    one = them.dealings()[0].dealing
    verify_dealing(them.setup, 1, one)
    later = replace(them.setup, session=b"later")
    with pytest.raises(VerificationFailed, match="proof of possession"):
        verify_dealing(later, 1, one)


@pytest.mark.parametrize(
    "change", [{"session": b"later"}, {"purpose": "unlock"}, {"min_signers": 3}], ids=str
)
def test_a_dealing_for_another_setup_convicts_nobody(change: dict[str, Any]) -> None:
    them = holders(3, 2)
    other = Holders(replace(them.setup, **change), them.statics, them.identities)
    dealings = [*them.dealings()[:2], other.dealings()[2]]
    aborted = refusal(them, dealings)
    assert not aborted.culprits
    assert aborted.suspects == {2}


def test_a_dealing_in_anothers_name_convicts_nobody() -> None:
    them = holders(3, 2)
    false = dealing(them, random_polynomial(3))
    forged = sign_dealing(them.setup, CHEAT + 1, false.dealing, them.identities[1])
    aborted = refusal(them, among(them, forged))
    assert not aborted.culprits
    assert aborted.suspects == {CHEAT}
    with pytest.raises(VerificationFailed, match="not signed by it"):
        evidence.verify_false_dealing(them.setup, CHEAT + 1, forged)
    with pytest.raises(VerificationFailed, match="proves nothing"):
        evidence.verify_false_dealing(them.setup, 1, them.dealings()[0])


def confirmed(
    them: Holders,
) -> tuple[list[tuple[Pending, Confirmation]], list[list[SignedDealing]]]:
    """Holders 1 and 3 saw one dealing of the cheat, holder 2 another."""
    first = them.dealings()
    second = [*first[:CHEAT], them.dealings()[CHEAT]]
    views = [first, second, first]
    return [them.check(seat, view) for seat, view in enumerate(views)], views


def test_two_stories_make_no_key_and_frame_nobody() -> None:
    them = holders(3, 2)
    checked, views = confirmed(them)
    for pending, _ in checked[:2]:
        with pytest.raises(Abort, match="saw other dealings") as aborted:
            dkg.round3(pending, [sent for _, sent in checked])
        assert not aborted.value.culprits
        assert not aborted.value.suspects
    one, other = views[0][CHEAT], views[1][CHEAT]
    evidence.verify_two_dealings(them.setup, CHEAT + 1, one, other)
    with pytest.raises(VerificationFailed, match="shown twice"):
        evidence.verify_two_dealings(them.setup, CHEAT + 1, one, one)
    with pytest.raises(VerificationFailed, match="not signed by it"):
        evidence.verify_two_dealings(them.setup, 1, one, other)


def test_control_without_confirmations_two_stories_make_two_keys() -> None:
    them = holders(3, 2)
    (one, _), (other, _), _ = confirmed(them)[0]
    assert one.public != other.public


def test_who_confirms_without_its_signature_is_a_suspect() -> None:
    them = holders(3, 2)
    dealings = them.dealings()
    checked = [them.check(seat, dealings) for seat in range(3)]
    sent = [sent for _, sent in checked]
    for bad in (bytes(64), b"", sent[0].signature):
        with pytest.raises(Abort, match="confirmation of 3 does not verify") as aborted:
            dkg.round3(checked[0][0], [*sent[:2], replace(sent[2], signature=bad)])
        assert not aborted.value.culprits
        assert aborted.value.suspects == {2}


def test_the_absent_are_suspects() -> None:
    them = holders(3, 2)
    dealings = them.dealings()
    for given in ([dealings[0], None, dealings[2]], [dealings[0], None], [dealings[0]]):
        with pytest.raises(Abort, match="no dealing of 2") as aborted:
            them.check(0, given)
        assert 1 in aborted.value.suspects
        assert not aborted.value.culprits
    pending, sent = them.check(0, dealings)
    with pytest.raises(Abort, match="no confirmation of 2, 3") as aborted:
        dkg.round3(pending, [sent, None, None])
    assert aborted.value.suspects == {1, 2}
    with pytest.raises(Abort):
        them.check(0, [*dealings, dealings[0]])


def test_ones_own_dealing_comes_back_as_it_was_sent() -> None:
    them = holders(3, 2)
    dealings = them.dealings()
    with pytest.raises(Abort, match="own dealing came back altered") as aborted:
        them.check(0, dealings, mine=them.dealings()[0])
    assert not aborted.value.culprits


MIXED = Point(slow.encode(slow.add(slow.BASE, slow.torsion()[1])))


@pytest.mark.parametrize("bad", [MIXED, ed.IDENTITY, Point(bytes(32)), Point(b"short")])
@pytest.mark.parametrize("place", ["constant", "coefficient", "ephemeral", "proof"])
def test_what_is_no_point_is_refused_wherever_it_arrives(bad: Point, place: str) -> None:
    them = holders(3, 2)
    good = them.dealings()[CHEAT].dealing
    constant, coefficient = good.promise.commitment
    changed = {
        "constant": replace(good.promise, commitment=(bad, coefficient)),
        "coefficient": replace(good.promise, commitment=(constant, bad)),
        "ephemeral": replace(good.promise, ephemeral=bad),
        "proof": replace(good.promise, proof=bad + good.promise.proof[32:]),
    }[place]
    false = signed(them, replace(good, promise=changed))
    assert refusal(them, among(them, false)).culprits == {CHEAT}
    evidence.verify_false_dealing(them.setup, CHEAT + 1, false)


def test_points_of_a_complaint_are_points() -> None:
    them = holders(3, 2)
    false = dealing(them, random_polynomial(2), lambda _, s: plus_one(s))
    complaint = evidence.complain(
        them.setup, them.statics[VICTIM], CHEAT + 1, false.dealing, os.urandom
    )
    for bad in (MIXED, ed.IDENTITY):
        for altered in (replace(complaint, ephemeral=bad), replace(complaint, static=bad)):
            with pytest.raises(VerificationFailed, match="prime-order subgroup"):
                evidence.verify_complaint(them.setup, altered, false)


@pytest.mark.parametrize("size", [0, 47, delivery.MAX_CIPHERTEXT + 1])
def test_a_ciphertext_of_impossible_size_is_refused(size: int) -> None:
    them = holders(3, 2)
    good = them.dealings()[CHEAT].dealing
    false = signed(them, replace(good, ciphertexts=(bytes(size), *good.ciphertexts[1:])))
    assert "impossible size" in str(refusal(them, among(them, false)))
    fewer = signed(them, replace(good, ciphertexts=good.ciphertexts[:2]))
    assert "not one share for each" in str(refusal(them, among(them, fewer)))


def test_coefficients_that_cancel_the_others_are_no_polynomial_of_the_cheat() -> None:
    """The last to speak makes the sum of all second points the identity."""
    them = holders(3, 2)
    dealings = them.dealings()
    polynomial = random_polynomial(2)
    others = ed.sum_points(one.dealing.promise.commitment[1] for one in dealings[:CHEAT])
    honest = dealing(them, polynomial).dealing
    ephemeral_less = replace(
        honest.promise, commitment=(honest.promise.commitment[0], ed.negate(others))
    )
    proof = schnorr.sign(polynomial[0], possession_input(them.setup.context(), ephemeral_less))
    false = signed(them, replace(honest, promise=replace(ephemeral_less, proof=proof)))
    aborted = refusal(them, [*dealings[:CHEAT], false])
    assert aborted.culprits == {CHEAT}


def test_setups_differ_by_everything_in_them() -> None:
    setup = holders(3, 2).setup
    changed: list[Setup] = [
        replace(setup, purpose="unlock"),
        replace(setup, min_signers=3),
        replace(setup, session=b"later"),
        replace(setup, static_keys=setup.static_keys[::-1]),
        replace(setup, identities=setup.identities[::-1]),
    ]
    assert len({one.digest() for one in [setup, *changed]}) == 6
