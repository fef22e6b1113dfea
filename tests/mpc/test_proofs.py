"""Proofs that ANDs are right: what is wrong is found, and what would get past without each part."""

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from quorate.algebra import ghash
from quorate.algebra.bits import BITS
from quorate.algebra.ghash import ONE, PLANES, Element, Elements, Fingerprint
from quorate.algebra.ring import Words
from quorate.errors import Abort, Error, Party
from quorate.mpc import boolean, buckets, choice, endings, proofs, statements, verification
from quorate.mpc.boolean import BitShare, both_words, packed, unpacked
from quorate.mpc.choice import Check
from quorate.mpc.cost import NEAR, Pace
from quorate.mpc.layout import FEW, LATER, POINTS, laid_out
from quorate.mpc.replicated import Committee, Share
from quorate.mpc.statements import Values
from quorate.mpc.streams import Stream
from quorate.transport.memory import Envelope
from tests.mpc.cheating import (
    Program,
    assert_right_or_blameless,
    flipped,
    honest,
    messages,
)
from tests.mpc.committee import cost_of, noise
from tests.mpc.uniformity import not_uniform
from tests.parties import run_parties

CHEAT = 1
Outcomes = dict[int, Words | Error]


@pytest.fixture(autouse=True)
def _proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all ANDs proved, however few."""
    monkeypatch.setattr(verification, "of_ands", lambda _, __: Check.PROOF)


async def two_ands(committee: Committee, x: Share, y: Share) -> BitShare:
    """Return x AND y AND x of the lowest bits, packed."""
    a, b = (packed(lowest(one)) for one in (x, y))
    found = await both_words(committee, await both_words(committee, a, b), a)
    return unpacked(found, x.shape)


def program_of(size: int) -> Program:
    return program_on(noise(BITS * size), noise(BITS * size))


def program_on(x: Words, y: Words) -> Program:
    return Program(two_ands, (x, y), lambda found: np.array_equal(found, x & y & np.uint64(1)))


def lowest(x: Share) -> BitShare:
    return BitShare(*((part & np.uint64(1)).astype(np.bool_) for part in (x.own, x.next)))


@pytest.mark.parametrize("size", [1, 2, 31, 64, 1001])
def test_what_is_right_is_proved(size: int) -> None:
    program = program_of(size)
    for outcome in run_parties(program, 3).values():
        assert not isinstance(outcome, Error)
        assert program.is_right(outcome)


@pytest.mark.parametrize("size", [1, 40, 700, 20_000])
def test_a_proof_costs_what_its_layout_says(size: int) -> None:
    async def proved(committee: Committee, x: Share, y: Share) -> None:
        await both_words(committee, x, y)
        assert committee.record is not None
        await proofs.check(committee, committee.record.take())

    x = noise(size)
    computing = cost_of(both_words, x, x, security="malicious")
    found = cost_of(proved, x, x, security="malicious")
    assert found == computing.then(laid_out(size).cost())


@pytest.mark.parametrize("size", [1, 2, 3, 100, 1 << 13, 1 << 19, (1 << 19) + 1, 1 << 22, 1 << 26])
def test_all_words_have_a_place_in_rows_that_can_be_cut(size: int) -> None:
    layout = laid_out(size)
    assert size <= layout.rows * layout.columns <= 2 * size + 64
    assert (layout.columns >> LATER * layout.stages) % 2 == 0
    assert layout.columns % (1 << LATER * layout.stages) == 0
    left = layout.elements
    for variables in layout.small():
        left >>= variables
    assert left <= FEW


def error_of(words: int) -> float:
    """Return the bound of the specification: variables met with 2 in 2^32, at all points."""
    layout = laid_out(words)
    variables = layout.variables + LATER * layout.stages
    return float((2 * variables / 2**PLANES) ** POINTS)


@pytest.mark.parametrize("words", [1, 1 << 12, 1 << 20, 1 << 26])
def test_a_wrong_batch_passes_with_less_than_2_to_the_52(words: int) -> None:
    assert error_of(words) < 2**-52


# Cheats


def forged(program: Program, cheat: Party, wrong: dict[int, int]) -> Outcomes:
    """Let a party change words of its message of the first AND, before it sends and keeps it."""
    real = boolean._replicated

    async def lie(
        committee: Committee, parts: Iterable[Words], z: Words, streams: tuple[Stream, Stream]
    ) -> Share:
        def changed() -> Iterator[Words]:
            for part in parts:
                for word, error in wrong.items():
                    part[word] ^= np.uint64(error)
                yield part

        lies = committee.me == cheat and not done
        if lies:
            done.append(True)
        return await real(committee, changed() if lies else parts, z, streams)

    done: list[bool] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boolean, "_replicated", lie)
        return run_parties(program, 3)


def got_past(outcomes: Outcomes) -> bool:
    return not any(isinstance(outcome, Error) for outcome in honest(outcomes, CHEAT))


@pytest.mark.parametrize("cheat", [0, 1, 2])
def test_one_wrong_bit_of_any_and_is_found_by_both_others(cheat: Party) -> None:
    for _ in range(8):
        size = 1 + secrets.randbelow(90)
        wrong = {secrets.randbelow(size): 1 << secrets.randbelow(64)}
        for outcome in honest(forged(program_of(size), cheat, wrong), cheat):
            assert isinstance(outcome, Abort)
            assert outcome.culprits == frozenset()


def test_errors_that_would_cancel_in_a_plain_sum_are_found() -> None:
    """The same bit in neighbouring blocks, and in rows that meet in the first stage."""
    layout = laid_out(2 * 60)
    for word in (2, layout.columns):
        assert not got_past(forged(program_of(60), CHEAT, {0: 1, word % 60: 1}))


def test_without_a_check_an_error_gives_a_wrong_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what is found above would have mattered."""

    async def trusting(_: Committee, __: object) -> None:
        pass

    monkeypatch.setattr(proofs, "check", trusting)
    ones = np.ones(BITS, np.uint64)
    program = program_on(ones, ones)
    for outcome in honest(forged(program, CHEAT, {0: 1}), CHEAT):
        assert not isinstance(outcome, Error)
        assert not program.is_right(outcome)


