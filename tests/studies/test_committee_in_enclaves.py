"""A committee of three whose members compute inside enclaves: the same result, sealed."""

import os

from quorate.enclave.tunnel import SEAL, SEALED, Peer, open_tunnel
from quorate.errors import Error, Party
from quorate.studies.committee import Revealed, reveal_shown
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.enclave.world import admitted, own, start
from tests.parties import run_parties
from tests.studies.test_committee import forget, plan_among, shared_out, totals_of

ROWS = [1, 30, 40, 20, 6, 50]  # by sex and ward: one cell is small


def test_the_result_is_the_same_and_every_message_grows_by_its_seal() -> None:
    plan = plan_among(3)
    numbers = shared_out(totals_of(ROWS), 3)
    enclaves = [start(role="party") for _ in numbers]
    sizes: dict[str, dict[tuple[Party, Party, str], int]] = {"inside": {}, "bare": {}}

    async def computing(session: Session) -> Revealed:
        return await reveal_shown(
            session,
            plan.study,
            numbers[session.me],
            security=plan.security,
            context=b"test",
            claim=forget,
            randomness=os.urandom,
        )

    async def inside(session: Session) -> Revealed:
        mine = enclaves[session.me]
        peers = {
            p: Peer(admitted(enclaves[p], role="party"), enclaves[p].evidence.digest())
            for p in session.others
        }
        return await computing(await open_tunnel(session, own(mine), peers, os.urandom))

    def noted(where: str, e: Envelope) -> list[Envelope]:
        if "/channel" not in e.label:
            label = e.label.removeprefix(f"/{SEALED}")
            sizes[where][e.sender, e.to, label] = len(e.payload)
        return [e]

    sealed = run_parties(inside, 3, lambda e: noted("inside", e))
    bare = run_parties(computing, 3, lambda e: noted("bare", e))
    for one, other in zip(sealed.values(), bare.values(), strict=True):
        assert not isinstance(one, Error), one
        assert not isinstance(other, Error), other
        assert (one.numbers, one.hidden) == (other.numbers, other.hidden)
        assert any(one.hidden)
    assert sizes["inside"] == {step: size + SEAL for step, size in sizes["bare"].items()}
