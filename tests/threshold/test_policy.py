"""Policies of roles: who may act by the words is who may act by the shares, and nobody else."""

import os
from collections.abc import Callable
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra.edwards25519 import Scalar
from quorate.errors import Abort, MalformedMessage, Refused
from quorate.threshold import frost, partial, sharing, tdh2
from quorate.threshold.access import MAX_DEPTH, Access, Gate, _rows
from quorate.threshold.keys import KeyShare, PublicKey, Purpose
from quorate.threshold.partial import Asked
from quorate.threshold.policy import Role, parse_policy
from quorate.threshold.setup import Setup, static_key
from tests.threshold.ceremony import Holders, holders
from tests.threshold.hands import sign

CARE = (Role("doctor", ("d1", "d2")), Role("pharmacist", ("p1",)), Role("nurse", ("n1", "n2")))
WARD = (Role("oncology", ("o1", "o2", "o3")), Role("pharmacy", ("q1", "q2")))
NIGHT = (Role("senior", ("s1", "s2", "s3")), Role("night", ("x1", "x2", "x3")))
Says = Callable[[set[str]], bool]


def roles(present: set[str]) -> list[int]:
    """How many of each first letter are there, in alphabetical order of the letters in use."""
    return [sum(name[0] == letter for name in present) for letter in "dpnoqsx"]


def care(present: set[str]) -> bool:
    d, p, n, *_ = roles(present)
    return (d > 0) + (p > 0) + (n > 0) >= 2


def ward(present: set[str]) -> bool:
    *_, o, q, _, _ = roles(present)
    return o >= 2 and q >= 1


def night(present: set[str]) -> bool:
    *_, s, x = roles(present)
    return s >= 2 or (x >= 2 and "boss" in present)


POLICIES: list[tuple[str, tuple[Role, ...], tuple[str, ...], Says]] = [
    ("2 of doctor, pharmacist, nurse", CARE, ("d1", "n2", "p1", "d2", "n1"), care),
    ("(2 of oncology) and (1 of pharmacy)", WARD, ("q1", "o1", "o2", "o3", "q2"), ward),
    (
        "(2 of senior) or (boss and (2 of night))",
        NIGHT,
        ("boss", *NIGHT[0].members, *NIGHT[1].members),
        night,
    ),
]
IDS = [text for text, *_ in POLICIES]


def subsets(n: int) -> list[tuple[int, ...]]:
    return list(chain.from_iterable(combinations(range(1, n + 1), k) for k in range(n + 1)))


def spans_secret(rows: list[tuple[Scalar, ...]]) -> bool:
    """Whether (1, 0, ..., 0) is in the span of the rows modulo the order, by elimination."""
    width = len(rows[0]) if rows else 1
    left = [[int.from_bytes(m, "little") for m in row] for row in rows]
    target = [1, *[0] * (width - 1)]
    for column in reversed(range(width)):
        pivot = next((row for row in left if row[column]), None)
        if pivot is None:
            if target[column]:
                return False
            continue
        left.remove(pivot)
        inverse = pow(pivot[column], -1, ed.ORDER)
        for row in (*left, target):
            factor = row[column] * inverse % ed.ORDER
            row[:] = [(a - factor * b) % ed.ORDER for a, b in zip(row, pivot, strict=True)]
    return not any(target)


@pytest.mark.parametrize(("text", "named", "names", "says"), POLICIES, ids=IDS)
def test_for_every_set_of_holders_words_formula_and_span_agree(
    text: str, named: tuple[Role, ...], names: tuple[str, ...], says: Says
) -> None:
    access = parse_policy(text, named, names)
    assert access.policy
    rows = _rows(access.policy)
    secret = sharing.polynomial(ed.random_scalar(os.urandom), access.columns, os.urandom)
    for chosen in subsets(len(names)):
        by_words = says({names[i - 1] for i in chosen})
        assert access.suffice(chosen) == by_words
        assert spans_secret([rows[i - 1] for i in chosen]) == by_words
        if by_words:
            shares = [(i, access.share(secret, i)) for i in chosen]
            found = ed.scalar_sum(ed.scalar_mul(access.weight(i, chosen), s) for i, s in shares)
            assert found == secret[0]
        else:
            with pytest.raises(Refused, match="do not suffice"):
                access.weight(1, chosen)


