"""A node's folder: private, whole, and never another member's."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from quorate.errors import MalformedMessage, NotFound, Refused, Unavailable
from quorate.node.home import (
    REPORT_EVERY_S,
    card_from_json,
    card_to_json,
    create,
    open_home,
    split_address,
    write_file,
)
from quorate.studies.group import Group


def test_a_folder_opens_as_it_was_made(tmp_path: Path) -> None:
    made = create(tmp_path / "north", "north", "192.0.2.7:7400", "north.example:7400")
    found = open_home(tmp_path / "north")
    assert found.member() == made.member()
    assert found.listen_at == ("192.0.2.7", 7400)
    assert found.member().address == "north.example:7400"
    assert found.group is None
    assert found.tables == {}


def test_a_node_says_who_runs_it(tmp_path: Path) -> None:
    made = create(tmp_path / "ward", "ward", "127.0.0.1:7400", operator="clinic-it")
    assert open_home(tmp_path / "ward").member() == made.member()
    assert made.member().run_by == "clinic-it"
    other = create(tmp_path / "lab", "lab", "127.0.0.1:7401").member()
    with pytest.raises(Refused, match="another operator for ward"):
        made.join(Group("g", (replace(made.member(), operator=""), other)))
    with pytest.raises(MalformedMessage):
        create(tmp_path / "x", "x", "127.0.0.1:7400", operator="x")


def test_only_the_operator_can_read_it(tmp_path: Path) -> None:
    home = create(tmp_path / "north", "north", "127.0.0.1:7400")
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700
    for path in home.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    home = create(tmp_path / "north", "north", "127.0.0.1:7400")
    (home.folder / "identity.key").chmod(0o644)
    with pytest.raises(Refused, match="can be read by others"):
        open_home(home.folder)


def test_the_key_is_not_in_the_repr(tmp_path: Path) -> None:
    home = create(tmp_path / "north", "north", "127.0.0.1:7400")
    assert "identity" not in repr(home)


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    create(tmp_path, "north", "127.0.0.1:7400")
    with pytest.raises(Refused, match="already"):
        create(tmp_path, "north", "127.0.0.1:7400")


@pytest.mark.parametrize(
    ("name", "listen"),
    [("North", "127.0.0.1:1"), ("", "127.0.0.1:1"), ("north", "127.0.0.1"), ("north", "h:0")],
)
def test_unusable_names_and_addresses_leave_no_folder(
    tmp_path: Path, name: str, listen: str
) -> None:
    with pytest.raises(MalformedMessage):
        create(tmp_path / "x", name, listen)
    assert not (tmp_path / "x").exists()


def test_what_is_not_a_node_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as found:
        open_home(tmp_path)
    assert "quorate init" in found.value.hint


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 100)
    with pytest.raises(Unavailable, match="too long"):
        create(folder, "north", "127.0.0.1:7400")


@pytest.mark.parametrize("text", ["name = [", "nam = 'x'", "timeout_s = 0", "timeout_s = 'long'"])
def test_settings_that_are_not_understood_are_refused(tmp_path: Path, text: str) -> None:
    home = create(tmp_path / "north", "north", "127.0.0.1:7400")
    write_file(home.folder / "node.toml", text)
    with pytest.raises((Unavailable, MalformedMessage)):
        open_home(home.folder)


def test_a_key_of_another_kind_or_none_is_refused(tmp_path: Path) -> None:
    home = create(tmp_path / "north", "north", "127.0.0.1:7400")
    other = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    for content in (other.decode(), "not a key"):
        write_file(home.folder / "identity.key", content)
        with pytest.raises(Unavailable, match="does not hold"):
            open_home(home.folder)
    (home.folder / "identity.key").unlink()
    with pytest.raises(Unavailable, match="cannot be read"):
        open_home(home.folder)


def test_a_member_joins_the_group_that_lists_its_key_and_no_other(tmp_path: Path) -> None:
    north, south, impostor = (
        create(tmp_path / folder, name, f"127.0.0.1:{port}")
        for folder, name, port in (("n", "north", 1), ("s", "south", 2), ("i", "north", 3))
    )
    group = Group("pair", (north.member(), south.member()))
    with pytest.raises(Refused, match="another key for north"):
        impostor.join(group)
    with pytest.raises(Refused, match="no member"):
        north.join(Group("pair", (south.member(),)))
    north.join(group)
    assert open_home(north.folder).group == group
    north.join(group)
    with pytest.raises(Refused, match="another group already"):
        north.join(Group("other", group.members))


def test_a_card_carries_a_member(tmp_path: Path) -> None:
    member = create(tmp_path / "north", "north", "127.0.0.1:7400").member()
    assert card_from_json(card_to_json(member)) == member
    with pytest.raises(MalformedMessage):
        card_from_json(card_to_json(member).replace("north", "North"))


def test_tables_are_files_that_exist(tmp_path: Path) -> None:
    home = create(tmp_path / "north", "north", "127.0.0.1:7400")
    rows = tmp_path / 'odd "name" é.csv'
    rows.write_text("age\n30\n")
    home.add_table("patients", rows)
    assert open_home(home.folder).tables == {"patients": rows.resolve()}
    with pytest.raises(Unavailable):
        home.add_table("patients", tmp_path / "absent.csv")
    with pytest.raises(Refused):
        home.add_table("no good", rows)


def test_addresses_split() -> None:
    assert split_address("north.example:7400") == ("north.example", 7400)
    assert split_address("[2001:db8::1]:7400") == ("2001:db8::1", 7400)


def test_the_period_of_reports_is_read_and_checked(tmp_path: Path) -> None:
    home = create(tmp_path / "north", "north", "127.0.0.1:7001")
    assert home.report_every_s == REPORT_EVERY_S
    settings = home.folder / "node.toml"
    plain = settings.read_text()
    for value, read in (("0", 0.0), ("1800", 1800.0)):
        write_file(settings, f"{plain}report_every_s = {value}\n")
        assert open_home(home.folder).report_every_s == read
    for value in ("-1", "inf", "nan", '"often"'):
        write_file(settings, f"{plain}report_every_s = {value}\n")
        with pytest.raises(Unavailable, match="not understood"):
            open_home(home.folder)
