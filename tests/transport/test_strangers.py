"""Who is not in the roster, or not who was dialled, gets no link and takes none away."""

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from quorate.errors import VerificationFailed
from quorate.transport import tls
from quorate.transport.peers import Peers
from tests.transport.hostile import CHEAT, GREETING, Cheat, record, two_and_a_cheat, until
from tests.transport.mesh import GROUP, mesh, now, refuse, seats_of


def anonymous() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def stranger(cheat: Cheat) -> ssl.SSLContext:
    return cheat.context(Ed25519PrivateKey.generate())


def no_certificate(_: Cheat) -> ssl.SSLContext:
    return anonymous()


def tls_1_2(cheat: Cheat) -> ssl.SSLContext:
    context = cheat.context()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def smaller_seat(cheat: Cheat) -> ssl.SSLContext:
    """The key of the very node that is dialled."""
    return cheat.context(cheat.keys[0])


def self_signed(cheat: Cheat) -> ssl.SSLContext:
    """A chain that ends in an authority of the stranger's own, with the roster key's name."""
    pretender = Ed25519PrivateKey.generate()
    context = cheat.context(pretender)
    name = tls._key_name(cheat.keys[CHEAT].public_key())
    key = Ed25519PrivateKey.generate()
    forged = tls._build(key.public_key(), tls._name("node"), name, pretender, ca=False)
    tls._load_own(context, key, forged)
    return context


@pytest.mark.parametrize(
    "context_of", [stranger, no_certificate, tls_1_2, smaller_seat, self_signed]
)
def test_a_stranger_is_turned_away_and_nobody_notices(
    context_of: object, recwarn: pytest.WarningsRecorder
) -> None:
    assert callable(context_of)

    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            member = await cheat.join(0)
            await honest[0].peers[CHEAT].ready.wait()
            link = honest[0].peers[CHEAT].link
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                intruder = await cheat.connect(0, context_of(cheat))
                await intruder.say(record(GREETING))
                assert await intruder.hear_out() == b""
            assert honest[0].peers[CHEAT].link is link
            assert honest[0].peers[1].ready.is_set()
            await member.close()

    asyncio.run(scene())


@pytest.mark.parametrize("data", [b"\x16\x03\x01\xff\xff" + bytes(100), b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_not_tls_is_dropped(data: bytes) -> None:
    async def scene() -> None:
        async with two_and_a_cheat() as (honest, cheat):
            host, port = cheat.seats[0].host, cheat.seats[0].port
            reader, writer = await asyncio.open_connection(host, port)
            writer.write(data)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
            assert honest[0].peers[1].ready.is_set()
            await cheat.join(0)
            await honest[0].peers[CHEAT].ready.wait()

    asyncio.run(scene())


def test_a_certificate_that_only_openssl_can_read_is_no_certificate() -> None:
    with pytest.raises(VerificationFailed, match="malformed"):
        tls.issuer_of(b"\x30\x03\x02\x01\x01", [bytes(32)])


def test_a_certificate_of_no_roster_key_is_refused() -> None:
    ours, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    der = tls._certify(ours.public_key(), "node", other).public_bytes(Encoding.DER)
    with pytest.raises(VerificationFailed, match="not signed by any key of the group"):
        tls.issuer_of(der, [ours.public_key().public_bytes_raw()])


def test_a_certificate_holds_from_the_first_to_the_last_day() -> None:
    key = Ed25519PrivateKey.generate()
    for certificate in (
        tls._certify(key.public_key(), "node", key),
        tls._anchor(key.public_key().public_bytes_raw()),
    ):
        assert certificate.not_valid_before_utc == datetime(2000, 1, 1, tzinfo=UTC)
        assert certificate.not_valid_after_utc.year == 9999
        assert isinstance(certificate, x509.Certificate)


def test_another_member_at_the_address_takes_no_link_and_is_told() -> None:
    """Seat 2 dials north's address and finds south there."""

    async def scene() -> None:
        keys = [Ed25519PrivateKey.generate() for _ in range(3)]
        seats = seats_of(keys)
        south = Peers(1, seats, keys[1], GROUP, "test", refuse, now)
        west = Peers(2, seats, keys[2], GROUP, "test", refuse, now)
        async with (
            asyncio.timeout(30),
            south.running((seats[0].host, seats[0].port)),
            west.running((seats[2].host, seats[2].port)),
        ):
            await until(lambda: "the wrong member" in west.peers[0].trouble)
            assert west.peers[0].link is None
            assert west.peers[1].link is None

    asyncio.run(scene())


def test_a_session_needs_everybody() -> None:
    async def scene() -> None:
        async with mesh(3) as peers:
            assert {len(one.channel(5).links) for one in peers} == {2}

    asyncio.run(scene())
