"""A secure sum among three enclaves, through hosts that read and alter what passes; controls."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quorate import wire
from quorate.algebra.ring import Words
from quorate.enclave import channel, tunnel
from quorate.enclave.binding import admit
from quorate.enclave.policy import Policy, Reference
from quorate.enclave.tunnel import SEAL, SEALED, Peer, open_tunnel
from quorate.errors import Abort, Error, Party, VerificationFailed
from quorate.mpc import additive
from quorate.transport.memory import Envelope, Fault, MemoryNetwork, perfect
from quorate.transport.session import Session
from tests.enclave.pki import NOW
from tests.enclave.world import SUBJECT, Enclave, admitted, expected, own, policy, start
from tests.parties import measure, run_parties

SECRET = 0x5EC12E7_5EC12E7
VALUES = (SECRET, 2, 3)


def peer(enclave: Enclave) -> Peer:
    """Return it as if whatever policy it names had admitted it: the channel must refuse it."""
    seen = replace(admitted(start()), binding=enclave.binding)
    return Peer(seen, enclave.evidence.digest())


def three(**changes: Any) -> list[Enclave]:
    """Return three enclaves, the last bound to what is usual but for `changes`."""
    return [start(role="party"), start(role="party"), start(role="party", **changes)]


def telling(enclaves: list[Enclave]) -> Callable[[Session], Awaitable[Words]]:
    """Let each enclave tell all others its number; nothing but the tunnel hides it."""

    async def protocol(session: Session) -> Words:
        me = session.me
        peers = {party: peer(enclaves[party]) for party in session.others}
        inside = await open_tunnel(session, own(enclaves[me]), peers, os.urandom)
        told = await inside.exchange(np.array([VALUES[me]], np.uint64))
        return np.concatenate(told)

    return protocol


def watched(outcomes: list[bytes], fault: Fault = perfect) -> Fault:
    def seen(envelope: Envelope) -> list[Envelope]:
        outcomes.append(envelope.payload)
        return list(fault(envelope))

    return seen


def test_a_secure_sum_runs_inside_at_the_stated_cost() -> None:
    enclaves, hellos, sealed = three(), list[int](), list[Party]()

    async def protocol(session: Session) -> additive.Total:
        me = session.me
        peers = {party: peer(enclaves[party]) for party in session.others}
        inside = await open_tunnel(session, own(enclaves[me]), peers, os.urandom)
        mine = np.array([VALUES[me]], np.uint64)
        return await additive.secure_sum(
            inside, mine, context=b"test", claim=lambda _: None, randomness=os.urandom
        )

    def note(network: MemoryNetwork) -> None:
        def fault(envelope: Envelope) -> list[Envelope]:
            if f"/{SEALED}/" in envelope.label:
                sealed.append(envelope.sender)
            elif envelope.label.endswith("/1"):
                hellos.append(len(envelope.payload))
            return [envelope]

        network.fault = fault

    outcomes = run_parties(protocol, 3, watch=note)
    for outcome in outcomes.values():
        assert not isinstance(outcome, Error), outcome
        assert int(outcome.words[0]) == sum(VALUES)
    _, rounds, sent = measure(protocol, 3)
    bare = additive.cost(3, 1)
    each = sealed.count(0)
    assert len(set(hellos)) == 1
    assert rounds == bare.rounds + 3
    due = bare.bytes_sent + 2 * (96 + hellos[0]) + SEAL * each
    assert list(sent.values()) == [due] * 3


def test_hosts_see_ciphertext_only() -> None:
    seen: list[bytes] = []
    outcomes = run_parties(telling(three()), 3, watched(seen))
    assert all(np.array_equal(one, VALUES) for one in outcomes.values())  # type: ignore[arg-type]
    assert not any(SECRET.to_bytes(8, "little") in payload for payload in seen)


def test_control_of_ciphertext_without_a_tunnel_hosts_read_it() -> None:
    seen: list[bytes] = []

    async def bare(session: Session) -> None:
        await session.exchange(np.array([VALUES[session.me]], np.uint64))

    run_parties(bare, 3, watched(seen))
    assert any(SECRET.to_bytes(8, "little") in payload for payload in seen)


def flipped(place: int) -> Fault:
    """Alter one byte of what the first says to the second inside."""

    def fault(e: Envelope) -> list[Envelope]:
        if f"/{SEALED}/" not in e.label or (e.sender, e.to) != (0, 1):
            return [e]
        payload = bytearray(e.payload)
        payload[place] ^= 1
        return [replace(e, payload=bytes(payload))]

    return fault


@pytest.mark.parametrize("place", [0, 7, 8, -1])
def test_one_changed_byte_ends_the_run(place: int) -> None:
    outcomes = run_parties(telling(three()), 3, flipped(place))
    found = outcomes[1]
    assert isinstance(found, Abort)
    assert "not what its enclave sent" in str(found)
    assert found.suspects == {0}


def test_control_of_a_changed_byte_without_a_tunnel_it_is_believed() -> None:
    def fault(e: Envelope) -> list[Envelope]:
        return [replace(e, payload=b"\1" + e.payload[1:])] if e.sender == 0 else [e]

    async def bare(session: Session) -> Words:
        told = await session.exchange(np.array([VALUES[session.me]], np.uint64))
        return np.concatenate(told)

    told = run_parties(bare, 3, fault)[1]
    assert not isinstance(told, Error)
    assert told[0] != SECRET


def test_a_message_is_of_its_own_step_and_sender() -> None:
    """What was said at one step is shown again at the next, and to its own sender."""
    kept: dict[Party, bytes] = {}

    def again(e: Envelope) -> list[Envelope]:
        if f"/{SEALED}/" not in e.label or e.to != 1:
            return [e]
        return [replace(e, payload=kept.setdefault(e.sender, e.payload))]

    def back(e: Envelope) -> list[Envelope]:
        if f"/{SEALED}/" in e.label and {e.sender, e.to} == {0, 1}:
            kept.setdefault(e.sender, e.payload)
            return [replace(e, payload=kept[min(kept)])]
        return [e]

    enclaves = three()

    async def twice(session: Session) -> None:
        me = session.me
        peers = {party: peer(enclaves[party]) for party in session.others}
        inside = await open_tunnel(session, own(enclaves[me]), peers, os.urandom)
        for _ in range(2):
            await inside.exchange(np.array([VALUES[me]], np.uint64))

    for fault in (again, back):
        kept.clear()
        errors = [one for one in run_parties(twice, 3, fault).values() if isinstance(one, Abort)]
        assert any("not what its enclave sent" in str(one) for one in errors)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"subject": replace(SUBJECT, policy=bytes(32))}, "another policy"),
        ({"subject": replace(SUBJECT, plan=bytes(32))}, "another plan"),
        ({"approvals": bytes(32)}, "other approvals"),
    ],
)
def test_an_enclave_that_is_bound_to_something_else(changes: dict[str, Any], why: str) -> None:
    outcomes = run_parties(telling(three(**changes)), 3)
    assert all(isinstance(one, Abort) for one in outcomes.values())
    assert any(why in str(one) for one in outcomes.values())


def test_control_of_different_policies_without_the_comparison_they_talk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel, "_check_same", lambda *_: None)
    other = three(subject=replace(SUBJECT, policy=bytes(32)))
    outcomes = run_parties(telling(other), 3)
    assert not any(isinstance(one, Error) for one in outcomes.values())


def mirrored(e: Envelope) -> list[Envelope]:
    """Send a party's own words back to it, in place of the other's."""
    if "channel 0 1" in e.label:
        return [replace(e, sender=e.to, to=e.sender)]
    return [e]


def swapped(e: Envelope) -> list[Envelope]:
    """Let both be the caller."""
    if "channel 0 1" in e.label and e.label.endswith("/1"):
        hello = replace(wire.decode(e.payload, channel.Hello), end="caller")
        return [replace(e, payload=wire.encode(hello))]
    return [e]


@pytest.mark.parametrize("fault", [mirrored, swapped])
def test_reflection_and_swapped_roles(fault: Fault) -> None:
    found = run_parties(telling(three()), 3, fault)[0]
    assert isinstance(found, Abort)
    assert "its own message came back" in str(found) or "did not sign" in str(found)


def test_control_of_reflection_with_one_label_for_both_ends_a_mirror_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channel, "_check_ends", lambda *_: None)
    monkeypatch.setattr(channel, "_signed", lambda _, told: wire.encode(told))
    monkeypatch.setattr(channel, "_derive", lambda _, digest, __: digest)
    enclaves = three()
    one = own(enclaves[0])

    async def alone(session: Session) -> None:
        if session.me == 0:
            step = session.at(tunnel._pair(0, 1))
            await tunnel._agree(step, 1, one, peer(enclaves[0]), os.urandom)

    def mirror(e: Envelope) -> list[Envelope]:
        return [replace(e, sender=e.to, to=e.sender)]

    assert run_parties(alone, 2, mirror)[0] is None


def test_a_simulated_enclave_under_the_policy_of_hardware() -> None:
    enclave = start(role="party")
    hardware = Policy((Reference("sgx", policy().references[0].measurements),))
    due = replace(SUBJECT, policy=hardware.digest())
    bound = start(role="party", subject=due)
    with pytest.raises(VerificationFailed, match="nothing allows that"):
        admit(
            bound.evidence,
            bound.binding,
            expected(bound, role="party", subject=due),
            hardware,
            NOW,
        )
    assert admitted(enclave, role="party").binding.role == "party"
