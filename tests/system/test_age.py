"""Stock age seals and opens: with our plugin and a quorum, and to a plain key without either."""

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from quorate import wire
from quorate.threshold import plain
from quorate.threshold.age import keys, payload
from quorate.threshold.age.header import make_header, read_header
from quorate.threshold.age.keys import Identity, Recipient
from quorate.threshold.keys import KeyShare
from tests.docs.project import PROJECT
from tests.threshold.holders import Holders, deal

AGE, KEYGEN = shutil.which("age"), shutil.which("age-keygen")
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(
        AGE is None or KEYGEN is None, reason="needs age: make test-system installs it"
    ),
]
CONTENT = os.urandom(200_000)


@dataclass(frozen=True)
class Ward:
    """A folder in which age finds our plugin, and a plugin that finds shares."""

    folder: Path
    shares: tuple[KeyShare, ...]

    def recipient(self, record: str = "record-17") -> str:
        return Recipient(1, self.shares[0].public.group, record).text()

    def identity(self) -> Path:
        path = self.folder / "identity.txt"
        path.write_text(Identity(1, self.shares[0].public.group, "nodes/ward").text() + "\n")
        return path

    def age(
        self,
        *arguments: str,
        data: bytes = b"",
        approving: int = 3,
        reason: str = "acute care",
    ) -> subprocess.CompletedProcess[bytes]:
        shares = self.folder / "shares"
        shares.write_text("\n".join(wire.encode(share).hex() for share in self.shares))
        start = [sys.executable, "-m", "tests.system.plugin_of_holders", str(shares)]
        plugin = self.folder / "age-plugin-quorate"
        plugin.write_text(
            f"#!/bin/sh\ncd {shlex.quote(str(PROJECT))} && "
            f'exec {shlex.join(start)} {approving} "$@"\n'
        )
        plugin.chmod(0o700)
        assert AGE is not None
        return subprocess.run(
            [AGE, *arguments],
            input=data,
            capture_output=True,
            check=False,
            timeout=60,
            env={"PATH": f"{self.folder}:{os.environ['PATH']}", "QUORATE_REASON": reason},
        )


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path, deal("unlock"))


def sealed(ward: Ward) -> bytes:
    done = ward.age("-r", ward.recipient(), data=CONTENT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"age-encryption.org/v1\n-> quorate/1\n")
    return done.stdout


def test_age_seals_to_the_group_and_three_of_five_open(ward: Ward) -> None:
    done = ward.age("-d", "-i", str(ward.identity()), data=sealed(ward))
    assert done.returncode == 0, done.stderr
    assert done.stdout == CONTENT
    assert b"asking because of: acute care" in done.stderr


def test_two_open_nothing_and_age_says_why(ward: Ward) -> None:
    done = ward.age("-d", "-i", str(ward.identity()), data=sealed(ward), approving=2)
    assert done.returncode != 0
    assert done.stdout == b""
    assert b"2 partial decryptions are right, and 3 are needed" in done.stderr


@pytest.mark.parametrize("place", ["record", "body", "mac", "payload", "end"])
def test_a_file_that_was_altered_opens_to_nothing_whole(ward: Ward, place: str) -> None:
    whole = bytearray(sealed(ward))
    at = whole.index(b"--- ")
    if place == "end":
        del whole[-1]
    else:
        where = {"record": 60, "body": at - 20, "mac": at + 8, "payload": at + 100}[place]
        whole[where] = ord("A") if whole[where] != ord("A") else ord("B")
    done = ward.age("-d", "-i", str(ward.identity()), data=bytes(whole))
    assert done.returncode != 0
    assert CONTENT not in done.stdout
    assert len(done.stdout) < len(CONTENT)


def test_another_groups_identity_opens_nothing(ward: Ward, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Ward(tmp_path / "other", deal("unlock"))
    done = other.age("-d", "-i", str(other.identity()), data=sealed(ward))
    assert done.returncode != 0
    assert done.stdout == b""


def test_sealing_needs_neither_shares_nor_a_node(ward: Ward) -> None:
    """What is sealed with the identity, and beside a recipient of age's own, opens as well."""
    assert KEYGEN is not None
    made = subprocess.run([KEYGEN], capture_output=True, check=True)
    own = next(word for word in made.stderr.decode().split() if word.startswith("age1"))
    done = ward.age("-e", "-i", str(ward.identity()), "-r", own, data=CONTENT, approving=0)
    assert done.returncode == 0, done.stderr
    assert ward.age("-d", "-i", str(ward.identity()), data=done.stdout).stdout == CONTENT


def test_without_a_reason_nobody_is_asked(ward: Ward) -> None:
    """There is no terminal here that age could ask for one."""
    done = ward.age("-d", "-i", str(ward.identity()), data=sealed(ward), reason="")
    assert done.returncode != 0
    assert b"no reason was given" in done.stderr


def test_age_opens_what_we_sealed(ward: Ward) -> None:
    file_key = os.urandom(16)
    stanza = keys.seal(ward.shares[0].public.group, "record-18", file_key, os.urandom)
    header = make_header((stanza,), file_key).encode()
    for content in (CONTENT, CONTENT[: payload.CHUNK], b""):
        chunks = payload.seal(file_key, os.urandom(payload.NONCE), BytesIO(content).read)
        done = ward.age("-d", "-i", str(ward.identity()), data=header + b"".join(chunks))
        assert done.returncode == 0, done.stderr
        assert done.stdout == content


def test_a_plain_key_needs_no_plugin_to_seal_and_a_quorum_to_open() -> None:
    holders = Holders("plain")
    assert AGE is not None
    file = subprocess.run(
        [AGE, "-r", plain.recipient(holders.public)],
        input=CONTENT,
        capture_output=True,
        check=True,
        env={"PATH": ""},
    ).stdout
    stream = BytesIO(file)
    header = read_header(stream.readline)
    asking = holders.ask(header.encode(), "letter-3")
    file_key = asking.unlock(asking.answers(1, 3, 5)).file_key
    assert b"".join(payload.unseal(file_key, stream.read)) == CONTENT


def test_the_emergency_identity_is_an_ordinary_one(tmp_path: Path) -> None:
    """The whole key, recovered, is an ordinary identity: age alone opens with it."""
    assert AGE is not None
    assert KEYGEN is not None
    shares = deal("plain")
    identity = tmp_path / "emergency.txt"
    identity.write_text(plain.emergency_identity(shares[0].public, shares[2:]) + "\n")
    public = subprocess.run([KEYGEN, "-y", str(identity)], capture_output=True, check=True).stdout
    assert public.decode().strip() == plain.recipient(shares[0].public)
    file = subprocess.run(
        [AGE, "-r", public.decode().strip()], input=CONTENT, capture_output=True, check=True
    ).stdout
    done = subprocess.run(
        [AGE, "-d", "-i", str(identity)], input=file, capture_output=True, check=True
    )
    assert done.stdout == CONTENT
