"""What a liar may say in each round, as functions of what it knows."""

import secrets
from dataclasses import replace

from quorate import wire
from quorate.algebra import edwards25519 as ed
from quorate.algebra import mersenne
from quorate.anonymous import pads, rounds
from quorate.anonymous.decision import Decided
from quorate.anonymous.messages import Ciphertexts, Closing, Keys, Signed, Sums, Vector, ballot
from quorate.anonymous.rounds import Begun, Reserved
from quorate.errors import Party
from tests.anonymous.group import MemoryStore
from tests.anonymous.liar import Liar, Said

N, LIAR = 4, 3
HONEST = (0, 1, 2)


def other_keys(liar: Liar) -> Signed:
    """Keys as good as its own: what a member says to some when it says two things."""
    _, said = rounds.begin(liar.run, liar.me, liar.identity, MemoryStore(), secrets.token_bytes)
    return said


def foreign_x25519(liar: Liar, said: Signed) -> Signed:
    return liar.alters("keys", said, x25519=wire.decode(other_keys(liar).body, Keys).x25519)


def foreign_mlkem(liar: Liar, said: Signed) -> Signed:
    return liar.alters("keys", said, mlkem=wire.decode(other_keys(liar).body, Keys).mlkem)


def low_order(liar: Liar, said: Signed) -> Signed:
    return liar.alters("keys", said, x25519=bytes(32))


def small_subgroup(liar: Liar, said: Signed) -> Signed:
    return liar.alters("keys", said, share=bytes(32))


def short_key(liar: Liar, said: Signed) -> Signed:
    return liar.alters("keys", said, mlkem=bytes(1183))


def unusable_mlkem(liar: Liar, said: Signed) -> Signed:
    return liar.alters("keys", said, mlkem=b"\xff" * 1184)


def rogue_share(liar: Liar, said: Signed) -> Signed:
    """A share that cancels the others': the joint key would be the liar's own."""
    theirs = [wire.decode(s.body, Keys).share for s in liar.heard["keys"].values()]
    own = ed.base_mul(ed.random_scalar(secrets.token_bytes))
    rogue = ed.sub(own, ed.sum_points(map(ed.decode_point, theirs)))
    return liar.alters("keys", said, share=rogue)


def copied_proof(liar: Liar, said: Signed) -> Signed:
    theirs = wire.decode(liar.heard["keys"][0].body, Keys)
    return liar.alters("keys", said, share=theirs.share, proof=theirs.proof)


def bad_ciphertext(liar: Liar, said: Signed) -> Signed:
    ciphertexts = tuple(secrets.token_bytes(1088) for _ in range(N - 1))
    return liar.alters("ciphertexts", said, ciphertexts=ciphertexts)


def one_bad_ciphertext(liar: Liar, said: Signed) -> Signed:
    kept = wire.decode(said.body, Ciphertexts).ciphertexts
    ciphertexts = (secrets.token_bytes(1088), *kept[1:])
    return liar.alters("ciphertexts", said, ciphertexts=ciphertexts)


def short_ciphertext(liar: Liar, said: Signed) -> Signed:
    return liar.alters("ciphertexts", said, ciphertexts=(bytes(1087),) * (N - 1))


def few_ciphertexts(liar: Liar, said: Signed) -> Signed:
    return liar.alters("ciphertexts", said, ciphertexts=(bytes(1088),) * (N - 2))


def flipped_sums(liar: Liar, said: Signed) -> Signed:
    sums = wire.decode(said.body, Sums).sums
    return liar.alters("sums", said, sums=bytes([sums[0] ^ 1]) + sums[1:])


def outside_the_field(liar: Liar, said: Signed) -> Signed:
    return liar.alters("sums", said, sums=mersenne.P.to_bytes(16, "little") * N)


def short_sums(liar: Liar, said: Signed) -> Signed:
    return liar.alters("sums", said, sums=bytes(16 * N - 1))


def honest_tags(liar: Liar) -> list[int]:
    """What the last to speak learns in round 3: the others' tags, and not whose they are."""
    kept = liar.kept["sums"]
    assert isinstance(kept, Reserved)
    pairs = dict(zip(HONEST, kept.pairs, strict=True))
    theirs = [mersenne.decode(wire.decode(s.body, Sums).sums) for s in liar.heard["sums"].values()]
    alone = pads.add_pads([0] * N, LIAR, pairs)
    summed = [sum(column) % mersenne.P for column in zip(*theirs, alone, strict=True)]
    found = mersenne.distinct_roots(summed[: N - 1])
    assert found is not None
    return found