@pytest.mark.parametrize("bit", ["first", pytest.param("last", marks=pytest.mark.slow)])
def test_a_bit_flipped_in_any_message_of_a_proof_ends_the_run(bit: str) -> None:
    program = program_of(5)
    for target in messages(program):
        place = 0 if bit == "first" else 8 * len(target.payload) - 1
        key = target.sender, target.to, target.label

        def lie(e: Envelope, key: tuple[int, int, str] = key, place: int = place) -> list[Envelope]:
            lies = (e.sender, e.to, e.label) == key
            return [replace(e, payload=flipped(e.payload, place))] if lies else [e]

        ended = assert_right_or_blameless(program, lie, target.sender, program)
        assert ended, f"{target.label} from {target.sender} to {target.to} may say anything"


# The order: nobody knows a point before it has told its values


FINGERPRINT, POINT = 1, 4
"""The steps of a proof in which the first two coins are tossed, if they take no step more."""


def predicted(number: int) -> Stream:
    return Stream(number.to_bytes(32, "big"), "challenge")


def points_of(coin: Stream, layout_variables: int) -> list[list[Element]]:
    drawn = [proofs._point(coin, layout_variables) for _ in range(POINTS)]
    return [ghash.numbers(ghash.embedded(point)) for point in drawn]


def repairing(weight: Element, points: list[Element], wrong: Element) -> Elements:
    """Return what to add to the values at 0, at 1 and to what goes with the variable.

    The sum that is compared becomes right, and nothing changes at either of two points:

        g_0 w + g_1 = wrong;   g_0 (1 + r) / r + g_1 (1 + r) + g_s = 0  for both r
    """
    r, s = points
    over_r, over_s = (ghash.times(ONE ^ p, inverse(p)) for p in (r, s))
    ratio = ghash.times(over_r ^ over_s, inverse(r ^ s))
    zeroth = ghash.times(wrong, inverse(weight ^ ratio))
    first = ghash.times(zeroth, ratio)
    both = ghash.times(zeroth, over_r) ^ ghash.times(first, ONE ^ r)
    return ghash.elements([zeroth, first, both])


def inverse(a: Element) -> Element:
    return ghash.power(a, (1 << 128) - 2)


