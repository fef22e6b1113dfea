import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import Error, MalformedMessage, NotFound
from quorate.studies.group import Group, check_group, group_from_json, group_to_json
from tests.studies.trio import TRIO, group_of

NORTH, SOUTH, WEST = TRIO.members


def test_a_member_sits_where_the_roster_has_it() -> None:
    assert [TRIO.party(name) for name in TRIO.names] == [0, 1, 2]
    with pytest.raises(NotFound):
        TRIO.party("east")


def test_the_digest_depends_on_every_field_and_the_order() -> None:
    others = [
        replace(TRIO, name="quartet"),
        replace(TRIO, members=(SOUTH, NORTH, WEST)),
        replace(TRIO, members=(NORTH, SOUTH)),
        replace(TRIO, members=(replace(NORTH, name="east"), SOUTH, WEST)),
        replace(TRIO, members=(replace(NORTH, address="north.example:1"), SOUTH, WEST)),
        replace(TRIO, members=(replace(NORTH, public_key=bytes(32)), SOUTH, WEST)),
    ]
    assert len({group.digest() for group in [TRIO, *others]}) == 7


def test_the_file_gives_the_group_back() -> None:
    assert group_from_json(group_to_json(TRIO)) == TRIO
    assert NORTH.public_key.hex() in group_to_json(TRIO)


@pytest.mark.parametrize(
    "address",
    ["north", "north:0", "north:65536", "north:7400/x", "no rth:7400", ":7400", "-n:1", "[::g]:1"],
)
def test_an_address_is_host_and_port(address: str) -> None:
    with pytest.raises(MalformedMessage, match="address of north"):
        check_group(replace(TRIO, members=(replace(NORTH, address=address), SOUTH)))


@pytest.mark.parametrize("address", ["127.0.0.1:7400", "[2001:db8::1]:7400", "a-b.example:1"])
def test_addresses_of_each_family_are_fine(address: str) -> None:
    check_group(replace(TRIO, members=(replace(NORTH, address=address), SOUTH)))


@pytest.mark.parametrize(
    "group",
    [
        replace(TRIO, name=""),
        replace(TRIO, name="Trio"),
        replace(TRIO, name="a" * 33),
        replace(TRIO, name="a\n"),
        group_of("north"),
        group_of(*(f"m{i}" for i in range(257))),
        replace(TRIO, members=(NORTH, replace(SOUTH, name="north"))),
        replace(TRIO, members=(NORTH, replace(SOUTH, public_key=NORTH.public_key))),
        replace(TRIO, members=(NORTH, replace(SOUTH, address=NORTH.address))),
        replace(TRIO, members=(NORTH, replace(SOUTH, public_key=bytes(31)))),
        replace(TRIO, members=(NORTH, replace(SOUTH, name="so uth"))),
        replace(TRIO, members=(NORTH, replace(SOUTH, operator="so uth"))),
        replace(TRIO, members=(NORTH, replace(SOUTH, operator="south"))),
    ],
)
def test_a_group_that_could_be_confused_is_refused(group: Group) -> None:
    with pytest.raises(MalformedMessage):
        check_group(group)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"name": "trio"', '"name": "trio", "extra": 1'),
        ('"name": "trio"', '"name": "trio", "name": "trio"'),
        ('"name": "trio"', '"name": 7'),
        ('"name": "trio"', '"name": "\\ud800"'),
        ('"name": "trio",', ""),
        ('"group 2"', '"group 1"'),
        (NORTH.public_key.hex(), NORTH.public_key.hex().upper()),
        (NORTH.public_key.hex(), NORTH.public_key.hex() + " "),
        (NORTH.public_key.hex(), "zz"),
    ],
)
def test_a_file_is_taken_in_one_spelling_only(old: str, new: str) -> None:
    text = group_to_json(TRIO)
    assert old in text
    with pytest.raises(MalformedMessage):
        group_from_json(text.replace(old, new, 1))


def test_a_node_is_run_by_its_member_unless_another_operator_is_named() -> None:
    duo = replace(TRIO, members=(NORTH, replace(SOUTH, operator="north-it")))
    check_group(duo)
    assert [member.run_by for member in duo.members] == ["north", "north-it"]
    assert duo.digest() != replace(TRIO, members=(NORTH, SOUTH)).digest()
    assert group_from_json(group_to_json(duo)) == duo


def test_layout_of_the_file_is_free() -> None:
    assert group_from_json(json.dumps(json.loads(group_to_json(TRIO)), sort_keys=True)) == TRIO


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 10_000, " " * (5 << 20), "", "null", "[]"])
def test_texts_made_to_exhaust_the_reader_are_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        group_from_json(text)


@given(st.data())
def test_no_edit_of_the_file_breaks_the_reader(data: st.DataObject) -> None:
    text = group_to_json(TRIO)
    at = data.draw(st.integers(0, len(text)))
    paste = data.draw(st.text(max_size=6))
    try:
        group = group_from_json(text[:at] + paste + text[at + data.draw(st.integers(0, 6)) :])
    except Error:
        return
    check_group(group)
