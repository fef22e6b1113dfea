"""Run a plan in an attested enclave: rows leave, sealed, once one's own verifier has let them.

    all agree that they are in one session; each offers a fresh nonce and its word on the program
    the host starts the program; its evidence, over all nonces, goes to all, who see the same
    each admits it under the approved policy, and seals its rows to the key that was attested
    the enclave computes (`studies.plain`), and signs what it was given and what came out
    each checks that signature, its own rows in it, and that the result is the one it has

Who holds what: nobody another's row, if the platform keeps its promise; a simulated one promises
nothing, and its host can read every row. The host can end a run, and sees how many rows each member
sends. Adversary: the host and the network; not who breaks the platform. From [RFC9334]. Unreviewed.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from quorate import wire
from quorate.algebra.ring import Words
from quorate.enclave.binding import NONCE, Admitted, admit
from quorate.enclave.receipt import Archive, SignedReceipt
from quorate.enclave.rows import SignedParcel, seal_rows
from quorate.errors import Abort, Error, MalformedMessage, Party, SessionReused, VerificationFailed
from quorate.mpc.agreement import Claim
from quorate.studies.approval import SignedApproval
from quorate.studies.attested import Begun, Brief, Offer, check_open, expected, offer
from quorate.studies.group import Group
from quorate.studies.inside import Machine, Outcome, Sent, cut_sealed, pieces_of, sealed_size
from quorate.studies.origin import check_origin
from quorate.studies.plain import results_of_words
from quorate.studies.plan import Plan
from quorate.studies.rows import columns_sent, most_rows_sent
from quorate.studies.runners.third_party import READY, at_work, tell, wait_for_words
from quorate.studies.running import Running
from quorate.transport.session import Session, together

STAGES = ("keys", "evidence", "rows", "computing", "receipt")
FRAME = 1 << 15
"""Bytes in which evidence, a parcel or a receipt travels: what it is, then zeros."""

M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Attending:
    """What a member brings to a run in an enclave, beside its rows."""

    group: Group
    key: Ed25519PrivateKey = field(repr=False)
    approvals: tuple[SignedApproval, ...]
    time: str
    measured: bytes  # what this member's own build of the program measures to
    machine: Machine | None = None  # at the host


@dataclass(frozen=True, slots=True)
class Attested:
    """What a run in an enclave ends with."""

    words: Words = field(repr=False)
    session_id: bytes
    archive: Archive


async def run_inside(running: Running, mine: Attending) -> Attested:
    """Return the words that results are made of, and the proof of where they were made.

    `running.own` is the number of this member's rows, then these, column after column.
    Raises `Abort`, `Refused`, `SessionReused`.

    Cost, n members, r rows of c columns, w words, o bytes of an offer: 11 rounds; the host sends
    (n - 1) * (65804 + o + 8 w) bytes, another member (n - 1) * (259 + o) + 32800 + 8 r c bytes, and
    16 bytes more for each 48 MiB of rows after the first. Each third of a time-out that the enclave
    computes is one round and 8 + 8 w bytes to each member more.
    """
    session, plan = running.session, running.plan
    check_open(plan, mine.approvals)
    bond = await running.keys()
    await session.confirm(bond.session_id)
    running.progress("evidence")
    host, time = plan.members.index(plan.computes[0]), datetime.fromisoformat(mine.time)
    name, nonce = plan.members[session.me], running.randomness(NONCE)
    offers = await session.exchange(offer(plan, name, mine.key, mine.measured, nonce, time))
    begun = await _begun(running, mine, offers, host)
    await session.confirm(begun)
    enclave = _admitted(plan, begun, offers, name, time, host)
    running.progress("rows")
    sent = _sealed(running, enclave, name, mine.key)
    if session.me == host:
        outcome = await _host(running, mine, sent)
        words, signed = outcome.words, outcome.receipt
        await session.route(_framed(signed), to=session.others, like=_framed(signed))
    else:
        words, signed = await _owner(running, sent, host)
    running.progress("receipt")
    words_on = tuple(one.word for one in offers)
    policy = plan.study.enclosed.policy()
    archive = Archive(signed, begun.evidence, policy, words_on, time)
    _check_receipt(running, mine, archive, words, sent, host)
    await session.confirm(words, archive)
    return Attested(words, bond.session_id, archive)


async def _begun(
    running: Running, mine: Attending, offers: tuple[Offer, ...], host: Party
) -> Begun:
    """Return what the enclave shows: the host starts it."""
    session, plan = running.session, running.plan
    if session.me != host:
        like = np.zeros(FRAME, np.uint8)
        frame = (await session.route(senders=[host], like=like))[host]
        return _unframed(session, host, frame, Begun)
    machine = _machine(mine)
    brief = Brief(mine.group, plan, mine.approvals, mine.time, offers)
    begun = await running.aside(lambda: machine.begin(brief))
    await session.route(_framed(begun), to=session.others, like=_framed(begun))
    return begun


def _admitted(
    plan: Plan, begun: Begun, offers: tuple[Offer, ...], name: str, time: datetime, host: Party
) -> Admitted:
    """Return the enclave, if this member's own verifier accepts it. Raises `Abort`."""
    due = expected(plan, offers, name)
    try:
        return admit(begun.evidence, begun.binding, due, plan.study.enclosed.policy(), time)
    except (Error, MalformedMessage) as e:
        raise Abort(
            f"the enclave of {plan.members[host]} is not the one that was approved: {e}",
            suspects=[host],
            hint="no row has left this node",
        ) from None


