"""Where a passphrase comes from: never from an argument, and nobody is asked who is not there."""

import os
import sys
from pathlib import Path

import pytest

from quorate.cli import passphrase
from quorate.errors import Unavailable, Usage
from tests.cli.say import Shell

NODE = "the node's folder"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(passphrase.VARIABLE, raising=False)


def descriptor(content: bytes) -> int:
    reader, writer = os.pipe()
    os.write(writer, content)
    os.close(writer)
    return reader


def test_from_a_file_descriptor_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(passphrase.VARIABLE, "from the environment")
    assert passphrase.given(None, NODE) == "from the environment"
    assert passphrase.given(descriptor(b"first line\nsecond"), NODE) == "first line"
    for broken in (descriptor(b"\xff\n"), 12_345):
        with pytest.raises(Unavailable, match="cannot be read"):
            passphrase.given(broken, NODE)


def test_from_the_systems_keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keyring.py").write_text(
        "def get_password(service, user):\n"
        f"    return 'from the keyring' if (service, user) == ('quorate', {NODE!r}) else None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)
    assert passphrase.given(None, NODE) == "from the keyring"
    assert passphrase.given(None, "another folder") == ""
    del sys.modules["keyring"]


def test_nobody_is_asked_who_is_not_there() -> None:
    with pytest.raises(Usage, match="nobody is here"):
        passphrase.asked(None, NODE, "passphrase")


def test_no_command_takes_a_passphrase_as_an_argument(shell: Shell) -> None:
    for command in (("node", "unlock"), ("node", "start"), ("key", "backup"), ("key", "restore")):
        shown = shell(*command, "--help").out
        assert "--passphrase-fd" in shown
        assert "--passphrase " not in shown
