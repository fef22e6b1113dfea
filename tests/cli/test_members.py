"""`quorate init`, `group` and `study check`: everything before a node runs."""

import json
from pathlib import Path

import pytest

from quorate.node.home import open_home
from tests.cli.say import Shell
from tests.docs.project import PROJECT

STUDY = PROJECT / "examples/average-age.toml"
NAMES = ("north", "south", "west")


@pytest.fixture
def cards(shell: Shell) -> list[Path]:
    for i, name in enumerate(NAMES):
        said = shell("init", name, "--name", name, "--listen", f"127.0.0.1:{7401 + i}")
        assert said.code == 0
    return [Path(name, f"{name}.card.json") for name in NAMES]


def test_the_card_is_public_and_the_folder_is_not(shell: Shell, cards: list[Path]) -> None:
    assert Path("north").stat().st_mode & 0o777 == 0o700
    assert Path("north/identity.key").stat().st_mode & 0o777 == 0o600
    card = json.loads(cards[0].read_text())
    assert card.keys() == {"quorate", "name", "address", "public_key", "operator"}
    secret = open_home(Path("north")).identity.private_bytes_raw().hex()
    assert secret not in cards[0].read_text()


def test_a_folder_is_made_once(shell: Shell, cards: list[Path]) -> None:
    before = cards[0].read_text()
    assert shell("init", "north", "--name", "other").code == 5
    assert cards[0].read_text() == before


def test_init_wants_a_usable_name_and_address(shell: Shell) -> None:
    assert shell("init", "x").code == 2
    for options in (["--name", "North!"], ["--name", "north", "--listen", "nowhere"]):
        assert shell("init", "x", *options).code == 1
    assert not Path("x").exists()


def test_a_group_is_made_joined_and_shown(shell: Shell, cards: list[Path]) -> None:
    made = shell("group", "create", "trio", *cards, "--out", "trio.json")
    assert made.code == 0
    digest = next(line for line in made.out.splitlines() if line.startswith("digest"))
    for name in NAMES:
        assert digest in shell("group", "join", "trio.json", "--node", name).out
        shown = shell("group", "show", "--node", name)
        assert digest in shown.out
        assert "this node, not running" in shown.out
    said = json.loads(shell("group", "show", "--node", "west", "--format", "json").out)
    assert said["digest"] == digest.removeprefix("digest").replace(" ", "")
    assert [member["name"] for member in said["members"]] == list(NAMES)


def test_a_group_one_is_not_in_is_not_joined(shell: Shell, cards: list[Path]) -> None:
    shell("group", "create", "duo", *cards[:2], "--out", "duo.json")
    said = shell("group", "join", "duo.json", "--node", "west")
    assert said.code == 5
    assert "group duo has no member west" in said.err
    assert shell("group", "show", "--node", "west").code == 1


def test_a_group_with_another_key_under_ones_name_is_not_joined(
    shell: Shell, cards: list[Path]
) -> None:
    shell("init", "false", "--name", "west", "--listen", "127.0.0.1:7403")
    shell("group", "create", "trio", *cards[:2], "false/west.card.json", "--out", "trio.json")
    said = shell("group", "join", "trio.json", "--node", "west")
    assert said.code == 5
    assert "lists another key for west" in said.err


def test_a_group_needs_two_different_members(shell: Shell, cards: list[Path]) -> None:
    for chosen in (cards[:1], [cards[0], cards[0]]):
        assert shell("group", "create", "g", *chosen, "--out", "g.json").code == 1
        assert not Path("g.json").exists()


def test_what_a_study_reveals_follows_from_it_alone(shell: Shell) -> None:
    said = shell("study", "check", STUDY, "--members", "5")
    assert said.code == 0
    assert "holds    against any 4 of 5 members together" in said.out
    asked = shell("study", "check", STUDY, "--format", "json")
    assert json.loads(asked.out)["members"] == 3


def test_a_study_is_checked_for_ones_own_group(shell: Shell, cards: list[Path]) -> None:
    shell("group", "create", "trio", *cards, "--out", "trio.json")
    assert shell("study", "check", STUDY, "--node", "north").code == 1  # in no group yet
    shell("group", "join", "trio.json", "--node", "north")
    said = shell("study", "check", STUDY, "--node", "north")
    assert "to       north, south, west; nothing else is revealed" in said.out


def test_between_two_members_the_risk_must_be_accepted(shell: Shell) -> None:
    refused = shell("study", "check", STUDY, "--members", "2")
    assert refused.code == 5
    assert "--accept two-members" in refused.err
    said = shell("study", "check", STUDY, "--members", "2", "--accept", "two-members")
    assert "holds    against nobody inside" in said.out


def test_an_overflow_is_refused(shell: Shell) -> None:
    text = STUDY.read_text().replace("max_rows = 1_000_000", "max_rows = 10_000_000_000")
    Path("s.toml").write_text(text.replace("0..120", "0..999999999"))
    said = shell("study", "check", "s.toml")
    assert said.code == 5
    assert "could overflow" in said.err
    assert "max_rows = " in said.err


def test_a_study_that_is_not_understood_names_the_place(shell: Shell) -> None:
    Path("s.toml").write_text(STUDY.read_text().replace("avg(age)", "avg(\x1bage)"))
    said = shell("study", "check", "s.toml")
    assert said.code == 1
    assert "\x1b" not in said.err


def test_a_group_shows_who_runs_whose_node(shell: Shell, cards: list[Path]) -> None:
    init = ("init", "ward", "--name", "ward", "--listen", "127.0.0.1:7409", "--operator", "north")
    assert "run by north" in shell(*init).out
    said = shell("group", "create", "duo", cards[0], "ward/ward.card.json", "--out", "duo.json")
    assert "127.0.0.1:7409, run by north" in said.out
    assert json.loads(Path("duo.json").read_text())["members"][1]["operator"] == "north"