def _sealed(running: Running, enclave: Admitted, name: str, key: Ed25519PrivateKey) -> Sent:
    """Seal this member's rows to the enclave. Raises `Refused` where they left before."""
    frame = wire.array_frame(running.own)
    parcel, sealed = seal_rows(
        enclave, name, key, pieces_of(frame), running.randomness, partial(_is_first, running.claim)
    )
    return Sent(parcel, sealed)


def _is_first(claim: Claim, name: bytes) -> bool:
    """Return whether `name` is claimed for the first time, in the store that keeps sessions."""
    try:
        claim(name)
    except SessionReused:
        return False
    return True


async def _host(running: Running, mine: Attending, own: Sent) -> Outcome:
    """Take in everybody's sealed rows, hand them to the enclave, tell all what came of it."""
    session, plan = running.session, running.plan
    others, machine = session.others, _machine(mine)
    counts = await session.route(senders=others, like=running.own[:1])
    counted = {party: int(found[0]) for party, found in counts.items()}
    if many := [party for party, count in counted.items() if count > most_rows_sent(plan)]:
        names = ", ".join(session.names[party] for party in many)
        raise Abort(f"{names} would send more rows than the plan allows", suspects=many)
    await session.route(READY, to=others, like=READY)
    parcels = await session.route(senders=others, like=np.zeros(FRAME, np.uint8))
    width = len(columns_sent(plan))
    steps = {party: session.at(f"rows of {party}") for party in others}
    sizes = {party: sealed_size(8 * (1 + width * counted[party])) for party in others}
    arrived = await together(
        *(
            steps[party].route(senders=[party], like=np.zeros(sizes[party], np.uint8))
            for party in others
        )
    )
    sealed = {party: data.tobytes() for one in arrived for party, data in one.items()}
    sent = [
        own
        if party == session.me
        else Sent(
            _unframed(session, party, parcels[party], SignedParcel), cut_sealed(sealed[party])
        )
        for party in range(session.n)
    ]
    running.progress("computing")
    outcome = await at_work(session, plan, running.aside(lambda: machine.finish(sent)))
    await tell(session, outcome.words)
    return outcome


async def _owner(running: Running, sent: Sent, host: Party) -> tuple[Words, SignedReceipt]:
    """Send one's sealed rows; return the result and what the enclave signs of it."""
    session, plan = running.session, running.plan
    await session.route(running.own[:1], to=[host], like=running.own[:1])
    await session.route(senders=[host], like=READY)
    await session.route(_framed(sent.parcel), to=[host], like=_framed(sent.parcel))
    data = np.frombuffer(b"".join(sent.sealed), np.uint8)
    await session.at(f"rows of {session.me}").route(data, to=[host], like=data)
    running.progress("computing")
    words = await wait_for_words(session, plan, host)
    frame = (await session.route(senders=[host], like=np.zeros(FRAME, np.uint8)))[host]
    return words, _unframed(session, host, frame, SignedReceipt)


def _check_receipt(
    running: Running, mine: Attending, archive: Archive, words: Words, sent: Sent, host: Party
) -> None:
    """Raise `Abort` unless the enclave signed this result, from this member's own rows."""
    plan, me = running.plan, running.session.me
    parcel = sent.parcel.parcel
    try:
        results = results_of_words(plan, words)
        why = check_origin(archive, plan, mine.group, results, archive.accepted).was_valid
    except VerificationFailed as e:
        why = str(e)
    if not why and archive.signed.receipt.intake[me].commitment != parcel.commitment:
        why = "it was handed other rows than were sent"
    if why:
        name = plan.members[host]
        raise Abort(f"the enclave of {name} does not answer for it: {why}", suspects=[host])


def _machine(mine: Attending) -> Machine:
    if mine.machine is None:
        raise TypeError("the host of an enclave brings its machine")
    return mine.machine


def _framed(message: object) -> NDArray[np.uint8]:
    data = wire.encode(message)
    if len(data) > FRAME - 4:
        raise Abort(f"{len(data)} bytes of evidence; at most {FRAME - 4} are sent")
    return np.frombuffer((len(data).to_bytes(4) + data).ljust(FRAME, b"\0"), np.uint8)


def _unframed(session: Session, sender: Party, frame: NDArray[np.uint8], kind: type[M]) -> M:
    data = frame.tobytes()
    size = int.from_bytes(data[:4])
    whole = data[4 : 4 + size] if not any(data[4 + size :]) else b""
    try:
        return wire.decode(whole, kind)
    except MalformedMessage as e:
        raise Abort(f"from {session.names[sender]}: {e}", suspects=[sender]) from None
