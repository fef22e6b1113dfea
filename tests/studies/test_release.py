import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate import wire
from quorate.errors import Error, MalformedMessage, VerificationFailed
from quorate.studies.release import (
    Release,
    Signature,
    from_json,
    sign_certificate,
    to_json,
    verify_certificate,
    verify_release,
    verify_signature,
)
from quorate.studies.study import read_study
from tests.studies.trio import PLAN, TRIO, group_of, key, plan_of, signed_release, study_of

RELEASE = signed_release()
TEXT = to_json(RELEASE)


def resigned(release: Release) -> Release:
    """Return `release` with its certificate signed anew by all: only the content is wrong."""
    return replace(
        release,
        signatures=tuple(
            Signature(name, sign_certificate(key(name), release.certificate))
            for name in release.group.names
        ),
    )


def altered(value: Any) -> Iterator[Any]:
    """Yield copies of `value`, each different in one leaf or in one length."""
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            for other in altered(getattr(value, field.name)):
                yield replace(value, **{field.name: other})
    elif isinstance(value, tuple):
        yield value[:-1]
        yield (*value, *value[-1:])
        yield value[::-1] if value[::-1] != value else ("x",)
        for i, item in enumerate(value):
            for other in altered(item):
                yield (*value[:i], other, *value[i + 1 :])
    elif isinstance(value, bytes):
        yield value[:-1]
        yield bytes([value[0] ^ 1, *value[1:]])
        yield bytes([*value[:-1], value[-1] ^ 128])
    elif isinstance(value, int):
        yield value + 1
        yield -value - 1
    elif isinstance(value, str):
        yield value + "0"
        yield value[1:] or "x"
    else:
        yield "x"


ALTERED = [other for other in altered(RELEASE) if other != RELEASE]


def test_a_release_verifies_and_says_whether_the_roster_was_known() -> None:
    verified = verify_release(RELEASE, group=TRIO)
    assert (verified.certificate, verified.roster_known) == (RELEASE.certificate, True)
    assert not verify_release(RELEASE).roster_known


def test_a_release_altered_in_any_leaf_does_not_verify() -> None:
    assert len(ALTERED) > 150
    for release in ALTERED:
        with pytest.raises((MalformedMessage, VerificationFailed)):
            verify_release(wire.decode(wire.encode(release), Release))


def test_certificates_all_members_signed_still_must_be_of_the_plan() -> None:
    certificate = RELEASE.certificate
    free = {"session", "time", "software"}  # what a plan does not determine
    for field in fields(certificate):
        before = getattr(certificate, field.name)
        for other in altered(before):
            if other == before:
                continue
            release = resigned(
                replace(RELEASE, certificate=replace(certificate, **{field.name: other}))
            )
            if field.name in free and _stands_alone(release):
                continue
            with pytest.raises(VerificationFailed):
                verify_release(release)


def _stands_alone(release: Release) -> bool:
    """Return whether session, time and software are as well formed as the true ones."""
    certificate = release.certificate
    return (
        len(certificate.session) == 32
        and certificate.time == RELEASE.certificate.time
        and len(certificate.software) > 0
    )


@pytest.mark.parametrize(
    ("exact", "value"),
    [
        ("42890/884", "48.5181"),  # not in lowest terms
        ("-21445/-442", "48.5181"),
        ("21445/442", "48.5182"),
        ("21445/442", "48.51810"),
        ("21445/0", "48.5181"),
        ("21445/1", "21445"),
        ("sqrt(4)", "2"),
        ("-0", "0"),
        ("", "48.5181"),
        ("", "0"),
        ("", ""),
        ("21445/442", "withheld"),
        ("1e3", "1000"),
        ("\u0661", "1"),
    ],
)
def test_a_result_has_one_form(exact: str, value: str) -> None:
    results = list(RELEASE.certificate.results)
    results[1] = replace(results[1], exact=exact, value=value)
    certificate = replace(RELEASE.certificate, results=tuple(results))
    with pytest.raises(VerificationFailed, match="mean_age"):
        verify_release(resigned(replace(RELEASE, certificate=certificate)))


@pytest.mark.parametrize("software", ["", "\x1b[2J", "q" * 101])
def test_a_certificate_cannot_deceive_a_terminal(software: str) -> None:
    certificate = replace(RELEASE.certificate, software=software)
    with pytest.raises(VerificationFailed, match="software"):
        verify_release(resigned(replace(RELEASE, certificate=certificate)))


def test_another_groups_release_is_not_mistaken_for_ours() -> None:
    others = group_of("north", "south", "east")
    plan = plan_of(PLAN.study, others)
    release = signed_release(plan, others)
    assert verify_release(release).group == others
    with pytest.raises(VerificationFailed, match="another group"):
        verify_release(release, group=TRIO)


