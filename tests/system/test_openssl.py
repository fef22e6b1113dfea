"""Stock OpenSSL agrees: about signatures, and about who may connect to a node."""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from quorate import wire
from quorate.transport import tls
from tests.studies.trio import TRIO, signed_release
from tests.transport.mesh import mesh

OPENSSL = shutil.which("openssl")
pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(OPENSSL is None, reason="needs openssl: make test-system installs it"),
]


def openssl(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert OPENSSL is not None
    return subprocess.run(
        [OPENSSL, *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=30,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("altered", [False, True])
def test_every_signature_of_a_release_is_an_ordinary_ed25519_signature(
    tmp_path: Path, altered: bool
) -> None:
    release = signed_release()
    message = wire.signing_input("certificate", release.certificate)
    (tmp_path / "message").write_bytes(message + b"!" * altered)
    for member, signed in zip(TRIO.members, release.signatures, strict=True):
        key = Ed25519PublicKey.from_public_bytes(member.public_key)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / "key.pem").write_bytes(pem)
        (tmp_path / "signature").write_bytes(signed.signature)
        done = openssl(
            *("pkeyutl", "-verify", "-rawin", "-pubin"),
            *("-inkey", str(tmp_path / "key.pem"), "-in", str(tmp_path / "message")),
            *("-sigfile", str(tmp_path / "signature")),
        )
        assert (done.returncode == 0) is not altered, done.stdout + done.stderr


def connect(folder: Path, *options: str, as_member: bool = False) -> str:
    """Return what `openssl s_client` says of a connection to a node in a group of two."""

    def s_client(address: str) -> str:
        done = openssl("s_client", "-connect", address, "-ign_eof", *options)
        return done.stdout + done.stderr

    async def main() -> str:
        nonlocal options
        async with mesh(2) as (node, member):
            if as_member:
                options = (*options, "-cert", str(folder / "tls.pem"))
                key = Ed25519PrivateKey.generate()
                certificate = tls._certify(key.public_key(), "node", member.identity)
                pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
                (folder / "tls.pem").write_bytes(pem + certificate.public_bytes(Encoding.PEM))
                member.peers[0].link.close("a test takes its place")  # type: ignore[union-attr]
            seat = node.seats[0]
            return await asyncio.to_thread(s_client, f"{seat.host}:{seat.port}")

    return asyncio.run(main())


@pytest.mark.parametrize("as_member", [False, True])
def test_a_node_greets_members_only(tmp_path: Path, as_member: bool) -> None:
    said = connect(tmp_path, "-tls1_3", as_member=as_member)
    assert "New, TLSv1.3" in said
    assert ("software" in said) is as_member, said


def test_a_node_speaks_no_older_tls(tmp_path: Path) -> None:
    said = connect(tmp_path, "-tls1_2")
    assert "no peer certificate available" in said, said
    assert "Cipher is (NONE)" in said


def test_a_node_presents_a_certificate_that_its_roster_key_signed(tmp_path: Path) -> None:
    said = connect(tmp_path, "-tls1_3")
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    pem = said[said.index(begin) : said.index(end) + len(end)]
    (tmp_path / "node.pem").write_text(pem)
    text = openssl("x509", "-in", str(tmp_path / "node.pem"), "-noout", "-text").stdout
    assert "Public Key Algorithm: ED25519" in text
    assert "Signature Algorithm: ED25519" in text
