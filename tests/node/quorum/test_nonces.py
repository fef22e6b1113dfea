"""Nonces once or never: no crash, no old backup, no second coordinator makes a node sign twice."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import FrameType

import pytest

from quorate.algebra import edwards25519 as ed
from quorate.errors import Refused, SessionReused
from quorate.node.home import Home
from quorate.node.quorum.messages import Commit, Sign
from quorate.node.quorum.nonces import MAX_WAITING, Waiting, WaitingSessions
from quorate.node.quorum.signer import Signer
from quorate.quorum.key import Key
from quorate.threshold import frost, sharing
from quorate.threshold.frost import NonceCommitment, Nonces, SigningPackage
from quorate.threshold.keys import KeyShare, PublicKey
from quorate.threshold.statement import SignedShare
from tests.node.quorum.clinic import (
    PASSPHRASE,
    Clinic,
    approve,
    in_a_clinic,
    propose,
    signed_everywhere,
    up_with_key,
)
from tests.node.three import Hospital, make_homes, up
from tests.quorum.dealt import ROLES

NURSE = 2
"""The seat of the nurse, who coordinates, and whose share is 3."""


class Asking:
    """A coordinator, the nurse, that asks the doctor's node and keeps what it is given."""

    def __init__(self, doctor: Hospital, key: Key, digest: bytes, nurse: KeyShare) -> None:
        self.doctor, self.key, self.digest, self.nurse = doctor, key, digest, nurse
        self.message = doctor.quorum.records.request(digest).request.message()

    def commit(self, signer: Signer, session: bytes) -> NonceCommitment:
        return signer.commit(NURSE, Commit(self.digest, session, ()))

    def sign(self, signer: Signer, session: bytes, doctors: NonceCommitment) -> SignedShare:
        """Ask for a share over fresh commitments of the nurse's: another package each time."""
        _, mine = frost.commit(self.nurse, os.urandom)
        return signer.sign(NURSE, Sign(session, (doctors, mine)))


@asynccontextmanager
async def asking(*homes: Home) -> AsyncGenerator[Asking]:
    """An order that doctor and nurse approved and nobody signed, since the doctor's was locked."""
    async with up_with_key(*homes) as (nodes, key):
        entry = await propose(nodes["doctor"], key)
        digest = entry.request.digest()
        custody = nodes["doctor"].quorum.custody
        vault, custody.opened = custody.opened, None
        await approve(nodes["nurse"], digest)
        nurse = nodes["nurse"].quorum.custody.share(key.key_id())
        for node in nodes.values():
            node.quorum.stop()
        custody.opened = vault
        yield Asking(nodes["doctor"], key, digest, nurse)


def test_a_session_is_signed_once() -> None:
    async def main() -> None:
        async with asking(*make_homes(ROLES)) as nurse:
            signer, session = nurse.doctor.quorum.signer, os.urandom(32)
            commitment = nurse.commit(signer, session)
            nurse.sign(signer, session, commitment)
            with pytest.raises(Refused, match="no such session"):
                nurse.sign(signer, session, commitment)
            with pytest.raises(Refused, match="no such session"):
                nurse.sign(signer, os.urandom(32), commitment)

    asyncio.run(main())


OF_SIGNING = ("signer.py", "nonces.py", "frost.py", "statement.py", "custody.py", "requests.py")
"""Where a signature is made. The database keeps its own promise: all of a transaction, or none."""


class _Killed(BaseException):
    """The process ends here."""


class _KillAt:
    """Ends the process, as far as our own code knows, at the n-th line it runs."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, frame: FrameType, event: str, _: object) -> "_KillAt | None":
        if not frame.f_code.co_filename.endswith(OF_SIGNING):
            return None
        if event == "line":
            self.left -= 1
            if self.left < 0:
                raise _Killed
        return self


def test_killed_at_any_line_between_commitment_and_share_a_node_never_signs_again() -> None:
    async def main() -> None:
        async with asking(*make_homes(ROLES)) as nurse:
            killed = 0
            while _killed_at(nurse, killed):
                killed += 1
            assert killed > 60  # or it was not every line

    asyncio.run(main())


def _killed_at(nurse: Asking, line: int) -> bool:
    """Kill the doctor's node at one line of a signature; return whether it got that far."""
    quorum, session = nurse.doctor.quorum, os.urandom(32)
    signer = Signer(quorum.desk, quorum.records, quorum.custody, quorum.requests)
    commitment = nurse.commit(signer, session)
    sys.settrace(_KillAt(line))
    try:
        nurse.sign(signer, session, commitment)
    except _Killed:
        was_killed = True
    else:
        was_killed = False
    finally:
        sys.settrace(None)
    restarted = Signer(quorum.desk, quorum.records, quorum.custody, quorum.requests)
    with pytest.raises(Refused):
        nurse.sign(restarted, session, commitment)
    if session in signer.waiting._by_id:  # it had not begun: the one share is still to be given
        nurse.sign(signer, session, commitment)
    with pytest.raises(Refused):
        nurse.sign(signer, session, commitment)
    return was_killed


