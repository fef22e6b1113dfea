"""`quorate verify`: what is proven, what must be believed, and what does not verify."""

import json
from pathlib import Path

import pytest

from quorate.studies import evidence
from quorate.studies.group import group_to_json
from quorate.studies.release import to_json
from tests.cli.say import Shell
from tests.parties import run_parties
from tests.studies.test_evidence import FOUR, PART, PROMISE, lying, shown
from tests.studies.test_runner_noise import agreed, planned, running
from tests.studies.trio import PLAN, TRIO, group_of, signed_release


@pytest.fixture
def release(shell: Shell) -> Path:
    path = shell.folder / "release.json"
    path.write_text(to_json(signed_release()))
    return path


def test_a_release_with_the_known_roster(shell: Shell, release: Path) -> None:
    Path("trio.json").write_text(group_to_json(TRIO))
    answer = shell("verify", release, "--group", "trio.json")
    assert answer.code == 0
    for line in (
        f"study    {PLAN.short_id}  Average age of diabetes patients",
        "mean_age  48.5181 years       = 21445/442",
        "signed   north, south, west: 3 of 3 signatures verify",
        "proven   the roster is the one you know",
    ):
        assert line in answer.out
    assert "compare its digest" not in answer.out


def test_without_a_roster_the_members_must_be_believed(shell: Shell, release: Path) -> None:
    answer = shell("verify", release)
    assert answer.code == 0
    assert "believed that the roster is real: compare its digest" in answer.out
    assert "the roster is the one you know" not in answer.out


def test_as_json(shell: Shell, release: Path) -> None:
    said = json.loads(shell("verify", release, "--format", "json").out)
    assert said["plan"] == PLAN.digest().hex()
    assert said["signed_by"] == ["north", "south", "west"]
    assert said["results"][1]["exact"] == "21445/442"
    assert said["roster_known"] is False


def test_another_groups_release_does_not_verify(shell: Shell, release: Path) -> None:
    Path("other.json").write_text(group_to_json(group_of("north", "south", "east")))
    answer = shell("verify", release, "--group", "other.json")
    assert answer.code == 1
    assert "quorate: error: the release is of another group" in answer.err


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"exact": "21445/442"', '"exact": "21444/442"'),
        ('"value": "48.5181"', '"value": "48.6"'),
        ('"time": "2027-01-31T09:31:00Z"', '"time": "2027-01-31T09:31:01Z"'),
        ("Average age", "Average wage"),
        ('"signature": "', '"signature": "00'),
        ('"quorate": "release 4"', '"quorate": "release 3"'),
    ],
)
def test_what_was_altered_does_not_verify(shell: Shell, release: Path, old: str, new: str) -> None:
    text = release.read_text()
    assert old in text
    release.write_text(text.replace(old, new, 1))
    answer = shell("verify", release)
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("quorate: error: ")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"null"])
def test_a_file_that_is_no_release(shell: Shell, content: bytes) -> None:
    Path("x.json").write_bytes(content)
    assert shell("verify", "x.json").code == 1
    assert shell("verify", "missing.json").err == (
        "quorate: error: missing.json cannot be read: No such file or directory\n"
        "quorate: hint: check the path\n"
    )


def test_a_noisy_release_says_its_noise_its_bounds_and_what_is_left(shell: Shell) -> None:
    ran = agreed(run_parties(running(planned(3, "jointly")), 3))
    path = shell.folder / "noisy.json"
    path.write_text(to_json(ran.release))
    answer = shell("verify", path)
    assert answer.code == 0
    for words in (
        "noise    all costs epsilon 1",
        "protects one patient per member, with at most 1 row; neighbours: add or remove",
        "age is integer 0..120 years by protocol",
        "all: centred of age with Laplace noise of scale 240",
        "left     epsilon 0.000000007 to spend at north",
        "believed what each member has left",
    ):
        assert words in answer.out


def test_evidence_of_an_aborted_run_names_who_cheated(shell: Shell) -> None:
    Path("four.json").write_text(group_to_json(FOUR))
    Path("evidence.json").write_text(evidence.to_json(shown(lying(1, PART, to=[3])[3])))
    answer = shell("verify", "evidence.json", "--group", "four.json")
    assert answer.code == 0
    assert "proven   south cheated: what it signed contradicts itself" in answer.out
    said = json.loads(shell("verify", "evidence.json", "--format", "json").out)
    assert said["culprits"] == ["south"]
    assert said["roster_known"] is False


def test_evidence_of_two_members_is_verified_together(shell: Shell) -> None:
    outcomes = lying(0, PROMISE, to=[1])
    for party in (1, 2):
        Path(f"{party}.json").write_text(evidence.to_json(shown(outcomes[party])))
    answer = shell("verify", "1.json", "--also", "2.json")
    assert "proven   north cheated" in answer.out
    assert "south cheated" not in answer.out


def test_evidence_that_proves_nothing_and_two_releases_at_once(shell: Shell, release: Path) -> None:
    Path("e.json").write_text(evidence.to_json(shown(lying(3, "/signed/of 3/part 2/1", [1])[1])))
    answer = shell("verify", "e.json")
    assert answer.code == 1
    assert "these statements prove nothing against anybody" in answer.err
    assert shell("verify", release, "--also", release).code == 2
