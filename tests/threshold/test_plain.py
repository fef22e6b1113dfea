"""Plain mode: what an age program sealed, a quorum opens, and the attack it must stand."""

import hashlib
import os
import zlib
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate.algebra import edwards25519 as ed
from quorate.algebra.montgomery import point_of, u_of
from quorate.errors import Abort, Error, NotFound, Refused, VerificationFailed
from quorate.threshold import plain
from quorate.threshold.age import bech32, payload, x25519
from quorate.threshold.age.header import (
    Header,
    Stanza,
    from_base64,
    make_header,
    parse_header,
    read_header,
    to_base64,
)
from quorate.threshold.keys import KeyShare, PublicKey
from quorate.threshold.partial import Asked, combine, make_partial
from quorate.threshold.sharing import polynomial
from tests.threshold import dealt
from tests.threshold.holders import Holders, deal

KEY = bytes(range(16))
ASKED = Asked(bytes(32), bytes(32))
SHARES = deal("plain")
PUBLIC = SHARES[0].public


def wrap(public: PublicKey, key: bytes, seed: bytes | None = None) -> Stanza:
    """What an age program does, from its specification alone."""
    to = u_of(public.group)
    ephemeral = X25519PrivateKey.from_private_bytes(seed or os.urandom(32))
    share = ephemeral.public_key().public_bytes_raw()
    return wrapped(share, to, ephemeral.exchange(X25519PublicKey.from_public_bytes(to)), key)


def wrapped(share: bytes, to: bytes, shared: bytes, key: bytes) -> Stanza:
    info = b"age-encryption.org/v1/X25519"
    wrapping = HKDF(SHA256(), 32, salt=share + to, info=info).derive(shared)
    body = ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, None)
    return Stanza(("X25519", to_base64(share)), body)


def opened(header: Header, shares: tuple[KeyShare, ...] = SHARES[:3]) -> bytes:
    bases = [plain.base_of(stanza) for stanza in plain.stanzas(header)]
    parts = [tuple(make_partial(s, b, ASKED, os.urandom) for b in bases) for s in shares]
    return plain.open_header(shares[0].public, header, ASKED, parts).file_key


def test_a_quorum_opens_what_was_sealed_to_the_recipient() -> None:
    header = make_header((wrap(PUBLIC, KEY),), KEY)
    assert opened(header) == opened(header, SHARES[2:]) == KEY
    with pytest.raises(Abort):
        opened(header, SHARES[:2])


def test_stanzas_for_others_are_tried_and_passed_by() -> None:
    theirs, grease = wrap(deal("plain")[0].public, KEY), Stanza(("x-grease", "1"), b"")
    assert opened(make_header((grease, theirs, wrap(PUBLIC, KEY)), KEY)) == KEY
    with pytest.raises(VerificationFailed, match="no stanza"):
        opened(make_header((theirs,), KEY))


def test_a_file_with_too_many_recipients_or_none_is_refused() -> None:
    with pytest.raises(Refused):
        opened(make_header((wrap(PUBLIC, KEY),) * 9, KEY))
    with pytest.raises(NotFound):
        opened(make_header((Stanza(("scrypt", "a", "18"), b""),), KEY))


def test_a_header_that_was_altered_gives_no_file_key() -> None:
    header = make_header((wrap(PUBLIC, KEY),), KEY)
    longer = replace(header, stanzas=(*header.stanzas, Stanza(("x",), b"")))
    for altered in (replace(header, mac=bytes(32)), longer):
        with pytest.raises(VerificationFailed, match="header"):
            opened(altered)


def test_only_a_plain_key_is_a_recipient_of_age() -> None:
    with pytest.raises(Refused):
        plain.recipient(deal("unlock")[0].public)
    assert bech32.decode(plain.recipient(PUBLIC)) == ("age", u_of(PUBLIC.group))


# The attack: a victim's stanza, blinded, is filed as the attacker's own harmless record.


def blinded(victim: Header, r: ed.Scalar) -> Header:
    """r E in place of E, in a header of the attacker's, which is made as well as it can be."""
    (stanza,) = victim.stanzas
    share = u_of(ed.mul(r, plain.base_of(stanza)))
    forged = wrapped(share, u_of(PUBLIC.group), os.urandom(32), KEY)
    return make_header((forged,), KEY)


def test_a_blinded_stanza_gives_nothing_to_its_requester() -> None:
    victim = make_header((wrap(PUBLIC, bytes(16)),), bytes(16))
    with pytest.raises(VerificationFailed, match="no stanza of this file opens"):
        opened(blinded(victim, ed.random_scalar(os.urandom)))
    (stanza,) = victim.stanzas
    kept = Stanza(blinded(victim, ed.scalar(2)).stanzas[0].arguments, stanza.body)
    with pytest.raises(VerificationFailed):
        opened(make_header((kept,), KEY))


