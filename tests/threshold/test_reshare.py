"""The same key in other hands: what keeps working, what stops, and who is named."""

import hashlib
import os
from dataclasses import replace

import pytest

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.errors import Abort, MalformedMessage, Refused, VerificationFailed
from quorate.threshold import dkg, evidence, frost, partial, reshare, schnorr, sharing, tdh2
from quorate.threshold.access import Access
from quorate.threshold.dkg import Confirmation
from quorate.threshold.keys import KeyShare, Purpose
from quorate.threshold.partial import Asked
from quorate.threshold.policy import Role, parse_policy
from quorate.threshold.reshare import Certificate, Ready
from quorate.threshold.setup import SignedDealing, sign_dealing, transcript
from tests.algebra import slow_edwards25519 as slow
from tests.threshold.dealt import deal
from tests.threshold.hands import Hands, hand_over, sign

ROLES = (Role("oncology", ("ada", "ben", "cleo")), Role("pharmacy", ("dan", "eve", "finn")))
PEOPLE = ("ada", "ben", "cleo", "dan", "eve", "finn")
WARD = parse_policy("(2 of oncology) and (1 of pharmacy)", ROLES, PEOPLE)


def secret_of(shares: tuple[KeyShare, ...] | list[KeyShare]) -> ed.Scalar:
    """The whole secret, by the weights of who is there."""
    who = [share.identifier for share in shares]
    access = shares[0].public.access
    return ed.scalar_sum(ed.scalar_mul(access.weight(s.identifier, who), s.secret) for s in shares)


@pytest.mark.parametrize(
    "to", [Access(4, 7), Access(2, 2), Access(3, 5), WARD], ids=["4 of 7", "2 of 2", "same", "ward"]
)
def test_a_signing_key_keeps_its_public_key_in_other_hands(to: Access) -> None:
    shares, public = deal(5, 3)
    before = sign(shares[:3], b"before")
    new, certificate = hand_over((shares[0], shares[2], shares[4]), to).finish()
    reshare.verify_certificate(certificate)
    assert certificate.public_key() == new[0].public
    assert new[0].public.group == public.group
    assert new[0].public.key_id() != public.key_id()
    for share in new:
        share.verify()
    frost.verify(public.group, b"before", before)
    quorum = new[: to.min_signers] if to is not WARD else [new[0], new[2], new[4]]
    frost.verify(public.group, b"after", sign(quorum, b"after"))


def test_what_was_sealed_before_opens_after_in_other_hands() -> None:
    shares, public = deal(5, 3, "unlock")
    sealed = tdh2.encrypt(public.group, "record 7", b"sixteen bytes ok", os.urandom)
    new, certificate = hand_over(shares[:3], WARD).finish()
    assert certificate.test == b""
    again, _ = hand_over((new[0], new[1], new[3]), Access(2, 3)).finish()
    base = tdh2.verify(again[0].public.group, sealed)
    asked = Asked(bytes(32), sealed.digest())
    parts = [partial.make_partial(s, base, asked, os.urandom) for s in again[1:]]
    combined = partial.combine(again[0].public, base, asked, parts)
    assert tdh2.unmask(sealed, combined.point) == b"sixteen bytes ok"


def test_a_policy_becomes_a_number_again() -> None:
    shares, public = deal(3, 2)
    ward, _ = hand_over(shares[:2], WARD).finish()
    assert ward[0].public.caution
    plain, _ = hand_over((ward[1], ward[2], ward[5]), Access(3, 5)).finish()
    assert not plain[0].public.caution
    frost.verify(public.group, b"m", sign(plain[2:], b"m"))


def test_shares_stolen_before_a_refresh_are_useless_after_it() -> None:
    shares, public = deal(5, 3)
    fresh, _ = hand_over(shares[:3], Access(3, 5)).finish()
    mixed = [(s.identifier, s.secret) for s in (*shares[:2], fresh[2])]
    assert ed.base_mul(sharing.recover(mixed)) != public.group
    stolen = [replace(share, public=fresh[0].public) for share in shares[:2]]
    with pytest.raises(Abort) as aborted:
        sign([*stolen, fresh[2]], b"forged")
    assert aborted.value.suspects == {0, 1}


