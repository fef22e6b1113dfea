"""Stock programs accept what a key of several holders signed, and nothing that was altered."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from quorate.cli.order import openssl_command, write_order
from quorate.quorum.order import order_to_json, public_pem
from tests.quorum.dealt import medication_key, signature, signed_order

pytestmark = pytest.mark.system

KEY, SHARES = medication_key()
ORDER = signed_order(KEY, SHARES, ("doctor", "nurse"))
DOCUMENT = b"an order of the ward\n"


def by_the_group(message: bytes) -> bytes:
    """Return an Ed25519 signature that two of three holders made."""
    return signature(KEY, SHARES[1:], message)


def run(*command: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which(str(command[0]))
    if program is None:
        pytest.skip(f"needs {command[0]}: make test-system installs it")
    arguments = [program, *map(str, command[1:])]
    return subprocess.run(arguments, input=stdin, capture_output=True, check=False, timeout=30)


@pytest.mark.parametrize("altered", [False, True])
def test_openssl_verifies_an_exported_order(tmp_path: Path, altered: bool) -> None:
    write_order(order_to_json(ORDER), tmp_path)
    if altered:
        message = (tmp_path / "message").read_bytes()
        (tmp_path / "message").write_bytes(message.replace(b"surgery", b"Surgery"))
    done = run(*openssl_command(tmp_path))
    assert (done.returncode == 0) is not altered, done.stdout + done.stderr


@pytest.mark.parametrize("altered", [False, True])
def test_ssh_keygen_verifies_a_signature_of_the_group(tmp_path: Path, altered: bool) -> None:
    """SSHSIG, as PROTOCOL.sshsig of OpenSSH has it."""
    public = Ed25519PublicKey.from_public_bytes(KEY.public.group)
    line = public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    (tmp_path / "allowed").write_text(f'ward namespaces="orders" {line}\n')
    fields = [b"orders", b"", b"sha512"]
    signed = b"SSHSIG" + b"".join(map(_text, [*fields, hashlib.sha512(DOCUMENT).digest()]))
    blob = b"SSHSIG" + (1).to_bytes(4, "big")
    blob += _text(_text(b"ssh-ed25519") + _text(KEY.public.group)) + b"".join(map(_text, fields))
    blob += _text(_text(b"ssh-ed25519") + _text(by_the_group(signed)))
    armored = base64.b64encode(blob).decode()
    lines = [armored[i : i + 70] for i in range(0, len(armored), 70)]
    begin, end = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
    (tmp_path / "signature").write_text("\n".join([begin, *lines, end]) + "\n")
    done = run(
        *("ssh-keygen", "-Y", "verify", "-f", tmp_path / "allowed", "-I", "ward"),
        *("-n", "orders", "-s", tmp_path / "signature"),
        stdin=DOCUMENT + b"!" * altered,
    )
    assert (done.returncode == 0) is not altered, done.stdout + done.stderr


@pytest.mark.parametrize("altered", [False, True])
def test_minisign_verifies_a_signature_of_the_group(tmp_path: Path, altered: bool) -> None:
    """Prehashed: the group signs BLAKE2b-512, and then its signature with the comment."""
    key_id = b"quorate1"
    packed = base64.b64encode(b"Ed" + key_id + KEY.public.group).decode()
    (tmp_path / "key").write_text(f"untrusted comment: ward\n{packed}\n")
    (tmp_path / "document").write_bytes(DOCUMENT + b"!" * altered)
    first = by_the_group(hashlib.blake2b(DOCUMENT).digest())
    comment = "signed by two of three"
    both = by_the_group(first + comment.encode())
    (tmp_path / "signature").write_text(
        f"untrusted comment: ward\n{base64.b64encode(b'ED' + key_id + first).decode()}\n"
        f"trusted comment: {comment}\n{base64.b64encode(both).decode()}\n"
    )
    done = run(
        *("minisign", "-V", "-p", tmp_path / "key", "-m", tmp_path / "document"),
        *("-x", tmp_path / "signature"),
    )
    assert (done.returncode == 0) is not altered, done.stdout + done.stderr


@pytest.mark.parametrize("altered", [False, True])
def test_a_jws_of_the_group_is_one_of_eddsa(tmp_path: Path, altered: bool) -> None:
    """RFC 8037: the group signs header and payload; openssl verifies the very bytes of the JWS."""
    header = json.dumps({"alg": "EdDSA", "kid": KEY.key_id().hex()}).encode()
    signing_input = b".".join(map(_base64url, (header, DOCUMENT)))
    jws = signing_input + b"." + _base64url(by_the_group(signing_input))
    text, _, encoded = jws.rpartition(b".")
    (tmp_path / "key.pem").write_text(public_pem(KEY))
    (tmp_path / "message").write_bytes(text + b"A" * altered)
    (tmp_path / "signature").write_bytes(base64.urlsafe_b64decode(encoded + b"=="))
    done = run(*openssl_command(tmp_path))
    assert (done.returncode == 0) is not altered, done.stdout + done.stderr


def _text(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _base64url(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
