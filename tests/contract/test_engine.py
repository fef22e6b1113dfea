"""What every engine of secret arrays does: NumPy's results, within the stated rounding."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from quorate.algebra.ring import BLOCK
from quorate.errors import OutOfRange, Refused
from quorate.mpc.bitwise import bits, composed
from quorate.mpc.cost import Cost
from quorate.mpc.engine import Engine, Oracle, Secure
from quorate.mpc.numbers import Revealed
from quorate.mpc.replicated import Security
from quorate.mpc.secret import SecretArray, deal, reveal
from quorate.mpc.selection import (
    amax,
    amin,
    argmax,
    argmin,
    clip,
    concatenate,
    maximum,
    minimum,
    where,
)
from tests.mpc.committee import ALL, everyones, meet
from tests.parties import run_parties

Ints = NDArray[np.int64]
Program = Callable[[Engine], Awaitable[Sequence[Revealed | None]]]
LIMIT = 2**62 - 1
UNIT = 2.0**-16


def in_the_clear(program: Program) -> Sequence[Revealed | None]:
    async def run(_: object) -> Sequence[Revealed | None]:
        return await program(Oracle())

    (outcome,) = run_parties(run, 1).values()
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def in_secret(program: Program, security: Security = "semi-honest") -> Sequence[Revealed | None]:
    first, *others = everyones(lambda committee: program(Secure(committee)), security)
    for other in others:
        for mine, theirs in zip(first, other, strict=True):
            assert_array_equal(cast("Ints", mine), cast("Ints", theirs))
    return first


ENGINES: dict[str, Callable[[Program], Sequence[Revealed | None]]] = {
    "oracle": in_the_clear,
    "three parties": in_secret,
    "three parties that check": partial(in_secret, security="malicious"),
}


@pytest.fixture(params=ENGINES)
def run(request: pytest.FixtureRequest) -> Callable[[Program], Sequence[Revealed | None]]:
    return ENGINES[request.param]


Run = Callable[[Program], Sequence[Revealed | None]]


async def secret(
    engine: Engine, values: NDArray[np.generic], owner: int = 0, *, limit: float, f: int = 0
) -> SecretArray:
    mine = values if engine.holds(owner) else None
    return await deal(engine, owner, mine, shape=values.shape, limit=limit, fraction_bits=f)


def applied(
    run: Run,
    function: Callable[..., SecretArray | Sequence[SecretArray]],
    *values: NDArray[np.generic],
    limit: float,
    f: int = 0,
) -> Sequence[Revealed | None]:
    """Return what `function` of secret arrays reveals to all."""

    async def program(engine: Engine) -> Sequence[Revealed | None]:
        given = [await secret(engine, v, i % 3, limit=limit, f=f) for i, v in enumerate(values)]
        results = function(*given)
        listed = [results] if isinstance(results, SecretArray) else results
        return await reveal(*listed, to=ALL)

    return run(program)


SHAPES = arrays.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4)


def integers(limit: int) -> st.SearchStrategy[tuple[Ints, Ints]]:
    """Two arrays of shapes that fit, edge values often."""
    elements = st.one_of(
        st.integers(-limit, limit), st.sampled_from([0, -1, 1, limit, -limit, limit // 2])
    )

    def pair(shapes: arrays.BroadcastableShapes) -> st.SearchStrategy[tuple[Ints, Ints]]:
        one, other = (arrays.arrays(np.int64, s, elements=elements) for s in shapes.input_shapes)
        return st.tuples(one, other)

    return arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4).flatmap(pair)


both_engines = pytest.mark.parametrize("run", ENGINES.values(), ids=ENGINES)


def same(got: Sequence[Revealed | None], expected: Sequence[NDArray[np.generic]]) -> None:
    for mine, right in zip(got, expected, strict=True):
        assert_array_equal(cast("Ints", mine), right)


@both_engines
@given(integers(2**28))
@settings(max_examples=25)
def test_integer_arithmetic_is_exact(run: Run, pair: tuple[Ints, Ints]) -> None:
    x, y = pair

    def calculated(x: Any, y: Any) -> list[Any]:
        return [x + y, x - y, x * y, -x, 3 - x, x * 7, y * [[5]], abs(y), (x + 1) ** 2]

    same(applied(run, calculated, x, y, limit=2**28), calculated(x, y))


@both_engines
@given(integers(LIMIT))
@settings(max_examples=25)
def test_comparisons_and_bits_are_exact(run: Run, pair: tuple[Ints, Ints]) -> None:
    x, y = pair

    def compared(x: Any, y: Any) -> list[Any]:
        orders = [x < y, x <= y, x > y, x >= y, x == y, x != y]
        return [*orders, (x < y) & (x == 0), (x < y) | (y > 5), (x < y) ^ (x > 0), ~(x < y)]

    same(applied(run, compared, x, y, limit=LIMIT), compared(x, y))


@both_engines
@given(integers(2**40))
@settings(max_examples=15)
def test_choices_are_exact(run: Run, pair: tuple[Ints, Ints]) -> None:
    x, y = pair
    got = applied(
        run,
        lambda x, y: [where(x < y, x, y), minimum(x, y), maximum(x, 3), clip(x, -5, 2**20)],
        x,
        y,
        limit=2**40,
    )
    expected = [np.where(x < y, x, y), np.minimum(x, y), np.maximum(x, 3), np.clip(x, -5, 2**20)]
    same(got, expected)


@pytest.mark.parametrize("shape", [(1,), (7,), (4, 3), (5, 1), (2, 3, 4)])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_reductions(run: Run, shape: tuple[int, ...], axis: int | None) -> None:
    x = np.frombuffer(secrets.token_bytes(int(np.prod(shape))), np.int8).astype(np.int64)
    x = x.reshape(shape) // 16  # small, so that there are equals
    got = applied(
        run,
        lambda x: [
            x.sum(axis),
            x.cumsum(axis),
            amin(x, axis),
            amax(x, axis),
            argmin(x, axis),
            argmax(x, axis),
            (x > 0).sum(axis),
        ],
        x,
        limit=8,
    )
    expected = [
        x.sum(axis),
        x.cumsum(axis),
        x.min(axis),
        x.max(axis),
        x.argmin(axis),
        x.argmax(axis),
        (x > 0).sum(axis),
    ]
    same(got, expected)


@both_engines
@given(integers(2**30))
@settings(max_examples=10)
def test_bits_and_words_of_bits(run: Run, pair: tuple[Ints, Ints]) -> None:
    x, y = pair
    places = np.arange(32).reshape(-1, *[1] * x.ndim)
    got = applied(
        run,
        lambda x, y: [
            bits(x, 32),
            composed(bits(x, 32), signed=True),
            composed(bits(y)[3:10]),
            composed(bits(x, 32)[::-1] & bits(x, 32), signed=False),
        ],
        x,
        y,
        limit=2**30,
    )
    of_x = (x >> places & 1).astype(np.bool_)
    palindromes = ((of_x & of_x[::-1]) << places).sum(0)
    same(got, [of_x, x, y >> 3 & 127, palindromes])


def test_places(run: Run) -> None:
    x = np.arange(24).reshape(4, 6)

    def placed(x: Any) -> list[Any]:
        taken = [x[1], x[:, ::2], x[-1, 2], x[None], x[np.array([2, 0, 2])]]
        return [*taken, x.reshape(3, -1), x.T]

    same(applied(run, placed, x, limit=24), placed(x))
    joined = applied(
        run,
        lambda x: [concatenate([x, x[:1]]), concatenate([x < 7, x > 9], axis=1)],
        x,
        limit=24,
    )
    same(joined, [np.concatenate([x, x[:1]]), np.concatenate([x < 7, x > 9], axis=1)])


@pytest.mark.parametrize(
    ("left", "right"), [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((4, 3), (3, 5))]
)
def test_matrix_products(run: Run, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    x, y = np.arange(np.prod(left)).reshape(left), 5 - np.arange(np.prod(right)).reshape(right)
    same(applied(run, lambda x, y: x @ y, x, y, limit=20), [x @ y])
    (got,) = applied(run, lambda x, y: x @ y, x / 3, y / 7, limit=20, f=16)
    assert_allclose(cast("Ints", got), (x / 3) @ (y / 7), atol=40 * UNIT)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_sizes_around_a_block(run: Run, size: int) -> None:
    x = np.frombuffer(secrets.token_bytes(4 * size), np.int32).astype(np.int64)
    y = x[::-1].copy()
    got = applied(run, lambda x, y: [x * y, x < y, x == y, (x < y).sum()], x, y, limit=2**31)
    same(got, [x * y, x < y, x == y, (x < y).sum()])


FRACTIONS = arrays.arrays(np.float64, 5, elements=st.floats(-1000, 1000, width=32))


@both_engines
@given(FRACTIONS, FRACTIONS)
@settings(max_examples=20)
def test_fixed_point_is_as_exact_as_stated(
    run: Run, x: NDArray[np.float64], y: NDArray[np.float64]
) -> None:
    """Dealing: half a unit. A product: a unit, and what the operands bring along.

    A public fraction is rounded to the bits that fit beside the array's limit: for
    the variance 1/5 to 23 bits, beside a sum of squares of up to 2e7.
    """

    def calculated(x: Any, y: Any) -> list[Any]:
        products = [x * y, x * 0.3, x / 7, x.mean(), x.var()]
        return [x + y, x * 2 + 1, (x > 1) * y, *products]

    of_squares = 2 * 2000 * 3  # a difference is up to 2000, and 3 units off
    errors = [1, 1, 1, 1002, 2, 2, 2, of_squares + 2e7 * 2**-24 / UNIT]
    got = applied(run, calculated, x, y, limit=1000, f=16)
    for mine, right, error in zip(got, calculated(x, y), errors, strict=True):
        if error == 1 and np.any(np.abs(x - 1) < UNIT):
            continue  # whether x > 1 is decided by the rounding when it was dealt
        assert_allclose(cast("Ints", mine), right, rtol=0, atol=error * UNIT)


def test_what_might_overflow_is_refused_when_written(run: Run) -> None:
    async def program(engine: Engine) -> Sequence[Revealed | None]:
        x = await secret(engine, np.array([1, 2]), limit=2**40)
        y = await secret(engine, np.array([1.0, 2.0]), limit=2**30, f=16)
        with pytest.raises(OutOfRange, match=r"might reach 1\.21e\+24"):
            x * x
        with pytest.raises(OutOfRange):
            x + 2**63
        with pytest.raises(OutOfRange):
            y * y
        with pytest.raises(OutOfRange):
            y @ y
        return [await (x + 1).reveal(to=ALL)]

    same(run(program), [np.array([2, 3])])


def test_values_beyond_their_limit_are_not_dealt(run: Run) -> None:
    for values in (np.array([5, 11]), np.array([np.nan]), np.array([1e300])):
        with pytest.raises(OutOfRange) as caught:
            applied(run, lambda x: x, values, limit=10, f=4)
        assert "11" not in str(caught.value)


def test_misuse_is_an_error_in_numpys_manner(run: Run) -> None:
    async def program(engine: Engine) -> Sequence[Revealed | None]:
        x = await secret(engine, np.arange(6).reshape(2, 3), limit=6)
        other = await secret(Oracle(), np.arange(6).reshape(2, 3), limit=6)
        with pytest.raises(TypeError, match="no truth value"):
            bool(x[0, 0] == 1)
        with pytest.raises(ValueError, match="broadcast"):
            x + np.arange(4)
        with pytest.raises(IndexError):
            x[5]
        with pytest.raises(ValueError, match="reshape"):
            x.reshape(4)
        with pytest.raises(ValueError, match="two engines"):
            x + other
        with pytest.raises(TypeError, match="for bits"):
            x & x
        with pytest.raises(ValueError, match="not 5"):
            bits(x, 5)
        with pytest.raises(TypeError, match="bits already"):
            bits(x == 0)
        with pytest.raises(TypeError, match="composed of bits"):
            composed(x)
        with pytest.raises(OutOfRange):
            composed(bits(x))
        with pytest.raises(ZeroDivisionError):
            x / 0
        with pytest.raises(TypeError, match="condition is bits"):
            where(x, x, 0)
        with pytest.raises(TypeError, match="integer"):
            x**1.5  # type: ignore[operator]
        with pytest.raises(ValueError, match="positive"):
            x**0
        with pytest.raises(ValueError, match="at least one"):
            concatenate([])
        with pytest.raises(TypeError, match="bits of fraction"):
            concatenate([x, x * 0.5])
        with pytest.raises(ValueError, match="two engines"):
            concatenate([x, other])
        with pytest.raises(np.exceptions.AxisError):
            amax(x, 2)
        with pytest.raises(ValueError, match="zero-size"):
            amin(x[:0])
        with pytest.raises(ValueError, match="at least one"):
            await reveal(to=ALL)
        with pytest.raises(Refused, match="nobody has the seat 3"):
            await x.reveal(to=[0, 3])
        with pytest.raises(Refused, match="nobody is named"):
            await x.reveal(to=[])
        return [await x.reveal(to=ALL)]

    same(run(program), [np.arange(6).reshape(2, 3)])


def test_only_the_named_learn_it() -> None:
    async def program(engine: Engine) -> Revealed | None:
        x = await secret(engine, np.arange(3), 1, limit=3)
        return await (x * x).reveal(to=[2])

    north, south, west = everyones(lambda committee: program(Secure(committee)))
    assert north is None
    assert south is None
    assert_array_equal(cast("Ints", west), [0, 1, 4])


@pytest.mark.parametrize("to", [(0, 2), ()])
@pytest.mark.parametrize("security", ["malicious", "semi-honest"])
def test_the_cost_is_known_before_and_true(security: Security, to: tuple[int, ...]) -> None:
    """Independent steps share rounds: two comparisons beside a product take those of one."""

    def written(x: SecretArray, y: SecretArray) -> SecretArray:
        return where((x < y) & (x == 3), x * y, amax(y)) / 3 + x.mean()

    async def program(engine: Secure, session_rounds: Callable[[], Cost]) -> tuple[Cost, Cost]:
        x = await secret(engine, np.arange(100), 0, limit=100)
        y = await secret(engine, np.arange(100), 1, limit=100)
        before, result = session_rounds(), written(x, y)
        if to:
            assert await result.reveal(to=to) is not None or engine.holds(1)
        else:
            await result.compute()
        after = session_rounds()
        spent = Cost(
            after.rounds - before.rounds,
            tuple(b - a for a, b in zip(before.bytes_sent, after.bytes_sent, strict=True)),  # type: ignore[arg-type]
        )
        return result.cost(to=to), spent

    async def run(session: object) -> tuple[Cost, Cost]:
        committee = await meet(session, security)  # type: ignore[arg-type]
        now = committee.session

        def so_far() -> Cost:
            sent = [now.meter.bytes_sent if p == now.me else 0 for p in ALL]
            return Cost(now.rounds, (sent[0], sent[1], sent[2]))

        return await program(Secure(committee), so_far)

    for party, outcome in run_parties(run, 3).items():
        assert isinstance(outcome, tuple), outcome
        said, spent = outcome
        assert (said.rounds, said.bytes_sent[party]) == (spent.rounds, spent.bytes_sent[party])
