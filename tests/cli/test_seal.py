"""`quorate seal`: what is sealed opens with the key, and what cannot be is said."""

import json
import os
from io import BytesIO
from pathlib import Path

import pytest

from quorate import wire
from quorate.threshold.age import keys, payload
from quorate.threshold.age.header import read_header
from quorate.threshold.age.keys import Recipient
from tests.cli.say import Shell
from tests.threshold.holders import Holders

HOLDERS = Holders("unlock")
RECIPIENT = Recipient(1, HOLDERS.public.group, "").text()
NAMED = Recipient(1, HOLDERS.public.group, "record-17").text()
CONTENT = os.urandom(100_000)


@pytest.fixture
def letter(shell: Shell) -> Path:
    path = shell.folder / "letter.pdf"
    path.write_bytes(CONTENT)
    return path


def opened(path: Path, record: str) -> bytes:
    stream = BytesIO(path.read_bytes())
    header = read_header(stream.readline)
    sealed = keys.sealed_in(header.stanzas[0])
    asking = HOLDERS.ask(wire.encode(sealed), record)
    file_key = asking.unlock(asking.answers(1, 2, 3)).file_key
    header.verify(file_key)
    return b"".join(payload.unseal(file_key, stream.read))


@pytest.mark.parametrize(
    ("to", "arguments", "record"),
    [(NAMED, (), "record-17"), (NAMED, ("--record", "r2"), "r2"), (RECIPIENT, (), None)],
)
def test_a_quorum_opens_what_was_sealed(
    shell: Shell, letter: Path, to: str, arguments: tuple[str, ...], record: str | None
) -> None:
    said = shell("seal", letter, "--to", to, *arguments, "--format", "json")
    assert said.code == 0
    sealed = json.loads(said.out)
    assert sealed["file"] == f"{letter}.age"
    assert record is None or sealed["record"] == record
    assert opened(Path(sealed["file"]), sealed["record"]) == CONTENT


def test_the_record_is_said(shell: Shell, letter: Path) -> None:
    said = shell("seal", letter, "--to", NAMED, "--out", "sealed")
    assert said.out == "sealed is sealed as record record-17\n"


def test_nothing_is_overwritten(shell: Shell, letter: Path) -> None:
    there = letter.with_name("letter.pdf.age")
    there.write_bytes(b"there")
    said = shell("seal", letter, "--to", NAMED)
    assert said.code == 5
    assert "letter.pdf.age exists" in said.err
    assert there.read_bytes() == b"there"


@pytest.mark.parametrize(
    ("file", "to", "arguments"),
    [
        ("letter.pdf", NAMED[:-1], ()),
        ("letter.pdf", "age1" + "q" * 58, ()),
        ("letter.pdf", NAMED, ("--record", "a\x1b[2J")),
        ("not-there.pdf", NAMED, ()),
    ],
)
def test_what_cannot_be_sealed_is_said_and_leaves_nothing(
    shell: Shell, letter: Path, file: str, to: str, arguments: tuple[str, ...]
) -> None:
    said = shell("seal", file, "--to", to, *arguments)
    assert said.code == 1
    assert said.err.startswith("quorate: error: ")
    assert [path.name for path in shell.folder.iterdir()] == [letter.name]
