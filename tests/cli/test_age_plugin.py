"""The program `age-plugin-quorate`, also where age did not start it or nobody can unlock."""

import os
import subprocess
import sys

import pytest

from quorate.threshold.age import keys
from quorate.threshold.age.header import Stanza
from quorate.threshold.age.keys import Identity, Recipient
from tests.threshold.holders import deal

PUBLIC = deal("unlock")[0].public
OK = Stanza(("ok",), b"")
DONE = Stanza(("done",), b"")


def plugin(*arguments: str, said: bytes = b"", reason: str = "care") -> tuple[int, bytes, str]:
    done = subprocess.run(
        [sys.executable, "-m", "quorate.cli.age_plugin", *arguments],
        input=said,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "QUORATE_REASON": reason},
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize("arguments", [(), ("--help",), ("--age-plugin=identity-v1", "more")])
def test_a_person_is_told_how_it_is_used(arguments: tuple[str, ...]) -> None:
    code, out, err = plugin(*arguments)
    assert (code, out) == (2, b"")
    assert "error: age-plugin-quorate is started by age, not by hand" in err
    assert "hint: seal with: age -r age1quorate1... FILE" in err


def test_a_conversation_it_does_not_know_is_refused() -> None:
    code, out, err = plugin("--age-plugin=recipient-v2")
    assert (code, out) == (2, b"")
    assert "recipient-v1 and identity-v1" in err


def test_a_conversation_that_breaks_off_is_an_error() -> None:
    code, _, err = plugin("--age-plugin=identity-v1", said=b"-> add-identity\n")
    assert code == 1
    assert err.startswith("age-plugin-quorate: error: ")
    assert "Traceback" not in err


def test_it_seals() -> None:
    add = Stanza(("add-recipient", Recipient(1, PUBLIC.group, "r").text()), b"")
    wrap = Stanza(("wrap-file-key",), bytes(16))
    said = b"".join(stanza.encode() for stanza in (add, wrap, DONE, OK))
    code, out, err = plugin("--age-plugin=recipient-v1", said=said)
    assert (code, err) == (0, "")
    assert out.startswith(b"-> recipient-stanza 0 quorate/1\n")


def test_where_nobody_can_be_asked_it_says_so() -> None:
    identity = Stanza(("add-identity", Identity(1, PUBLIC.group, "nowhere").text()), b"")
    sealed = keys.seal(PUBLIC.group, "record-17", bytes(16), os.urandom)
    passed = Stanza(("recipient-stanza", "0", *sealed.arguments), sealed.body)
    said = b"".join(stanza.encode() for stanza in (identity, passed, DONE, OK))
    code, out, _ = plugin("--age-plugin=identity-v1", said=said)
    assert code == 0
    assert out.startswith(b"-> error internal\n")
    assert b"file-key" not in out


def test_opening_starts_without_what_only_people_and_nodes_need() -> None:
    """The time to import them was a quarter of the time to open 1 GB."""
    program = (
        "import sys, quorate.cli.age_plugin, quorate.cli.waiting\n"
        "slow = {'fastapi', 'pydantic', 'rich', 'sqlalchemy', 'structlog', 'typer'}\n"
        "print(*sorted(slow & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.split() == []