def repaired(guess: Stream, fingerprint_of: Stream) -> Outcomes:
    """Flip a bit, and repair the first values for the points that the cheat expects."""
    size = 3
    layout = laid_out(2 * size)
    assert layout.variables == 1
    fingerprint = Fingerprint(fingerprint_of.words(2).tobytes())
    (weight,) = fingerprint.weights(layout.columns, 1)
    stated = np.zeros(layout.rows * layout.columns, np.uint64)
    stated[0] = 1
    (wrong,) = ghash.numbers(fingerprint.of(stated))
    points = [one[0] for one in points_of(guess, 1)]
    real, done = statements.share, list[bool]()

    async def share(committee: Committee, values: Elements) -> Values:
        if committee.me == CHEAT and not done:
            done.append(True)
            values = values ^ repairing(weight, points, wrong)
        return await real(committee, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(proofs, "share", share)
        return forged(program_of(size), CHEAT, {0: 1})


def know_coins(monkeypatch: pytest.MonkeyPatch, *, only_of_fingerprint: bool = False) -> None:
    """Let the coins of the fingerprint and of the points be known beforehand."""
    real = buckets.toss

    async def known(committee: Committee) -> Stream:
        step = int(committee.session.label().rpartition("/")[2])
        if only_of_fingerprint and step != FINGERPRINT:
            return await real(committee)
        return predicted(step)

    monkeypatch.setattr(proofs, "toss", known)


def test_a_prover_who_does_not_know_the_points_is_found() -> None:
    assert not got_past(repaired(predicted(POINT), predicted(FINGERPRINT)))


def test_control_a_prover_who_knows_the_points_before_its_values_gets_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    know_coins(monkeypatch)
    assert got_past(repaired(predicted(POINT), predicted(FINGERPRINT)))


def test_a_prover_who_guesses_other_points_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    know_coins(monkeypatch)
    assert not got_past(repaired(predicted(POINT + 1), predicted(FINGERPRINT)))


def cancelling() -> Outcomes:
    """Change two blocks by u and u H, where H is what the cheat expects it to be."""
    point = Fingerprint(predicted(FINGERPRINT).words(2).tobytes()).point
    high, low = point >> 64, point & ((1 << 64) - 1)
    swapped = [int.from_bytes(half.to_bytes(8, "big"), "little") for half in (high, low)]
    one = int.from_bytes((1 << 63).to_bytes(8, "big"), "little")
    return forged(program_of(4), CHEAT, {0: one, 2: swapped[0], 3: swapped[1]})


def test_errors_fixed_before_the_fingerprint_do_not_cancel() -> None:
    assert not got_past(cancelling())


def test_control_errors_chosen_for_a_known_fingerprint_cancel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    know_coins(monkeypatch)
    assert got_past(cancelling())


@pytest.mark.slow
def test_a_prover_who_guesses_is_right_as_often_as_the_bound_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With 8 places for each of two points, (2 / 8)^2, within five deviations of 300 runs."""

    def few(coin: Stream, variables: int) -> Words:
        return np.uint64(2) + coin.words(variables) % np.uint64(8)

    monkeypatch.setattr(proofs, "_point", few)
    know_coins(monkeypatch, only_of_fingerprint=True)
    guess = next(i for i in range(2, 99) if len({p[0] for p in points_of(predicted(i), 1)}) == 2)
    passed = sum(got_past(repaired(predicted(guess), predicted(FINGERPRINT))) for _ in range(300))
    assert abs(passed / 300 - 1 / 16) < 5 * (15 / 256 / 300) ** 0.5


# What is seen of a proof


def factors_seen(x: Words, y: Words) -> tuple[Words, Words]:
    """Return the sums of both factors that the last step puts together."""
    seen: list[tuple[Words, Words]] = []
    real = endings._lacked

    async def noted(committee: Committee, a: Share, b: Share) -> Words:
        seen.append((a.own, b.own))
        return await real(committee, a, b)

    program = program_on(x, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(endings, "_lacked", noted)
        for outcome in run_parties(program, 3).values():
            assert not isinstance(outcome, Error)
    first, second = (np.bitwise_xor.reduce(parts).ravel() for parts in zip(*seen, strict=True))
    return first, second


NOTHING = np.zeros(3 * BITS, np.uint64)


def test_what_is_put_together_is_noise_whatever_the_secrets_are() -> None:
    seen = np.concatenate([one for _ in range(40) for one in factors_seen(NOTHING, NOTHING)])
    assert len(set(seen.tolist())) == seen.size
    assert not_uniform(seen) == []


def test_control_without_a_mask_the_secrets_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def unmasked(x: Share, _: tuple[Stream, Stream]) -> Share:
        nothing = np.zeros((1, 2), np.uint64)
        return Share(np.concatenate((x.own, nothing)), np.concatenate((x.next, nothing)))

    monkeypatch.setattr(endings, "_with_mask", unmasked)
    assert not np.any(factors_seen(NOTHING, NOTHING))
    assert np.any(factors_seen(noise(BITS), noise(BITS)))


def test_all_that_is_sent_of_a_proof_is_noise_whatever_the_secrets_are() -> None:
    """Values and masked sums, of which the words of coins and digests are as well."""
    for x in (NOTHING, noise(BITS)):
        program = program_on(x, x)
        sent = [e.payload for _ in range(12) for e in messages(program)]
        whole = b"".join(payload for payload in sent if len(payload) >= 9 * 81)
        assert not_uniform(np.frombuffer(whole, np.uint64)) == []


# The choice


@pytest.mark.parametrize(
    ("words", "pace", "check"),
    [
        (1, NEAR, Check.BUCKETS),
        (10_000, NEAR, Check.BUCKETS),
        (4_000_000, NEAR, Check.PROOF),
        (10_000, Pace(200), Check.BUCKETS),
        (300_000, Pace(10, 1_000_000), Check.PROOF),
        (4_000_000, Pace(10, 12_500_000), Check.PROOF),
    ],
)
def test_a_proof_is_chosen_where_much_would_be_sent(words: int, pace: Pace, check: Check) -> None:
    assert choice.of_ands(words, pace) is check


@pytest.mark.slow
@pytest.mark.parametrize("cheat", [0, 1, 2])
def test_any_number_of_changes_in_a_proof_gives_no_wrong_result(cheat: Party) -> None:
    """Runs in each of which a party changes a few of its messages as it likes."""
    program = program_of(3)
    own = [e for e in messages(program) if e.sender == cheat]
    for _ in range(200):
        chosen = {(e.to, e.label) for e in (secrets.choice(own) for _ in range(3))}

        def lie(e: Envelope, chosen: set[tuple[int, str]] = chosen) -> list[Envelope]:
            if e.sender != cheat or (e.to, e.label) not in chosen:
                return [e]
            bit = secrets.randbelow(8 * len(e.payload))
            return [replace(e, payload=flipped(e.payload, bit))]

        assert assert_right_or_blameless(program, lie, cheat, program)
