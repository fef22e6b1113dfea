"""Members that can only dial out meet at a relay, which learns nothing and can forge nothing."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate import wire
from quorate.cli.ports import free_ports
from quorate.errors import Abort, Unavailable
from quorate.transport import relay as relays
from quorate.transport import relayed
from quorate.transport.dial import Seat
from quorate.transport.peers import Peers
from quorate.transport.relay import RelayServer
from quorate.transport.relayed import Hello, Proof, Relay, Spoken
from quorate.transport.session import together
from tests.transport.hostile import until
from tests.transport.mesh import GROUP, now, refuse, seats_of, sessions

PATIENCE_S = 20


@dataclass(frozen=True, slots=True)
class Place:
    """A relay that runs, and where."""

    server: RelayServer
    at: Relay


@contextlib.asynccontextmanager
async def place(
    keys: Sequence[Ed25519PrivateKey], *more: frozenset[bytes]
) -> AsyncGenerator[Place]:
    (port,) = free_ports(1)
    async with RelayServer((roster(keys), *more)).running("127.0.0.1", port) as server:
        yield Place(server, Relay("127.0.0.1", port))


def roster(keys: Sequence[Ed25519PrivateKey]) -> frozenset[bytes]:
    return frozenset(key.public_key().public_bytes_raw() for key in keys)


def new_keys(count: int) -> list[Ed25519PrivateKey]:
    return [Ed25519PrivateKey.generate() for _ in range(count)]


def behind(seat: Seat, relay: Relay) -> Seat:
    return replace(seat, host=relay.host, port=relay.port, relayed=True)


@contextlib.asynccontextmanager
async def members(
    keys: Sequence[Ed25519PrivateKey], seats: tuple[Seat, ...], away: Sequence[int] = ()
) -> AsyncGenerator[list[Peers]]:
    """All members but those away, each listening somewhere on this machine."""
    async with contextlib.AsyncExitStack() as stack:
        peers = [Peers(p, seats, key, GROUP, "test", refuse, now) for p, key in enumerate(keys)]
        ports = free_ports(len(keys))
        for one in peers:
            direct = not seats[one.me].relayed
            listen = seats[one.me].port if direct else ports[one.me]
            if one.me not in away:
                await stack.enter_async_context(one.running(("127.0.0.1", listen)))
        yield peers


async def said_to(place: Place, hello: Hello, key: Ed25519PrivateKey) -> None:
    """Say `hello` with the signature of `key`; raises as `_connected` does."""
    with await relayed._connected(place.at, key, hello):
        pass


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def test_direct_and_relayed_members_are_one_group() -> None:
    async def scene() -> None:
        keys = new_keys(4)
        async with place(keys) as here:
            direct = seats_of(keys)
            seats = (behind(direct[0], here.at), direct[1], behind(direct[2], here.at), direct[3])
            async with members(keys, seats) as peers:
                for one in peers:
                    await one.wait_ready(PATIENCE_S)
                runs = sessions(peers, 1, PATIENCE_S)
                words = np.arange(1000, dtype=np.uint64)
                got = await asyncio.gather(*(run.exchange(words + run.me) for run in runs))
                for run, received in zip(runs, got, strict=True):
                    for party in run.others:
                        np.testing.assert_array_equal(received[party], words + party)
                assert [peer.relay_trouble for peer in peers] == ["", "", "", ""]
        # 0 is called by 1, 2 and 3; 2 by 3; 1 is dialled by 2 and 3.
        assert here.server.forwarded > 4 * 2 * words.nbytes

    asyncio.run(scene())


def test_what_is_long_passes_whole_both_ways() -> None:
    """32 MB each way at once: more than all buffers on the way hold."""

    async def scene() -> None:
        keys = new_keys(2)
        async with place(keys) as here:
            seats = tuple(behind(seat, here.at) for seat in seats_of(keys))
            async with members(keys, seats) as peers:
                for one in peers:
                    await one.wait_ready(PATIENCE_S)
                words = np.arange(4_000_000, dtype=np.uint64)
                got = await together(*(run.exchange(words) for run in sessions(peers, 1, 60)))
                np.testing.assert_array_equal(got[0][1], words)
                np.testing.assert_array_equal(got[1][0], words)

    asyncio.run(scene())


def test_a_relay_that_comes_back_is_used_again() -> None:
    async def scene() -> None:
        keys = new_keys(2)
        (port,) = free_ports(1)
        at = Relay("127.0.0.1", port)
        seats = tuple(behind(seat, at) for seat in seats_of(keys))
        async with members(keys, seats) as peers:
            async with RelayServer((roster(keys),)).running(at.host, port):
                for one in peers:
                    await one.wait_ready(PATIENCE_S)
            await until(lambda: not any(peer.peers[1 - peer.me].ready.is_set() for peer in peers))
            await until(lambda: peers[0].relay_trouble != "")
            await until(lambda: "cannot reach the relay" in peers[1].peers[0].trouble)
            async with RelayServer((roster(keys),)).running(at.host, port):
                for one in peers:
                    await one.wait_ready(PATIENCE_S)

    asyncio.run(scene())


def test_the_hop_that_is_blocked_is_named() -> None:
    async def scene() -> None:
        keys = new_keys(2)
        (nowhere,) = free_ports(1)
        async with place(keys) as here:
            seats = tuple(behind(seat, here.at) for seat in seats_of(keys))
            async with members(keys, seats, away=[0]) as (_, one):
                await until(lambda: "has no line to this relay" in one.peers[0].trouble)
            dark = tuple(behind(seat, Relay("127.0.0.1", nowhere)) for seat in seats)
            async with members(keys, dark) as (zero, one):
                await until(
                    lambda: f"cannot reach the relay 127.0.0.1:{nowhere}" in one.peers[0].trouble
                )
                assert f"cannot reach the relay 127.0.0.1:{nowhere}" in zero.relay_trouble
                with pytest.raises(Abort, match="cannot reach the relay"):
                    await one.wait_ready(0.1)

    asyncio.run(scene())


def test_strangers_and_members_of_other_groups_are_refused() -> None:
    async def scene() -> None:
        keys, others, stranger = new_keys(2), new_keys(2), new_keys(1)[0]
        async with place(keys, roster(others)) as here:
            with pytest.raises(Unavailable, match="no roster here has that key"):
                await said_to(here, Hello("wait", public(stranger), b"", b""), stranger)
            with pytest.raises(Unavailable, match="no roster here has both keys"):
                await relayed.call(here.at, others[0], public(keys[0]))
            with pytest.raises(Unavailable, match="no such call waits"):
                await relayed.answer(here.at, keys[0], bytes(relayed.TOKEN))
            assert not here.server.waiting

    asyncio.run(scene())


def test_nobody_waits_in_anothers_name() -> None:
    async def scene() -> None:
        keys = new_keys(2)
        async with place(keys) as here:
            with pytest.raises(Unavailable, match="that key did not sign"):
                await said_to(here, Hello("wait", public(keys[0]), b"", b""), keys[1])
            assert not here.server.waiting

    asyncio.run(scene())


def test_control_a_relay_that_does_not_check_lets_anybody_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same theft succeeds where no signature is checked: the call then goes to the thief."""

    async def scene() -> None:
        keys = new_keys(2)
        taken: list[bytes] = []

        class Careless:
            def verify(self, signature: bytes, data: bytes) -> None:
                """Accept whatever it is."""

            @staticmethod
            def from_public_bytes(_: bytes) -> "Careless":
                return Careless()

        monkeypatch.setattr(relays, "Ed25519PublicKey", Careless)
        async with place(keys) as here:
            theft = Hello("wait", public(keys[0]), b"", b"")
            line = await relayed._connected(here.at, keys[1], theft)
            with line:
                async with asyncio.TaskGroup() as tasks:
                    caller = tasks.create_task(relayed.call(here.at, keys[1], public(keys[0])))
                    taken.append((await relayed.receive(line, relayed.Ring)).token)
                    caller.cancel()
        assert len(taken[0]) == relayed.TOKEN

    asyncio.run(scene())


