"""How commands end: exit codes, errors in two forms, and nothing that steers a terminal."""

import json
import os
import subprocess
import sys

import pytest

from quorate import __version__, errors
from quorate.cli.output import aligned, grouped, printable, say_error
from quorate.errors import Abort, Error, Refused
from tests.cli.say import Shell
from tests.docs.project import PROJECT

QUORATE = [sys.executable, "-m", "quorate.cli.main"]


def test_version_and_help(shell: Shell) -> None:
    assert shell("--version").out == f"quorate {__version__}\n"
    assert "quorate demo age" in shell().out
    assert shell("study", "run", "--help").code == 0


@pytest.mark.parametrize(
    ("typed", "said", "where"),
    [
        (["nonsense"], "no such command 'nonsense'", "quorate"),
        (["study"], "missing command", "quorate study"),
        (["study", "run"], "missing argument", "quorate study run"),
        (["node", "status", "--colour"], "no such option: --colour", "quorate node status"),
        (["study", "list", "--format", "xml"], "invalid value for '--format'", "quorate study"),
    ],
)
def test_what_is_not_understood_exits_2(
    shell: Shell, typed: list[str], said: str, where: str
) -> None:
    answer = shell(*typed)
    assert answer.code == 2
    assert answer.err.lower().startswith(f"quorate: error: {said}")
    assert f"quorate: hint: see how with: {where}" in answer.err
    assert answer.out == ""


def test_an_error_as_json(shell: Shell) -> None:
    answer = shell("study", "list", "--format", "json")
    said = json.loads(answer.err)
    assert said["kind"] == "NotFound"
    assert said["error"].endswith("is not a node's folder")
    assert (said["exit_code"], answer.code, answer.out) == (1, 1, "")
    assert json.loads(shell("nonsense", "--format=json").err)["exit_code"] == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Error("x", hint="y"), "quorate: error: x\nquorate: hint: y\n"),
        (Abort("west did not answer", suspects=[2]), "quorate: aborted: west did not answer\n"),
        (Refused("no"), "quorate: refused: no\n"),
        (Error("a\x1b[2J\nb [bold]c[/bold]"), "quorate: error: a\\x1b[2J\\nb [bold]c[/bold]\n"),
    ],
)
def test_errors_as_text(error: Error, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    say_error(error, "text")
    assert capsys.readouterr().err == said


def test_every_error_has_its_exit_code() -> None:
    codes = {
        name: kind("x").exit_code
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Error)
    }
    assert {name: code for name, code in codes.items() if code != 1} == {
        "Abort": 3,
        "Disrupted": 3,
        "Refused": 5,
        "SessionReused": 5,
        "Silence": 3,
        "Usage": 2,
    }
    assert Abort("x", culprits=[0]).exit_code == 4


def test_a_node_that_does_not_run_is_said_with_the_command_that_starts_it(shell: Shell) -> None:
    shell("init", "north", "--name", "north")
    for command in ("node status", "data list", "study list", "audit show", "audit verify"):
        answer = shell(*command.split(), "--node", "north")
        assert answer.code == 1
        assert "quorate: error: the node in " in answer.err
        assert "north is not running" in answer.err
        assert "quorate: hint: start it with: quorate node start --node " in answer.err


def test_a_reader_that_goes_away_is_no_error() -> None:
    check = [*QUORATE, "study", "check", str(PROJECT / "examples/average-age.toml")]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        said = subprocess.run(check, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(writing)
    assert said.stderr == ""
    assert said.returncode == 1


def test_nothing_that_does_not_print_passes() -> None:
    assert printable("a\x1b]0;t\x07 \u202e \x9b ü 漢") == "a\\x1b]0;t\\x07 \\u202e \\x9b ü 漢"


def test_rows_are_aligned_and_digests_grouped() -> None:
    assert aligned([("a", "bb"), ("ccc", "")], indent=" ") == [" a    bb", " ccc"]
    assert aligned([]) == []
    assert grouped(bytes.fromhex("00112233445566")) == "0011 2233 4455 66"


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("quorate st", ["study"]),
        ("quorate study r", ["revoke", "run", "resume", "release"]),
        ("quorate study run --fo", ["--format"]),
    ],
)
def test_a_shell_that_asks_is_told_what_may_come_next(typed: str, offered: list[str]) -> None:
    asked = {
        "COMP_WORDS": typed,
        "COMP_CWORD": str(typed.count(" ")),
        "_QUORATE_COMPLETE": "complete_bash",
    }
    # The variable is named for the program that is called, as a shell calls it.
    program = "import sys; sys.argv = ['quorate']; from quorate.cli.main import main; main()"
    answer = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.stdout.split() == offered, answer.stderr
