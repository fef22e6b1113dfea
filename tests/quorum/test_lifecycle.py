"""The lives of keys and requests: every state is reached, ends are ends, drawings are tables."""

from enum import Enum
from typing import Any

import pytest

from quorate.errors import Refused
from quorate.quorum.lifecycle import (
    KEYS,
    REQUESTS,
    KeyEvent,
    KeyState,
    RequestEvent,
    RequestState,
    after,
)
from tests.docs.project import PROJECT

LIVES: list[tuple[dict[Any, Any], type[Enum], type[Enum], Enum]] = [
    (KEYS, KeyState, KeyEvent, KeyState.PROPOSED),
    (REQUESTS, RequestState, RequestEvent, RequestState.OPEN),
]


@pytest.mark.parametrize(("table", "states", "events", "first"), LIVES)
def test_every_state_is_reached_and_every_event_used(
    table: dict[Any, Any], states: type[Enum], events: type[Enum], first: Enum
) -> None:
    assert {first, *table.values()} == set(states)
    assert {event for _, event in table} == set(events)


@pytest.mark.parametrize(("table", "states", "events", "first"), LIVES)
def test_what_cannot_follow_is_refused_with_the_reason(
    table: dict[Any, Any], states: type[Enum], events: type[Enum], first: Enum
) -> None:
    for state in states:
        for event in events:
            if (state, event) in table:
                assert after(table, "it", state, event) is table[state, event]
                continue
            with pytest.raises(Refused, match=f"it is {state.value}: "):
                after(table, "it", state, event)


@pytest.mark.parametrize(("table", "states", "events", "first"), LIVES)
def test_the_drawing_in_the_docs_is_the_table(
    table: dict[Any, Any], states: type[Enum], events: type[Enum], first: Enum
) -> None:
    drawing = (PROJECT / "docs/spec/orders.md").read_text()
    for (state, event), following in table.items():
        assert f"    {state.value} --> {following.value}: {event.value}\n" in drawing
    assert f"    [*] --> {first.value}\n" in drawing
    assert drawing.count(" --> ") == len(KEYS) + len(REQUESTS) + 2