def generated(text: str, named: tuple[Role, ...], names: tuple[str, ...], purpose: Purpose) -> (
    tuple[tuple[KeyShare, ...], PublicKey]
):  # fmt: skip
    """Return a key of this policy, by the key generation itself."""
    access = parse_policy(text, named, names)
    plain = holders(len(names), 2, purpose)
    old = plain.setup
    setup = Setup(
        purpose,
        access.min_signers,
        old.session,
        old.static_keys,
        old.identities,
        access.policy or Gate(1, ()),
    )
    made = Holders(setup, plain.statics, plain.identities).generate()
    return tuple(one.share for one in made), made[0].share.public


@pytest.mark.parametrize(("text", "named", "names", "says"), POLICIES, ids=IDS)
def test_every_set_signs_if_the_policy_lets_it(
    text: str, named: tuple[Role, ...], names: tuple[str, ...], says: Says
) -> None:
    shares, public = generated(text, named, names, "sign")
    assert "nobody outside has reviewed" in public.caution
    for share in shares:
        share.verify()
    for chosen in subsets(len(names))[1:]:
        signers = [shares[i - 1] for i in chosen]
        if says({names[i - 1] for i in chosen}):
            frost.verify(public.group, b"order", sign(signers, b"order"))
        else:
            with pytest.raises(Refused, match="must sign"):
                sign(signers, b"order")


@pytest.mark.parametrize(("text", "named", "names", "says"), POLICIES, ids=IDS)
def test_every_set_opens_if_the_policy_lets_it(
    text: str, named: tuple[Role, ...], names: tuple[str, ...], says: Says
) -> None:
    shares, public = generated(text, named, names, "unlock")
    sealed = tdh2.encrypt(public.group, "record", b"sixteen bytes ok", os.urandom)
    base, asked = tdh2.verify(public.group, sealed), Asked(bytes(32), sealed.digest())
    parts = [partial.make_partial(share, base, asked, os.urandom) for share in shares]
    for chosen in subsets(len(names)):
        given = [parts[i - 1] for i in chosen]
        if says({names[i - 1] for i in chosen}):
            combined = partial.combine(public, base, asked, given)
            assert tdh2.unmask(sealed, combined.point) == b"sixteen bytes ok"
        else:
            with pytest.raises(Abort, match="are needed"):
                partial.combine(public, base, asked, given)


def test_where_the_check_is_left_out_the_shares_of_too_few_are_still_not_the_key() -> None:
    """The policy is in the shares: with any weights, two doctors do not have the secret."""
    shares, public = generated(*POLICIES[0][:3], "sign")
    two = [shares[0].secret, shares[3].secret]
    assert two[0] == two[1]  # a role of whom one is enough has one share
    for weight in (ed.ONE, ed.scalar(2), sharing.lagrange(1, (1, 2))):
        assert ed.base_mul(ed.scalar_mul(weight, two[0])) != public.group


def test_who_signs_a_wrong_share_under_a_policy_is_named() -> None:
    shares, public = generated(*POLICIES[1][:3], "sign")
    signers = [shares[0], shares[1], shares[3]]
    both = [frost.commit(share, os.urandom) for share in signers]
    package = frost.package(b"m", [sent for _, sent in both])
    answers = [frost.sign(s, kept, package) for s, (kept, _) in zip(signers, both, strict=True)]
    answers[1] = frost.SignatureShare(2, ed.scalar_add(answers[1].z, ed.ONE))
    with pytest.raises(Abort, match="wrong signature shares of 2") as aborted:
        frost.aggregate(public, package, answers)
    assert aborted.value.suspects == {1}


def test_a_share_made_under_a_policy_is_none_of_a_plain_key() -> None:
    """The context string differs: the same nonces and points bind otherwise."""
    shares, public = generated(*POLICIES[2][:3], "sign")
    plain = PublicKey("sign", 7, public.commitment)
    package = frost.package(b"m", [frost.commit(s, os.urandom)[1] for s in shares[:2]])
    assert frost._binding_factors(public, package) != frost._binding_factors(plain, package)


