"""Signers and coordinators that cheat: refused, and named where there is proof."""

import os
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Point, Scalar
from quorate.errors import Abort, MalformedMessage, Refused, SessionReused, VerificationFailed
from quorate.threshold import frost, statement
from quorate.threshold.frost import NonceCommitment, Nonces, SignatureShare, SigningPackage
from quorate.threshold.keys import seat
from quorate.threshold.sharing import lagrange
from quorate.threshold.statement import SignedShare
from tests.algebra import slow_edwards25519 as slow
from tests.threshold.dealt import deal

SHARES, PUBLIC = deal(3, 2)
ONE, TWO, THREE = SHARES
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([k]) * 32) for k in range(3)]
IDENTITIES = [key.public_key().public_bytes_raw() for key in KEYS]
SESSION = b"a session"


def stated(
    package: SigningPackage, answer: SignatureShare, session: bytes = SESSION
) -> SignedShare:
    digest = statement.package_digest(session, PUBLIC, package)
    return statement.state(KEYS[seat(answer.identifier)], digest, answer)


def two_signers() -> tuple[Nonces, Nonces, SigningPackage]:
    (first, c1), (second, c2) = (frost.commit(share, os.urandom) for share in (ONE, TWO))
    return first, second, frost.package(b"message", [c1, c2])


def off_by_one(answer: SignatureShare) -> SignatureShare:
    return replace(answer, z=ed.scalar_add(answer.z, ed.ONE))


def test_a_wrong_share_names_its_signer_with_proof() -> None:
    first, second, package = two_signers()
    good = stated(package, frost.sign(ONE, first, package))
    wrong = stated(package, off_by_one(frost.sign(TWO, second, package)))
    with pytest.raises(Abort, match="wrong signature shares of 2") as aborted:
        statement.aggregate(PUBLIC, SESSION, package, [good, wrong], IDENTITIES)
    assert aborted.value.culprits == {seat(2)}
    assert aborted.value.exit_code == 4
    statement.verify_proof(PUBLIC, SESSION, package, wrong, IDENTITIES[seat(2)])
    with pytest.raises(VerificationFailed, match="the share is right"):
        statement.verify_proof(PUBLIC, SESSION, package, good, IDENTITIES[seat(1)])


def test_right_shares_under_their_names_become_a_signature() -> None:
    first, second, package = two_signers()
    shares = [stated(package, frost.sign(TWO, second, package))]
    shares.append(stated(package, frost.sign(ONE, first, package)))
    signature = statement.aggregate(PUBLIC, SESSION, package, shares, IDENTITIES)
    frost.verify(PUBLIC.group, b"message", signature)


def two_faced() -> tuple[SigningPackage, SigningPackage, SignatureShare, SignatureShare]:
    """The coordinator tells signer 2 another commitment of signer 1 than it tells signer 1."""
    first, second, package = two_signers()
    _, another = frost.commit(ONE, os.urandom)
    told_to_two = frost.package(b"message", [another, package.commitments[1]])
    return (
        package,
        told_to_two,
        frost.sign(ONE, first, package),
        frost.sign(TWO, second, told_to_two),
    )


def test_two_faced_commitments_frame_nobody() -> None:
    package, told_to_two, one, two = two_faced()
    honest = [stated(package, one), stated(told_to_two, two)]
    with pytest.raises(Abort, match="2 did not state a share of this package") as aborted:
        statement.aggregate(PUBLIC, SESSION, package, honest, IDENTITIES)
    assert not aborted.value.culprits
    for told in (package, told_to_two):
        for signed in honest:
            with pytest.raises(VerificationFailed):
                statement.verify_proof(
                    PUBLIC, SESSION, told, signed, IDENTITIES[seat(signed.share.identifier)]
                )


def test_control_shares_without_statements_frame_the_honest() -> None:
    """Held against the coordinator's package, the honest share of 2 is wrong."""
    package, _, one, two = two_faced()
    with pytest.raises(Abort) as aborted:
        frost.aggregate(PUBLIC, package, [one, two])
    assert aborted.value.suspects == {seat(2)}
    with pytest.raises(VerificationFailed, match="share of 2 is wrong"):
        frost.verify_share(PUBLIC, package, two)


def test_a_share_in_anothers_name_convicts_nobody() -> None:
    first, second, package = two_signers()
    good = stated(package, frost.sign(ONE, first, package))
    wrong = off_by_one(frost.sign(TWO, second, package))
    digest = statement.package_digest(SESSION, PUBLIC, package)
    forged = statement.state(KEYS[seat(1)], digest, wrong)
    with pytest.raises(Abort) as aborted:
        statement.aggregate(PUBLIC, SESSION, package, [good, forged], IDENTITIES)
    assert not aborted.value.culprits
    assert aborted.value.suspects == {seat(2)}
    with pytest.raises(VerificationFailed, match="not under its signer's name"):
        statement.verify_proof(PUBLIC, SESSION, package, forged, IDENTITIES[seat(2)])
    stranger = SignedShare(SignatureShare(9, wrong.z), digest, bytes(64))
    with pytest.raises(Abort, match="9 did not state"):
        statement.aggregate(PUBLIC, SESSION, package, [good, stranger], IDENTITIES)


def test_a_statement_is_of_one_session_and_one_key() -> None:
    first, _, package = two_signers()
    answer = frost.sign(ONE, first, package)
    _, other = deal(3, 2)
    digest = statement.package_digest(SESSION, PUBLIC, package)
    assert digest != statement.package_digest(b"another", PUBLIC, package)
    assert digest != statement.package_digest(SESSION, other, package)
    with pytest.raises(VerificationFailed, match="for another package"):
        statement.verify_statement(IDENTITIES[0], digest, stated(package, answer, b"another"))