def test_a_signature_serves_no_other_plan() -> None:
    other = signed_release(plan_of(replace(PLAN.study, title="Another")))
    with pytest.raises(VerificationFailed, match="the signature of north"):
        verify_release(replace(other, signatures=RELEASE.signatures))


def test_one_signature_is_checked_by_name() -> None:
    certificate = RELEASE.certificate
    verify_signature(TRIO, certificate, RELEASE.signatures[1])
    with pytest.raises(VerificationFailed, match="the signature of north"):
        verify_signature(TRIO, certificate, replace(RELEASE.signatures[1], member="north"))
    with pytest.raises(VerificationFailed, match="not a member"):
        verify_signature(TRIO, certificate, replace(RELEASE.signatures[1], member="east"))


def test_a_certificate_is_checked_before_it_is_signed() -> None:
    verify_certificate(RELEASE.certificate, PLAN, TRIO)
    other = plan_of(study_of("integer 0..9 kg", "count(*)"))
    with pytest.raises(VerificationFailed, match="another plan"):
        verify_certificate(RELEASE.certificate, other, TRIO)


def test_the_file_gives_the_release_back() -> None:
    assert from_json(TEXT) == RELEASE
    assert to_json(from_json(TEXT)) == TEXT
    assert '"value": "48.5181"' in TEXT
    assert RELEASE.signatures[0].signature.hex() in TEXT


def test_the_wire_gives_the_release_back() -> None:
    assert wire.decode(wire.encode(RELEASE), Release) == RELEASE


@pytest.mark.parametrize("every", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_a_file_altered_anywhere_is_refused_or_does_not_verify(every: int) -> None:
    for at in range(0, len(TEXT), every):
        if TEXT[at].isspace():
            continue  # between tokens layout is free; within text the next test looks
        other = "0" if TEXT[at] != "0" else "1"
        with pytest.raises((MalformedMessage, VerificationFailed)):
            verify_release(from_json(TEXT[:at] + other + TEXT[at + 1 :]))


@given(st.integers(0, len(TEXT) - 1), st.integers(0, 20), st.text(max_size=6))
def test_no_edit_of_a_file_verifies_as_something_else(at: int, cut: int, paste: str) -> None:
    try:
        release = from_json(TEXT[:at] + paste + TEXT[at + cut :])
        verify_release(release)
    except Error:
        return
    assert release == RELEASE


@pytest.mark.parametrize("number", [1 << 64, -(1 << 63) - 1, 10**40])
def test_numbers_no_record_can_hold_are_refused(number: int) -> None:
    plain = json.loads(TEXT)
    plain["certificate"]["results"][0]["exact"] = number
    with pytest.raises(MalformedMessage):
        from_json(json.dumps(plain))


DEEP = """
title = "t"
purpose = "p"
max_rows = 1000
[tables.people]
age = "integer 0..120 years"
sex = "category F M"
[releases]
r = "select sex, count(*) as n, avg(age) as a, stddev(age) as s from people \
where not (not (age = 1 or (sex = 'F' and age in (2, 3)))) group by sex"
"""


def test_a_release_with_groups_conditions_and_withheld_cells_stands_alone() -> None:
    plan = plan_of(read_study(DEEP))
    totals = (3, 0, 60, 0, 1200, 0)
    release = signed_release(plan, results=plan.results(totals))
    assert [r.value for r in release.certificate.results] == ["withheld", "0"] + [
        "withheld",
        "none",
    ] * 2
    assert (
        verify_release(from_json(to_json(release)), group=TRIO).certificate == release.certificate
    )
    assert wire.decode(wire.encode([[[release]]]), list[list[list[Release]]]) == [[[release]]]


@pytest.mark.parametrize(
    ("at", "exact", "value"),
    [
        (0, "3", "3"),  # a small count was not withheld
        (0, "", "none"),
        (0, "3/2", "1.5"),
        (0, "-9", "-9"),
        (0, "sqrt(100)", "10"),
        (2, "sqrt(100)", "10"),
        (4, "100", "100"),
        (4, "sqrt(-1)", "0"),
        (4, "sqrt(2)", "1.414213"),
    ],
)
def test_a_result_no_honest_member_computes_does_not_verify(
    at: int, exact: str, value: str
) -> None:
    plan = plan_of(read_study(DEEP))
    results = list(plan.results((9, 9, 90, 90, 9000, 9000)))
    results[at] = replace(results[at], exact=exact, value=value)
    release = signed_release(plan, results=tuple(results))
    with pytest.raises(VerificationFailed, match="is not the one the plan names"):
        verify_release(release)
