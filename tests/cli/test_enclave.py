"""`quorate enclave`: two builds agree, and where they do not, the file is named."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from tests.cli.say import Shell


def build(folder: Path, code: bytes = b"print(1)") -> Path:
    """A program's folder, as two members would each make it."""
    (folder / "wheels").mkdir(parents=True)
    (folder / "interpreter" / "bin").mkdir(parents=True)
    (folder / "wheels" / "quorate.whl").write_bytes(code)
    (folder / "interpreter" / "bin" / "python").write_bytes(b"\x7fELF")
    (folder / "interpreter" / "bin" / "python").chmod(0o755)
    digest = hashlib.sha256(code).hexdigest()
    (folder / "requirements.txt").write_text(f"quorate==0.1.0 --hash=sha256:{digest}\n")
    (folder / "plan").write_bytes(b"plan")
    (folder / "roster").write_bytes(b"roster")
    (folder / "settings").write_text("TZ=UTC\nOMP_NUM_THREADS=1\n")
    return folder


def test_two_builds_agree(shell: Shell) -> None:
    one, other = build(shell.folder / "a"), build(shell.folder / "b")
    first, second = (shell("enclave", "measure", folder).out for folder in (one, other))
    assert first == second
    fine = shell("enclave", "rebuild-check", other, first.strip())
    assert (fine.code, "is what this build measures" in fine.out) == (0, True)
    assert "no difference" in shell("enclave", "measure", one, "--diff", other).out


def test_one_changed_byte_is_named(shell: Shell) -> None:
    one, other = build(shell.folder / "a"), build(shell.folder / "b", b"print(2)")
    measured = shell("enclave", "measure", one).out.strip()
    answer = shell("enclave", "rebuild-check", other, measured)
    assert answer.code == 1
    assert measured in answer.err
    shown = shell("enclave", "measure", one, "--diff", other).out
    assert "changed  wheel  quorate.whl" in shown
    assert "changed  requirements  requirements.txt" in shown


def test_explained(shell: Shell) -> None:
    folder = build(shell.folder / "a")
    assert "interpreter" in shell("enclave", "measure", folder, "--explain").out
    said = json.loads(shell("enclave", "measure", folder, "--explain", "--format", "json").out)
    assert [each["part"] for each in said["parts"]][:2] == ["wheel", "requirements"]


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda f: (f / "more").write_text("x"), "not part of a program"),
        (lambda f: (f / "wheels" / "link").symlink_to("quorate.whl"), "no ordinary file"),
        (lambda f: (f / "wheels" / "quorate.whl").write_bytes(b"x"), "not the one"),
        (lambda f: (f / "requirements.txt").write_text("quorate\n"), "not pinned"),
        (lambda f: (f / "plan").unlink(), "nothing is given as plan"),
        (lambda f: (f / "settings").write_text("TZ\n"), "NAME=value"),
        (lambda f: (f / "interpreter" / "a.pyc").write_bytes(b""), "differs with each run"),
        (lambda f: shutil.rmtree(f / "wheels"), "nothing is given as wheel"),
    ],
)
def test_what_is_no_program(shell: Shell, spoil: "object", why: str) -> None:
    folder = build(shell.folder / "a")
    assert callable(spoil)
    spoil(folder)
    answer = shell("enclave", "measure", folder)
    assert answer.code == 5
    assert why in answer.err


def test_no_folder(shell: Shell) -> None:
    assert "no folder" in shell("enclave", "measure", "nowhere").err
