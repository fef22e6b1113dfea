"""One run: n members each publish as much, and one text or none of each comes out unsigned.

Party i holds its identity key and a text, or none. All learn the texts in an
order nobody chose; nobody learns whose they are. A DC-net [Cha88]: pads of each
pair cancel in the exclusive or of all vectors. The slots are reserved by power
sums as in DiceMix [RMK17]; the cells are sealed to a key that all must release
after all have signed that all is well, as in Dissent's go or no-go [CF10]; else
seeds are opened and the disruptor is named, and no cell can be read any more.

Adversary: active, any number of members short of two honest ones, who also see
all links. Guaranteed: a text's author is hidden among the honest members of the
run, also in a run that fails; a run that fails names a culprit with evidence,
or the silent as suspects. Not guaranteed: that a run succeeds (who is silent can
end it); that all honest members read the same, where somebody sends its share
of the key to some only; who took part, and how many texts there were, is seen.
This combination of published parts is ours: unreviewed.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.algebra.edwards25519 import Randomness
from quorate.anonymous import cell, decision, rounds
from quorate.anonymous.decision import Decided, Delivered
from quorate.anonymous.messages import Run, Signed
from quorate.anonymous.rounds import Received, RunStore
from quorate.errors import Abort, Party, Refused
from quorate.transport.session import Session, together


async def take_part(
    session: Session,
    run: Run,
    text: bytes,
    *,
    identity: Ed25519PrivateKey,
    store: RunStore,
    randomness: Randomness,
) -> Delivered:
    """Take part in `run` with `text`, which is empty where there is nothing to say.

    Raises `Disrupted` with evidence, `Abort` naming the silent, `Refused`,
    `SessionReused`, and `OutOfRange` for a text longer than a cell.

    Cost: 6 rounds, 7 where votes were told differently; in a run that succeeds exactly
    `cost.cost(n, cell_bytes).bytes_sent` a party, which is (n - 1) times about
    2090 + 1091 (n - 1) + 16 n + n (cell_bytes + 48).
    """
    if session.names != tuple(member.name for member in run.members):
        raise Refused("the members of the session are not those of the run")
    cell.pad(text, run.cell_bytes)  # too long a text must not be what ends a run for all to see
    begun, said = rounds.begin(run, session.me, identity, store, randomness)
    encapsulated, said = rounds.encapsulate(begun, await session.exchange(said), identity)
    reserved, said = rounds.reserve(encapsulated, await session.exchange(said), identity)
    heard = await session.exchange(said)
    spoken, said = rounds.speak(reserved, heard, text, identity, randomness)
    voted, said = rounds.vote(spoken, await session.exchange(said), identity)
    decided = decision.decide(voted, await session.exchange(said), store)
    closings = await session.exchange(decision.close(decided, identity))
    return decision.conclude(
        decided, closings, await _seventh(session, decided, closings, identity)
    )


async def _seventh(
    session: Session, decided: Decided, closings: Received, identity: Ed25519PrivateKey
) -> tuple[tuple[Party, Signed], ...]:
    """Show by which votes the key was given, or have it shown, where members did unlike things."""
    show = decision.show(decided, closings, identity)
    if show is None:
        return ()
    steps = {p: session.at(f"ballots {p}") for p in range(session.n)}
    if show.to:
        await steps[session.me].route(show.message, to=show.to, like=show.message)

    async def shown_by(party: Party) -> Signed | None:
        try:
            return (await steps[party].route(senders=[party], like=show.message))[party]
        except Abort:  # one that shows nothing keeps nobody from what another shows
            return None

    shown = await together(*(shown_by(p) for p in show.senders))
    named = zip(show.senders, shown, strict=True)
    return tuple((p, message) for p, message in named if message is not None)