def test_control_who_gets_the_sum_itself_unblinds_the_victims_key() -> None:
    """What a requester could do if partial decryptions went to it, as they do under TDH2."""
    secret = os.urandom(16)
    victim = make_header((wrap(PUBLIC, secret),), secret)
    r = ed.random_scalar(os.urandom)
    base = plain.base_of(blinded(victim, r).stanzas[0])
    parts = [make_partial(share, base, ASKED, os.urandom) for share in SHARES[:3]]
    sum_ = combine(PUBLIC, base, ASKED, parts).point
    shared = u_of(ed.mul(ed.scalar_invert(r), sum_))
    assert x25519.unwrap(victim.stanzas[0], u_of(PUBLIC.group), shared) == secret


def test_a_stanza_is_known_under_one_record_only() -> None:
    ours = Holders("plain")
    key = os.urandom(16)
    content = make_header((wrap(ours.public, key),), key).encode()
    first = ours.ask(content, "record-17")
    assert first.unlock(first.answers(1, 2, 3)).file_key == key
    with pytest.raises(Refused, match="as another record"):
        ours.ask(content, "my own").answers(1)
    # Also where the rest of the header is another.
    (stanza,) = parse_header(content).stanzas
    around = make_header((stanza, Stanza(("x",), b"")), key).encode()
    with pytest.raises(Refused, match="as another record"):
        ours.ask(around, "my own").answers(2)


def test_control_without_a_register_it_opens_under_any_name() -> None:
    ours = Holders("plain")
    key = os.urandom(16)
    content = make_header((wrap(ours.public, key),), key).encode()
    first = ours.ask(content, "record-17")
    first.unlock(first.answers(1, 2, 3))
    for register in ours.registers:
        register.records.clear()
    again = ours.ask(content, "my own")
    assert again.unlock(again.answers(1, 2, 3)).file_key == key


# The key as a whole: age's own programs must agree.


def test_the_emergency_identity_opens_the_same_files_alone() -> None:
    shares = deal("plain")
    line = plain.emergency_identity(shares[0].public, shares[1:4])
    prefix, secret = bech32.decode(line)
    assert prefix == "age-secret-key-"
    assert line.startswith("AGE-SECRET-KEY-1")
    whole = X25519PrivateKey.from_private_bytes(secret)
    assert whole.public_key().public_bytes_raw() == u_of(shares[0].public.group)
    assert secret[0] & 7 == 0
    assert secret[31] >> 6 == 1


def test_the_emergency_identity_needs_a_quorum_of_this_keys_shares() -> None:
    with pytest.raises(Refused):
        plain.emergency_identity(PUBLIC, SHARES[:2])
    with pytest.raises(Refused):
        plain.emergency_identity(PUBLIC, SHARES[:1] * 3)
    with pytest.raises(VerificationFailed):
        plain.emergency_identity(PUBLIC, (*SHARES[:2], deal("plain")[2]))
    wrong = replace(SHARES[2], secret=SHARES[1].secret)
    with pytest.raises(VerificationFailed):
        plain.emergency_identity(PUBLIC, (*SHARES[:2], wrong))
    with pytest.raises(Refused):
        plain.emergency_identity(deal("unlock")[0].public, deal("unlock"))


# The testkit of age, its secret keys split three of five.

VECTORS = Path(os.environ.get("QUORATE_VECTORS", "vectors/not-here")) / "age"


def vectors() -> list[Path]:
    return sorted((*VECTORS.glob("stanza_*"), *VECTORS.glob("x25519*")))


def split(identity: str) -> tuple[KeyShare, ...]:
    """Return three-of-five shares of an ordinary age identity."""
    number = int.from_bytes(bech32.decode(identity)[1], "little")
    secret = ed.scalar(number & ~7 & (1 << 254) - 1 | 1 << 254)
    return dealt.of_polynomial(polynomial(secret, 3, os.urandom), 5, "plain")[0]


@pytest.mark.skipif(
    not VECTORS.is_dir(), reason="needs age's testkit: set QUORATE_VECTORS to the folder it is in"
)
@pytest.mark.parametrize("path", vectors(), ids=lambda path: path.name)
def test_the_testkit_of_age_through_a_split_key(path: Path) -> None:
    said, _, file = path.read_bytes().partition(b"\n\n")
    about = dict(line.split(": ", 1) for line in said.decode().splitlines())
    if about.get("compressed") == "zlib":
        file = zlib.decompress(file)
    stream = BytesIO(file)
    shares = split(about["identity"])
    if about["expect"] != "success":
        with pytest.raises(Error):
            opened(read_header(stream.readline), shares[1:4])
        return
    header = read_header(stream.readline)
    assert parse_header(header.encode()) == header
    file_key = opened(header, shares[1:4])
    assert file_key.hex() == about["file key"]
    content = b"".join(payload.unseal(file_key, stream.read))
    assert hashlib.sha256(content).hexdigest() == about["payload"]


def test_an_ephemeral_share_that_is_no_honest_senders_never_meets_a_share() -> None:
    for number in (0, 1, 2**255 - 20, 2**255 - 10):
        stanza = Stanza(("X25519", to_base64(number.to_bytes(32, "little"))), bytes(32))
        with pytest.raises(Error):
            plain.stanzas(make_header((stanza,), KEY))
    assert point_of(from_base64(wrap(PUBLIC, KEY).arguments[1]))