def test_control_without_a_refresh_shares_stolen_at_different_times_are_the_key() -> None:
    shares, public = deal(5, 3)
    mixed = [(s.identifier, s.secret) for s in (*shares[:2], shares[2])]
    assert ed.base_mul(sharing.recover(mixed)) == public.group


def test_a_holder_who_was_away_takes_its_share_when_it_is_back() -> None:
    shares, public = deal(4, 2)
    them = hand_over(shares[:2], Access(2, 4), away=(3,))
    pending, ready = them.prepare(them.dealings())
    new = [reshare.round3(pending[i], ready) for i in (0, 1, 3)]
    certificate = reshare.certify(pending[0], ready, them.test(new[:2], pending[0]))
    record = replace(
        pending[2].record,
        signatures=tuple(one.confirmation.signature if one else b"" for one in ready),
    )
    back = reshare.catch_up(record, certificate, them.statics[2])
    frost.verify(public.group, b"m", sign([new[0], back], b"m"))
    with pytest.raises(VerificationFailed, match="another resharing"):
        reshare.catch_up(replace(record, promises=record.promises[::-1]), certificate, ed.ONE)


def test_who_is_not_away_is_waited_for() -> None:
    shares, _ = deal(3, 2)
    them = hand_over(shares[:2], Access(2, 3))
    pending, ready = them.prepare(them.dealings())
    with pytest.raises(Abort, match="no confirmation of 2") as aborted:
        reshare.round3(pending[0], [ready[0], None, ready[2]])
    assert aborted.value.suspects == {1}
    with pytest.raises(VerificationFailed, match="new holder 2 is not ready"):
        reshare.certify(pending[0], [ready[0], None, ready[2]], b"")


def other_constant(them: Hands, dealer: int) -> list[SignedDealing]:
    """All dealings, one of them well made but of a secret of its dealer's own choice."""
    dealings = them.dealings()
    static, identity = them.dealer_statics[dealer], them.dealer_identities[dealer]
    chosen = ed.random_scalar(os.urandom)
    dealings[dealer] = dkg.deal(them.setup, chosen, static, identity, os.urandom)
    return dealings


def test_who_deals_another_secret_than_its_share_is_convicted() -> None:
    shares, _ = deal(3, 2)
    them = hand_over((shares[0], shares[2]), Access(2, 4))
    dealings = other_constant(them, 1)
    with pytest.raises(Abort, match="not the dealer's share") as aborted:
        them.prepare(dealings)
    assert aborted.value.culprits == {1}
    evidence.verify_false_dealing(them.setup, 2, dealings[1])
    with pytest.raises(VerificationFailed, match="proves nothing"):
        evidence.verify_false_dealing(them.setup, 1, dealings[0])


def test_control_without_the_old_commitment_one_dealer_replaces_the_key() -> None:
    """Every other check of a key generation passes; the key is lost."""
    shares, public = deal(3, 2)
    them = hand_over((shares[0], shares[2]), Access(2, 2))
    found = [
        [evidence.open_dealing(them.setup, i + 1, static, d, signed.dealing).share
         for i, static in enumerate(them.statics)]
        for d, signed in enumerate(other_constant(them, 1), 1)
    ]  # fmt: skip
    new = [(i, ed.scalar_sum(column)) for i, column in enumerate(zip(*found, strict=True), 1)]
    assert ed.base_mul(sharing.recover(new)) != public.group


def one_bad_share(them: Hands, victim: int) -> list[SignedDealing]:
    """The first dealer's dealings are right, but for what one new holder cannot decrypt."""
    dealings = them.dealings()
    good = dealings[0].dealing
    texts = [bytes(48) if i == victim else text for i, text in enumerate(good.ciphertexts)]
    false = replace(good, ciphertexts=tuple(texts))
    dealings[0] = sign_dealing(them.setup, 1, false, them.dealer_identities[0])
    return dealings