def copied_tag(liar: Liar, said: Signed) -> Signed:
    kept = liar.kept["sums"]
    assert isinstance(kept, Reserved)
    pairs = dict(zip(HONEST, kept.pairs, strict=True))
    padded = pads.add_pads(mersenne.powers(honest_tags(liar)[0], N), LIAR, pairs)
    return liar.alters("sums", said, sums=mersenne.encode(padded))


def chosen_tag(liar: Liar, said: Signed) -> Signed:
    """A tag that its seed does not give, but as good as any: the first slot, and a false vote."""
    kept = liar.kept["sums"]
    assert isinstance(kept, Reserved)
    pairs = dict(zip(HONEST, kept.pairs, strict=True))
    padded = pads.add_pads(mersenne.powers(1, N), LIAR, pairs)
    return liar.alters("sums", said, sums=mersenne.encode(padded))


def flipped_everywhere(liar: Liar, said: Signed) -> Signed:
    cells = wire.decode(said.body, Vector).cells
    return liar.alters("vector", said, cells=bytes(b ^ 0x55 for b in cells))


def flipped_bit(liar: Liar, said: Signed) -> Signed:
    """One bit of the first slot that is not its own."""
    cells = bytearray(wire.decode(said.body, Vector).cells)
    kept = liar.kept["vector"]
    assert isinstance(kept, rounds.Spoken)
    cells[(0 if kept.slot else 1) * liar.run.sealed_bytes + 40] ^= 1
    return liar.alters("vector", said, cells=bytes(cells))


def short_vector(liar: Liar, said: Signed) -> Signed:
    return liar.alters("vector", said, cells=wire.decode(said.body, Vector).cells[:-1])


def no_go(liar: Liar, said: Signed) -> Signed:
    return liar.alters("vote", said, go=False)


def other_transcript(liar: Liar, said: Signed) -> Signed:
    return liar.alters("vote", said, transcript=bytes(32))


def other_board(liar: Liar, said: Signed) -> Signed:
    return liar.alters("vote", said, board=bytes(32))


def not_its_key(liar: Liar, said: Signed) -> Signed:
    return liar.alters("closing", said, secret=ed.random_scalar(secrets.token_bytes))


def not_a_scalar(liar: Liar, said: Signed) -> Signed:
    return liar.alters("closing", said, secret=b"\xff" * 32)


def key_without_votes_for_it(liar: Liar, _: Signed) -> Signed:
    kept = liar.kept["keys"]
    assert isinstance(kept, Begun)
    return liar.signs("closing", Closing("key", kept.share))


def seed_in_spite_of_go(liar: Liar, _: Signed) -> Signed:
    kept, decided = liar.kept["keys"], liar.kept["closing"]
    assert isinstance(kept, Begun)
    assert isinstance(decided, Decided)
    ballots = tuple(map(ballot, decided.heard[-1]))
    return liar.signs("closing", Closing("seed", kept.seed, ballots))


def seed_it_never_promised(liar: Liar, said: Signed) -> Signed:
    return liar.alters("closing", said, secret=secrets.token_bytes(32))


def claims_to_be_told_nothing(liar: Liar, said: Signed) -> Signed:
    """Say neither, and show signatures that nobody made."""
    told = wire.decode(said.body, Closing).told
    return liar.alters("closing", said, told=tuple(replace(c, signature=bytes(64)) for c in told))


def wrong_commitment(liar: Liar, said: Signed) -> Signed:
    return liar.alters("keys", said, commitment=bytes(32))


# Two things said in one round: one to member 0, another to the rest.


def two_faced(liar: Liar, said: Signed, other: Signed) -> dict[Party, Signed]:
    return {0: said, 1: other, 2: other}


def two_keys(liar: Liar, said: Signed) -> Said:
    return two_faced(liar, said, other_keys(liar))


def two_ciphertexts(liar: Liar, said: Signed) -> Said:
    return two_faced(liar, said, one_bad_ciphertext(liar, said))


def two_sums(liar: Liar, said: Signed) -> Said:
    return two_faced(liar, said, flipped_sums(liar, said))


def two_vectors(liar: Liar, said: Signed) -> Said:
    return two_faced(liar, said, flipped_bit(liar, said))


def two_votes(liar: Liar, said: Signed) -> Said:
    return two_faced(liar, said, no_go(liar, said))


def two_transcripts(liar: Liar, said: Signed) -> Said:
    return two_faced(liar, said, other_transcript(liar, said))