def test_a_dealing_for_a_policy_has_as_many_points_as_it_has_columns() -> None:
    access = parse_policy(*POLICIES[1][:3])
    assert (access.columns, access.min_signers) == (3, 3)
    text, named, names, _ = POLICIES[0]
    assert parse_policy(text, named, names).columns == 2
    public = generated(text, named, names, "sign")[1]
    with pytest.raises(MalformedMessage, match="does not fit its policy"):
        PublicKey("sign", 5, (*public.commitment, ed.BASE), public.policy)
    assert wire.decode(wire.encode(public), PublicKey) == public


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2 of doctor, d1, nurse", "d1 would be at two places"),
        ("(2 of doctor, nurse) and (1 of nurse)", "n1, n2 would be at two places"),
        ("2 of doctor, nurse", "does not name p1"),
        ("1 of doctor, nurse, pharmacist", "one holder could act alone"),
        ("4 of doctor, nurse, pharmacist", "4 of 3 can never be a rule"),
        ("0 of doctor", "can never be a rule"),
        ("doctor and nurse or pharmacist", "need parentheses"),
        ("2 of doctor, nurse, chaplain", "chaplain is neither a role nor a holder"),
        ("2 of doctor, nurse, pharmacist)", "is not expected there"),
        ("(2 of doctor, nurse, pharmacist", "ends too early"),
        ("2 of", "ends too early"),
        ("", "ends too early"),
        ("2 of doctor; nurse", "names, numbers, commas"),
        ("(" * 40 + "doctor", "gates deep"),
        ("d" * 1001, "at most 1000 characters"),
    ],
)
def test_what_is_no_policy_is_refused_and_said_why(text: str, said: str) -> None:
    with pytest.raises(Refused, match=said.replace("(", r"\(").replace(")", r"\)")):
        parse_policy(text, CARE, ("d1", "d2", "p1", "n1", "n2"))


def test_a_person_with_two_roles_is_refused() -> None:
    named = (Role("doctor", ("ada", "ben")), Role("pharmacist", ("ada", "cleo")))
    with pytest.raises(Refused, match="ada would be at two places"):
        parse_policy("(1 of doctor) and (1 of pharmacist)", named, ("ada", "ben", "cleo"))


def test_control_at_two_places_one_person_would_be_two() -> None:
    """Without the check ada alone opens the gate that wants two people."""
    twice = Gate(2, (Gate(1, (1, 2)), Gate(1, (1, 3))))
    assert Access(2, 3, twice).suffice((1,))
    with pytest.raises(MalformedMessage, match="every holder once"):
        PublicKey("sign", 3, (ed.BASE, ed.BASE), twice)


def nested(depth: int) -> Gate:
    gate = Gate(2, (1, 2))
    for _ in range(depth - 1):
        gate = Gate(1, (gate,))
    return gate


@pytest.mark.parametrize(
    "bad",
    [
        Gate(2, (1, 2, 4)),
        Gate(2, (0, 1, 2)),
        Gate(4, (1, 2, 3)),
        Gate(0, (1, 2, 3)),
        Gate(-1, (1, 2, 3)),
        Gate(1, (1, 2, 3)),
        Gate(3, (1, 2, 3)),
        Gate(2, (1, Gate(1, ()), 2, 3)),
        nested(MAX_DEPTH + 1),
    ],
    ids=str,
)
def test_a_policy_from_elsewhere_is_held_to_the_same(bad: Gate) -> None:
    with pytest.raises(MalformedMessage):
        PublicKey("sign", 3, (ed.BASE, ed.BASE), bad)


@given(st.text(alphabet="12of ,()andrcet-ns", max_size=60))
def test_any_words_are_a_policy_or_refused(text: str) -> None:
    try:
        access = parse_policy(text, CARE, ("d1", "d2", "p1", "n1", "n2"))
    except Refused:
        return  # any other error would fail
    assert access.suffice(range(1, 6))


def test_a_generation_for_a_policy_is_another_session() -> None:
    statics = [static_key(bytes([i]) * 32) for i in range(3)]
    keys = tuple(map(ed.base_mul, statics))
    publics = tuple(bytes([i]) * 32 for i in range(3))
    plain = Setup("sign", 2, b"s", keys, publics)
    policy = Setup("sign", 2, b"s", keys, publics, Gate(2, (1, 2, 3)))
    assert plain.context() != policy.context()
    assert plain.digest() != policy.digest()