def test_a_share_replayed_under_another_message_is_wrong() -> None:
    first, second, package = two_signers()
    answers = [frost.sign(ONE, first, package), frost.sign(TWO, second, package)]
    for other in (replace(package, message=b"another message"), two_signers()[2]):
        with pytest.raises(Abort) as aborted:
            frost.aggregate(PUBLIC, other, answers)
        assert aborted.value.suspects == {seat(1), seat(2)}


def test_a_signer_refuses_a_package_without_its_own_commitment() -> None:
    first, _, package = two_signers()
    _, swapped = frost.commit(ONE, os.urandom)
    for commitments in ([swapped, package.commitments[1]], [package.commitments[1]] * 1):
        other = frost.package(b"message", [*commitments, frost.commit(THREE, os.urandom)[1]])
        with pytest.raises(Refused, match="own commitment"):
            frost.sign(ONE, first, other)
    with pytest.raises(Refused, match="another share"):
        frost.sign(TWO, first, package)
    frost.sign(ONE, first, package)  # the refusals above used nothing up


def test_signers_must_be_known_enough_and_each_there_once() -> None:
    first, _, package = two_signers()
    own, other = package.commitments
    with pytest.raises(Refused, match="1 signers, where 2 of 3"):
        frost.sign(ONE, first, frost.package(b"m", [own]))
    with pytest.raises(Refused, match="no holder of this key has the identifier 4"):
        frost.sign(ONE, first, frost.package(b"m", [own, replace(other, identifier=4)]))
    with pytest.raises(MalformedMessage, match="distinct"):
        frost.package(b"m", [own, own])


def test_a_key_that_unlocks_does_not_sign() -> None:
    shares, _ = deal(3, 2, "unlock")
    made = [frost.commit(share, os.urandom) for share in shares[:2]]
    package = frost.package(b"m", [sent for _, sent in made])
    with pytest.raises(Refused, match="does not sign"):
        frost.sign(shares[0], made[0][0], package)


MIXED = Point(slow.encode(slow.add(slow.BASE, slow.torsion()[1])))


@pytest.mark.parametrize("bad", [MIXED, Point(bytes(32)), Point(b"\2" + bytes(31))])
@pytest.mark.parametrize("place", ["hiding", "binding"])
def test_a_commitment_that_is_no_point_is_refused_by_all(bad: Point, place: str) -> None:
    first, own = frost.commit(ONE, os.urandom)
    good = NonceCommitment(2, hiding=ed.BASE, binding=ed.BASE)
    hostile = replace(good, hiding=bad) if place == "hiding" else replace(good, binding=bad)
    with pytest.raises(Abort, match="2 committed to not a point") as aborted:
        frost.package(b"m", [own, hostile])
    assert aborted.value.suspects == {seat(2)}
    signing = SigningPackage(b"m", (own, hostile))
    with pytest.raises(MalformedMessage, match="prime-order subgroup"):
        frost.sign(ONE, first, signing)
    with pytest.raises(MalformedMessage, match="prime-order subgroup"):
        frost.verify_share(PUBLIC, signing, answer(1))
    with pytest.raises(MalformedMessage, match="prime-order subgroup"):
        frost.aggregate(PUBLIC, signing, [answer(1), answer(2)])


def answer(identifier: int) -> SignatureShare:
    return SignatureShare(identifier, ed.ONE)


@pytest.mark.parametrize("bad", [ed.IDENTITY, Point(b""), Point(ed.BASE[:31])])
def test_a_commitment_to_nothing_does_not_decode(bad: Point) -> None:
    for hiding, binding in ((bad, ed.BASE), (ed.BASE, bad)):
        with pytest.raises(MalformedMessage):
            NonceCommitment(2, hiding, binding)


def test_many_signers_with_one_that_is_no_point() -> None:
    """The sum of many is made in two threads: what either refuses is refused."""
    shares, public = deal(20, 18)
    made = [frost.commit(share, os.urandom) for share in shares]
    for place in (2, 3):
        commitments = [sent for _, sent in made]
        commitments[place] = replace(commitments[place], hiding=MIXED)
        with pytest.raises(MalformedMessage, match="prime-order subgroup"):
            frost.verify_share(public, SigningPackage(b"m", tuple(commitments)), answer(1))


def test_nonces_are_used_once() -> None:
    first, _, package = two_signers()
    frost.sign(ONE, first, package)
    with pytest.raises(SessionReused, match="used before"):
        frost.sign(ONE, first, replace(package, message=b"another"))


def test_control_nonces_used_again_give_the_share_away() -> None:
    """Three answers of one pair of nonces: three equations in d, e and the share."""
    first, _, package = two_signers()
    hiding, binding = first.take()
    answers, lines = [], []
    for message in (b"one", b"two", b"three"):
        again = Nonces(hiding, binding, first.commitment)  # the defence, switched off
        signing = replace(package, message=message)
        answers.append(number(frost.sign(ONE, again, signing).z))
        common = frost._common(PUBLIC, signing)
        weight = ed.scalar_mul(lagrange(1, (1, 2)), common.challenge)
        lines.append((number(common.factors[0]), number(weight)))
    # z = d + rho e + w s: differences remove d, and then e.
    (r1, w1), (r2, w2), (r3, w3) = lines
    z1, z2, z3 = answers
    above = (z1 - z2) * (r1 - r3) - (z1 - z3) * (r1 - r2)
    below = (w1 - w2) * (r1 - r3) - (w1 - w3) * (r1 - r2)
    assert ed.scalar(above * pow(below, -1, ed.ORDER)) == ONE.secret


def number(a: Scalar) -> int:
    return int.from_bytes(a, "little")
