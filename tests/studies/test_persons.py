"""What members make of names and dates at home, and why hashes of them are refused."""

import hashlib
from datetime import date

import pytest

from quorate.errors import Refused, Usage
from quorate.studies.persons import (
    LEAKS,
    Method,
    Person,
    filters,
    keys,
    method,
    normalised,
    sound,
)

ANNA = Person("Ánna Maria", "Müller", date(1970, 3, 4), "A 12-3")


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


def test_the_same_person_written_differently_has_a_key_in_common() -> None:
    others = [
        Person("Anna Maria", "Mueler", date(1970, 3, 4)),
        Person("anna-maria", "MULLER", date(1970, 4, 3)),
        Person("A.", "Mayer", date(1970, 3, 4), "a123"),
    ]
    for other in others:
        assert set(keys(ANNA)) & set(keys(other))
    stranger = Person("Berta", "Schmidt", date(1981, 12, 30), "B 9")
    assert not set(keys(ANNA)) & set(keys(stranger))
    assert all(key < 1 << 62 for key in keys(ANNA))


def test_filters_of_typing_errors_are_close() -> None:
    typo = Person("Ana Maria", "Müler", date(1970, 3, 4))
    stranger = Person("Berta", "Schmidt", date(1981, 12, 30))
    rows = filters([ANNA, typo, stranger])
    common, sizes = rows @ rows.T, rows.sum(axis=1)
    likeness = 2 * common / (sizes[:, None] + sizes[None, :])
    assert likeness[0, 1] > 0.8
    assert likeness[0, 2] < 0.5


def test_hashes_that_all_can_compute_are_refused_with_the_reason() -> None:
    for name in ("hash", "keyed-hash", "hmac hash"):
        with pytest.raises(Refused, match="reads off who is there"):
            method(name)
    with pytest.raises(Usage):
        method("guess")
    assert {method(one) for one in ("exact", "match", "dice")} == set(LEAKS) == set(Method)


def test_control_who_can_compute_a_hash_finds_persons_on_a_list() -> None:
    key, list_of_all = b"shared by the members", [f"patient {i}" for i in range(500)]
    told = {hashlib.blake2b(b"patient 77", key=key).digest()}
    found = [one for one in list_of_all if hashlib.blake2b(one.encode(), key=key).digest() in told]
    assert found == ["patient 77"]