class Lying(RelayServer):
    """A relay that sends every call to whom it likes, and takes any answer."""

    async def _join(self, line: socket.socket, hello: Hello) -> None:
        thief = next(iter(self.waiting), hello.to)
        await super()._join(line, replace(hello, to=thief))


def test_a_relay_that_connects_a_caller_to_somebody_else_is_found_out() -> None:
    async def scene() -> None:
        keys = new_keys(3)
        (port,) = free_ports(1)
        at = Relay("127.0.0.1", port)
        direct = seats_of(keys)
        seats = (behind(direct[0], at), direct[1], direct[2])
        honest = Peers(1, seats, keys[1], GROUP, "test", refuse, now)
        swapped = (replace(seats[0], public_key=public(keys[2])), direct[1])
        thief = Peers(0, swapped, keys[2], GROUP, "test", refuse, now)
        one, other = (("127.0.0.1", port) for port in free_ports(2))
        async with (
            Lying((roster(keys),)).running(at.host, at.port),
            honest.running(one),
            thief.running(other),
        ):
            await until(lambda: "the wrong member" in honest.peers[0].trouble)
            assert not honest.peers[0].ready.is_set()

    asyncio.run(scene())


def test_what_is_no_relay_is_said_so() -> None:
    async def scene() -> None:
        async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"\xff\xffHTTP/1.1 400 Bad Request\r\n")
            writer.close()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            with pytest.raises(Unavailable, match="is no relay"):
                await relayed.call(Relay("127.0.0.1", port), new_keys(1)[0], bytes(32))

    asyncio.run(scene())


def test_hostile_records_end_their_own_connection_only() -> None:
    async def scene() -> None:
        keys = new_keys(2)
        hello = wire.encode(Hello("wait", public(keys[0]), b"", b""))
        junk = [
            b"",
            b"\x00\x00",
            b"\xff\xff" + bytes(600),
            b"\x05\x00\x00",
            (len(hello) + 1).to_bytes(2, "little") + hello + b"\x00",
            len(hello).to_bytes(2, "little") + hello + b"\x02\x00ab",
        ]
        async with place(keys) as here:
            for bytes_ in junk:
                reader, writer = await asyncio.open_connection(here.at.host, here.at.port)
                writer.write(bytes_)
                writer.write_eof()
                with contextlib.suppress(ConnectionResetError):
                    await reader.read()
                writer.close()
            with pytest.raises(Unavailable, match="has no line to this relay"):
                await relayed.call(here.at, keys[1], public(keys[0]))

    asyncio.run(scene())


def test_a_proof_is_of_one_connection() -> None:
    """The signature over one challenge is refused over another."""

    async def scene() -> None:
        keys = new_keys(2)
        async with place(keys) as here:
            hello = Hello("wait", public(keys[0]), b"", b"")
            proofs: list[Proof] = []
            for _ in range(2):
                with socket.create_connection((here.at.host, here.at.port)) as line:
                    line.setblocking(False)
                    await relayed.send(line, hello)
                    challenge = await relayed.receive(line, relayed.Challenge)
                    spoken = wire.signing_input("relay", Spoken(hello, challenge.nonce))
                    proofs.append(Proof(keys[0].sign(spoken)))
                    await relayed.send(line, proofs[0])
                    said = await relayed.receive(line, relayed.Said)
                    assert said.ok == (len(proofs) == 1)

    asyncio.run(scene())