def test_a_database_from_an_old_backup_brings_no_nonce_back() -> None:
    async def main() -> None:
        homes = make_homes(ROLES)
        backup = homes[0].folder.with_name("backup")
        async with asking(*homes) as nurse:
            session = os.urandom(32)
            commitment = nurse.commit(nurse.doctor.quorum.signer, session)
            with nurse.doctor.desk.store.transaction() as db:
                db.exec_driver_sql("SELECT 1")
            shutil.copytree(homes[0].folder, backup, ignore=shutil.ignore_patterns("*.sock"))
            nurse.sign(nurse.doctor.quorum.signer, session, commitment)
        for name in ("quorate.db", "quorate.db-wal", "quorate.db-shm"):
            (homes[0].folder / name).unlink(missing_ok=True)
            if (backup / name).exists():
                shutil.copy(backup / name, homes[0].folder / name)
        async with up(homes[0]) as doctor:
            await doctor.quorum.custody.unlock(PASSPHRASE)
            again = Asking(doctor, nurse.key, nurse.digest, nurse.nurse)
            with pytest.raises(Refused, match="no such session"):
                again.sign(doctor.quorum.signer, session, commitment)

    asyncio.run(main())


def test_a_session_that_was_claimed_is_refused_though_its_nonces_were_there() -> None:
    async def main() -> None:
        async with asking(*make_homes(ROLES)) as nurse:
            signer, session = nurse.doctor.quorum.signer, os.urandom(32)
            nurse.doctor.desk.store.claim_session(session, nurse.digest)
            commitment = nurse.commit(signer, session)
            with pytest.raises(SessionReused):
                nurse.sign(signer, session, commitment)

    asyncio.run(main())


def test_two_coordinators_at_once_get_shares_under_different_nonces() -> None:
    async def body(nodes: Clinic, key: Key) -> None:
        entry = await propose(nodes["doctor"], key)
        digest = entry.request.digest()
        nodes["doctor"].quorum.custody.opened = None
        for name in ("pharmacist", "nurse"):
            await approve(nodes[name], digest)
        await nodes["doctor"].quorum.custody.unlock(PASSPHRASE)
        coordinators = [nodes[name].quorum.signing.start(digest) for name in ROLES]
        await asyncio.gather(*coordinators)
        await signed_everywhere(nodes, digest)
        for node in nodes.values():
            given = [
                item.entry.details
                for item in node.desk.audit.verified()
                if item.entry.event == "share given"
            ]
            assert len({line.rpartition(" ")[2] for line in given}) == len(given)

    in_a_clinic(body)


def test_one_coordinator_cannot_take_what_another_began() -> None:
    waiting, nonces = WaitingSessions(), {}
    share = KeyShare(1, ed.ONE, _public())
    for coordinator in (0, 1):
        nonces[coordinator] = frost.commit(share, os.urandom)[0]
        waiting.put(bytes([coordinator]) * 32, Waiting(b"", coordinator, nonces[coordinator]))
    with pytest.raises(Refused):
        waiting.put(bytes(32), Waiting(b"", 1, nonces[1]))
    with pytest.raises(Refused):
        waiting.take(bytes(32), 1)
    with pytest.raises(Refused):
        waiting.take(bytes(32), 0)  # whoever tried, the nonces are gone


def test_a_coordinator_that_only_asks_fills_no_memory() -> None:
    waiting, share = WaitingSessions(), KeyShare(1, ed.ONE, _public())
    for number in range(MAX_WAITING + 5):
        nonces, _ = frost.commit(share, os.urandom)
        waiting.put(number.to_bytes(32, "big"), Waiting(b"", 1, nonces))
    assert len(waiting._by_id) == MAX_WAITING
    with pytest.raises(Refused):
        waiting.take(bytes(32), 1)


def _public() -> PublicKey:
    coefficients = sharing.polynomial(ed.ONE, 2, os.urandom)
    return PublicKey("sign", 3, sharing.commit(coefficients))


def test_control_without_taking_nonces_once_the_key_share_is_extracted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keep(waiting: WaitingSessions, session: bytes, _: int) -> Waiting:
        return waiting._by_id[session]

    def again(nonces: Nonces) -> tuple[ed.Scalar, ed.Scalar]:
        assert nonces._secret is not None
        return nonces._secret

    async def main() -> None:
        async with asking(*make_homes(ROLES)) as nurse:
            signer, session = nurse.doctor.quorum.signer, os.urandom(32)
            commitment = nurse.commit(signer, session)
            monkeypatch.setattr(WaitingSessions, "take", keep)
            monkeypatch.setattr(Nonces, "take", again)
            monkeypatch.setattr(type(nurse.doctor.desk.store), "claim_session", lambda *_: None)
            rows = []
            for _ in range(3):
                _, mine = frost.commit(nurse.nurse, os.urandom)
                signed = signer.sign(NURSE, Sign(session, (commitment, mine)))
                rows.append(_equation(nurse, (commitment, mine), signed))
            secret = nurse.doctor.quorum.custody.share(nurse.key.key_id()).secret
            assert _solved(rows)[2] == int.from_bytes(secret, "little")

    asyncio.run(main())


def _equation(
    nurse: Asking, commitments: tuple[NonceCommitment, ...], signed: SignedShare
) -> list[int]:
    """Return 1, rho, lambda c and z: what a coordinator knows of z = d + rho e + lambda c s."""
    package = SigningPackage(nurse.message, commitments)
    common = frost._common(nurse.key.public, package)
    weight = ed.scalar_mul(sharing.lagrange(1, package.identifiers), common.challenge)
    return [1, *(int.from_bytes(x, "little") for x in (common.factors[0], weight, signed.share.z))]


def _solved(rows: list[list[int]]) -> list[int]:
    """Return the solution of three linear equations modulo the group's order."""
    for i in range(3):
        inverse = pow(rows[i][i], -1, ed.ORDER)
        rows[i] = [x * inverse % ed.ORDER for x in rows[i]]
        for j in range(3):
            if j != i:
                factor = rows[j][i]
                rows[j] = [
                    (x - factor * y) % ed.ORDER for x, y in zip(rows[j], rows[i], strict=True)
                ]
    return [row[3] for row in rows]
