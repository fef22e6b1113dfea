"""A program written down before it runs: one digest, its true cost, and nobody's values."""

import operator
import secrets
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from quorate import wire
from quorate.mpc import plan, price, verification
from quorate.mpc.cost import NEAR, Cost, Pace
from quorate.mpc.engine import Engine, Oracle, Secure
from quorate.mpc.functions import sqrt
from quorate.mpc.plan import Plan, Reveal, drafted
from quorate.mpc.replicated import Security, convene
from quorate.mpc.secret import deal, reveal
from quorate.mpc.selection import amax, concatenate, where
from quorate.transport.link import OVERHEAD
from quorate.transport.memory import Envelope
from quorate.transport.session import Session
from tests.mpc.committee import ALL, forget
from tests.parties import run_parties

OWN = np.array([3, 1, 4, 1, 5])


def program(
    *,
    own: Any = OWN,
    shape: tuple[int, ...] = (5,),
    limit: int = 100,
    f: int = 16,
    factor: float = 0.25,
    more: Callable[[Any], Any] = lambda x: x,
    to: tuple[int, ...] = (0, 2),
) -> Callable[[Engine], Any]:
    async def run(engine: Engine) -> object:
        x, y = [
            await deal(
                engine, owner, np.resize(own, shape), shape=shape, limit=limit, fraction_bits=f
            )
            for owner in range(2)
        ]
        kept = await where((x < y) & (x == 3), x * y, more(x) * factor).compute()
        joined = concatenate([kept, y[::2], x[np.array([1, 0])]])
        await reveal(joined.sum(), x < 2, to=to)
        return await amax(sqrt(x + 1).reshape(1, -1)).reveal(to=ALL)

    return run


async def plan_of(pace: Pace, security: Security, **changes: Any) -> Plan:
    return await drafted(program(**changes), pace, security)


def planned(pace: Pace = NEAR, security: Security = "malicious", **changes: Any) -> Plan:
    (outcome,) = run_parties(lambda _: plan_of(pace, security, **changes), 1).values()
    assert isinstance(outcome, Plan)
    return outcome


def test_values_do_not_change_the_plan() -> None:
    assert planned(own=OWN).digest == planned(own=OWN[::-1] + 7).digest


@pytest.mark.parametrize(
    "changes",
    [
        {"shape": (6,)},
        {"limit": 101},
        {"f": 18},
        {"factor": 0.5},
        {"more": operator.neg},
        {"to": (0, 1)},
        {"pace": Pace(20)},
        {"pace": Pace(0, 1_000_000)},
        {"security": "semi-honest"},
    ],
    ids=str,
)
def test_whatever_else_changes_does(changes: dict[str, Any]) -> None:
    assert planned(**changes).digest != planned().digest


def test_a_plan_travels() -> None:
    one = planned()
    assert wire.decode(wire.encode(one), Plan) == one


def test_every_reveal_is_named_in_order() -> None:
    one = planned()
    assert [reveal.to for reveal in one.reveals] == [(0, 2), (0, 1, 2)]
    assert [[one.steps[i].shape for i in reveal.steps] for reveal in one.reveals] == [
        [(), (5,)],
        [()],
    ]
    assert one.reveals[0] == Reveal(one.reveals[0].steps, (0, 2))


@pytest.mark.parametrize("security", ["malicious", "semi-honest"])
@pytest.mark.parametrize("pace", [NEAR, Pace(20)], ids=["near", "far"])
def test_the_cost_is_that_of_the_run(pace: Pace, security: Security) -> None:
    said = planned(pace, security)
    started: dict[int, Cost] = {}
    sent: Counter[tuple[int, int]] = Counter()
    messages: Counter[tuple[int, int]] = Counter()

    def note(e: Envelope) -> list[Envelope]:
        sent[e.sender, e.to] += len(e.payload) + OVERHEAD
        messages[e.sender, e.to] += 1
        return [e]

    async def run(session: Session) -> Cost:
        committee = await convene(session, b"", forget, secrets.token_bytes, security)
        rounds, bytes_sent = session.rounds, session.meter.bytes_sent
        await program()(Secure(committee, pace))
        started[session.me] = Cost()
        spent = session.meter.bytes_sent - bytes_sent
        return Cost(session.rounds - rounds, (spent, spent, spent))

    for party, spent in run_parties(run, 3, note).items():
        assert isinstance(spent, Cost), spent
        assert (spent.rounds, spent.bytes_sent[0]) == (said.rounds, said.bytes_sent[party])
    assert max(sent.values()) <= said.early
    assert max(messages.values()) <= said.messages + 2


def test_the_cost_is_that_of_the_run_where_it_is_verified_on_the_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_the_end = planned().rounds
    for module in (price, verification):
        monkeypatch.setattr(module, "ROOM", 500)
    assert planned().rounds > at_the_end
    test_the_cost_is_that_of_the_run(NEAR, "malicious")


def test_what_another_engine_holds_is_in_no_plan() -> None:
    async def mixed(engine: Engine) -> object:
        x = await deal(Oracle(), 0, OWN, shape=(5,), limit=9)
        await engine.compute([x.node])
        return None

    async def run(_: Session) -> object:
        with pytest.raises(TypeError, match="no draft"):
            await drafted(mixed)
        return None

    assert run_parties(run, 1) == {0: None}


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (np.add, "add"),
        (partial(np.sum, axis=0), "sum(axis=0)"),
        (partial(np.reshape, shape=(2, -1)), "reshape(shape=(2, -1))"),
        (
            operator.itemgetter((slice(1, None, 2), None, ..., -1)),
            "take((1:None:2, None, ..., -1))",
        ),
        (operator.itemgetter(np.int64(3)), "take(3)"),
    ],
)
def test_functions_have_one_name(function: Callable[..., object], text: str) -> None:
    assert plan.named(function) == text


def test_arrays_among_arguments_are_named_by_type_shape_and_digest() -> None:
    one, other = (plan.named(partial(np.multiply, np.array([1, last]))) for last in (2, 3))
    assert one.startswith("multiply(int64[2] ")
    assert one != other


def test_functions_that_are_not_the_same_everywhere_have_none() -> None:
    secret = 3

    def closed(x: int) -> int:
        return x + secret

    for function in (lambda x: x, closed, secrets.token_bytes, partial(np.add, object())):
        with pytest.raises(TypeError, match="no plan can name"):
            plan.named(function)