def test_a_dealer_that_serves_some_only_leaves_the_old_key_as_it_was() -> None:
    """The attack on resharing without agreement [AS20]: nobody may forget its old share."""
    shares, public = deal(3, 2)
    them = hand_over(shares[:2], Access(2, 3))
    dealings = one_bad_share(them, victim=2)
    served = [reshare.round2(them.setup, them.statics[i], dealings) for i in (0, 1)]
    with pytest.raises(Abort) as aborted:
        reshare.round2(them.setup, them.statics[2], dealings)
    assert aborted.value.culprits == {0}
    complaint = evidence.complain(them.setup, them.statics[2], 1, dealings[0].dealing, os.urandom)
    evidence.verify_complaint(them.setup, complaint, dealings[0])
    ready = [served[0][1], served[1][1], None]
    for pending, _ in served:
        with pytest.raises(Abort, match="no confirmation of 3"):
            reshare.round3(pending, ready)
    with pytest.raises(VerificationFailed):
        reshare.certify(served[0][0], ready, b"")
    frost.verify(public.group, b"m", sign(shares[1:], b"m"))


def test_control_where_each_forgets_by_itself_one_dealer_destroys_the_key() -> None:
    """Each new holder that checked its own share deletes the old one; the others could not.

    One is served and forgets, two are not and keep shares of a key that needs
    three: neither the old sharing nor the new has enough left.
    """
    shares, public = deal(3, 3)
    them = hand_over(shares, Access(3, 3))
    dealings = one_bad_share(them, victim=2)
    kept: list[tuple[int, ed.Scalar]] = []
    fresh: list[tuple[int, ed.Scalar]] = []
    for i, static in enumerate(them.statics):
        try:
            pending, _ = reshare.round2(them.setup, static, dealings)
            fresh.append((i + 1, pending.secret))
        except Abort:
            kept.append((i + 1, shares[i].secret))
    assert (len(kept), len(fresh)) == (1, 2)
    for left in (kept, fresh, kept + fresh):
        assert ed.base_mul(sharing.recover(left)) != public.group


def test_two_stories_of_a_dealer_certify_nothing() -> None:
    shares, _ = deal(3, 2)
    them = hand_over(shares[:2], Access(2, 3))
    one, other = them.dealings(), them.dealings()
    first = [reshare.round2(them.setup, static, one) for static in them.statics[:2]]
    second = reshare.round2(them.setup, them.statics[2], [other[0], one[1]])
    ready = [first[0][1], first[1][1], second[1]]
    for pending in (first[0][0], first[1][0], second[0]):
        with pytest.raises(Abort, match="saw other dealings") as aborted:
            reshare.round3(pending, ready)
        assert not aborted.value.culprits
    evidence.verify_two_dealings(them.setup, 1, one[0], other[0])


def test_who_has_no_new_share_cannot_say_ready() -> None:
    shares, _ = deal(3, 2)
    them = hand_over(shares[:2], Access(2, 3))
    pending, ready = them.prepare(them.dealings())
    one, two = ready[0], ready[1]
    assert one is not None
    assert two is not None
    lying = [one, replace(two, proof=one.proof), ready[2]]
    with pytest.raises(Abort, match="2 did not prove") as aborted:
        reshare.round3(pending[0], lying)
    assert aborted.value.suspects == {1}
    with pytest.raises(VerificationFailed, match="2 did not prove"):
        reshare.certify(pending[0], lying, b"")


def test_a_certificate_needs_a_signature_of_the_new_shares_and_the_old_key() -> None:
    shares, _ = deal(3, 2)
    _, certificate = hand_over(shares[:2], Access(2, 3)).finish()
    other, _ = hand_over(deal(3, 2)[0][:2], Access(2, 3)).finish()
    for bad in (
        replace(certificate, test=bytes(64)),
        replace(certificate, test=sign(other[:2], b"m")),
        replace(certificate, ready=certificate.ready[:2]),
        replace(certificate, promises=certificate.promises[::-1]),
        replace(certificate, setup=replace(certificate.setup, session=b"later")),
    ):
        with pytest.raises(VerificationFailed):
            reshare.verify_certificate(bad)


