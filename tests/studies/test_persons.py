"""What members make of names and dates at home, and why hashes of them are refused."""

import hashlib

import pytest

from quorate.errors import DataError, MalformedStudy, Refused
from quorate.studies.persons import (
    LEAKS,
    Method,
    Part,
    Way,
    filters,
    keys,
    method,
    normalised,
    part,
    sound,
)

BY_SOUND = (Part(Way.SOUND, "given"), Part(Way.SOUND, "family"), Part(Way.DATE, "born"))
BY_TEXT = (Part(Way.TEXT, "given"), Part(Way.TEXT, "family"), Part(Way.DATE, "born"))


@pytest.mark.parametrize(
    ("one", "other"), [("Müller", "Mu\u0308ller "), ("de la Cruz", "DELACRUZ"), ("ﬁnn", "finn")]
)
def test_names_are_written_in_one_way(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("name", "code"),
    [("Robert", "r163"), ("Rupert", "r163"), ("Ashcraft", "a261"), ("Pfister", "p236")],
)
def test_names_that_sound_alike_have_one_code(name: str, code: str) -> None:
    assert sound(name) == code


def test_the_same_person_written_differently_has_the_same_key() -> None:
    given = ["Ánna Maria", "Anna Maria", "anna-maria", "Berta"]
    family = ["Müller", "Mueler", "MULLER", "Schmidt"]
    born = ["1970-03-04", "1970-03-04 00:00:00", "1970-04-03", "1981-12-30"]
    found = keys(BY_SOUND, [given, family, born]).tolist()
    assert found[0] == found[1] == found[2] != found[3]
    assert max(found) < 1 << 62
    by_number = keys((Part(Way.TEXT, "insurance"),), [["A 12-3", "a123", "B 9"]]).tolist()
    assert by_number[0] == by_number[1] != by_number[2]


@pytest.mark.parametrize("born", ["", "4.3.1970", "1970-13-40"])
def test_a_row_without_a_value_to_link_by_is_refused_and_not_quoted(born: str) -> None:
    with pytest.raises(DataError, match="column born") as found:
        keys(BY_SOUND, [["Anna"], ["Secret"], [born]])
    assert "Secret" not in str(found.value)


def test_filters_of_typing_errors_are_close() -> None:
    given, family = ["Ánna Maria", "Ana Maria", "Berta"], ["Müller", "Müler", "Schmidt"]
    rows = filters(BY_TEXT, [given, family, ["1970-03-04", "1970-03-04", "1981-12-30"]])
    common, sizes = rows @ rows.T, rows.sum(axis=1)
    likeness = 2 * common / (sizes[:, None] + sizes[None, :])
    assert likeness[0, 1] > 0.8
    assert likeness[0, 2] < 0.5


@pytest.mark.parametrize("text", ["family", "hash family", "sound", "sound a b", "date 1st"])
def test_what_is_no_part_of_a_key_is_refused(text: str) -> None:
    with pytest.raises(MalformedStudy, match="no part of a key"):
        part("analyses.persons.key", text)
    assert part("", "sound family") == Part(Way.SOUND, "family")


def test_hashes_that_all_can_compute_are_refused_with_the_reason() -> None:
    for name in ("hash", "keyed-hash", "hmac hash"):
        with pytest.raises(Refused, match="reads off who is there"):
            method("", name)
    with pytest.raises(MalformedStudy):
        method("", "guess")
    assert {method("", one) for one in ("exact", "match", "dice")} == set(LEAKS) == set(Method)


def test_control_who_can_compute_a_hash_finds_persons_on_a_list() -> None:
    key, list_of_all = b"shared by the members", [f"patient {i}" for i in range(500)]
    told = {hashlib.blake2b(b"patient 77", key=key).digest()}
    found = [one for one in list_of_all if hashlib.blake2b(one.encode(), key=key).digest() in told]
    assert found == ["patient 77"]