MIXED = ed.Point(slow.encode(slow.add(slow.BASE, slow.torsion()[1])))


@pytest.mark.parametrize("bad", [MIXED, ed.IDENTITY, ed.Point(b"short"), ed.Point(bytes(32))])
def test_a_certificate_from_elsewhere_holds_points_or_is_refused(bad: ed.Point) -> None:
    shares, _ = deal(3, 2)
    _, certificate = hand_over(shares[:2], Access(2, 3)).finish()
    first, second = certificate.promises
    for commitment in ((first.commitment[0], bad), (bad, first.commitment[1])):
        promises = (replace(first, commitment=commitment), second)
        with pytest.raises(VerificationFailed, match="prime-order subgroup"):
            reshare.verify_certificate(replace(certificate, promises=promises))
    cancelling = (first.commitment[0], ed.negate(second.commitment[1]))
    promises = (replace(first, commitment=cancelling), second)
    with pytest.raises(VerificationFailed):
        reshare.verify_certificate(replace(certificate, promises=promises))


def test_a_certificate_for_holders_of_ones_own_takes_the_key() -> None:
    """Too few old holders make up dealings: the constants are public, the shares are not."""
    shares, _ = deal(3, 2, "unlock")
    them = hand_over(shares[:2], Access(2, 2))
    dealings = them.dealings()
    promises = tuple(one.dealing.promise for one in dealings)
    known = ed.random_scalar(os.urandom)
    rest = ed.sum_points(one.commitment[0] for one in promises)
    line = ed.sub(ed.base_mul(known), rest)
    first = replace(promises[0], commitment=(promises[0].commitment[0], line))
    second = replace(promises[1], commitment=(promises[1].commitment[0], ed.BASE))
    line = ed.sub(line, ed.BASE)
    made_up = (replace(first, commitment=(first.commitment[0], line)), second)
    told = transcript(them.setup, made_up, b"")
    digest = hashlib.sha512(told).digest()
    ready = tuple(
        Ready(Confirmation(digest, schnorr.sign(static, told)), schnorr.sign(known, told))
        for static in them.statics
    )
    with pytest.raises(VerificationFailed, match=r"^2 did not prove"):
        reshare.verify_certificate(Certificate(them.setup, made_up, ready, b""))


@pytest.mark.parametrize("to", [Access(2, 3), Access(4, 7), WARD], ids=str)
def test_costs_what_the_docstrings_say(to: Access) -> None:
    shares, _ = deal(3, 2)
    them = hand_over(shares[:2], to)
    dealings = them.dealings()
    due = 34 * to.columns + 50 * to.max_signers + 236
    assert {len(wire.encode(one)) for one in dealings} == {due}
    _, ready = them.prepare(dealings)
    assert {len(wire.encode(one)) for one in ready} == {240}


def test_what_could_not_be_handed_over_is_refused() -> None:
    shares, _ = deal(3, 2)
    with pytest.raises(MalformedMessage, match="do not suffice"):
        hand_over(shares[:1], Access(2, 3))
    with pytest.raises(MalformedMessage, match="too many new holders are away"):
        hand_over(shares[:2], Access(2, 3), away=(1, 2))
    with pytest.raises(MalformedMessage, match="who is away holds no share"):
        hand_over(shares[:2], Access(2, 3), away=(4,))
    them = hand_over(shares[:2], Access(2, 3))
    with pytest.raises(Refused, match="not the one that is to be handed over"):
        reshare.round1(
            them.setup, shares[1], them.dealer_statics[0], them.dealer_identities[0], os.urandom
        )
    purpose: Purpose = "unlock"
    with pytest.raises(MalformedMessage, match="keeps its purpose"):
        replace(them.setup, purpose=purpose)
