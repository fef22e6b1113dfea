"""The life of a study: every state is reached, ends are ends, the drawing is the table."""

from pathlib import Path

import pytest

from quorate.errors import Refused
from quorate.node.lifecycle import TRANSITIONS, Event, State, after

SPEC = Path(__file__).parents[2] / "docs" / "spec" / "study-lifecycle.md"


def test_every_state_is_reached_and_every_event_used() -> None:
    assert {State.PROPOSED, *TRANSITIONS.values()} == set(State)
    assert {event for _, event in TRANSITIONS} == set(Event)


@pytest.mark.parametrize("state", [State.RELEASED, State.REFUSED])
def test_nothing_follows_an_end(state: State) -> None:
    for event in Event:
        with pytest.raises(Refused, match=f"the study is {state.value}"):
            after(state, event)


def test_no_run_starts_without_all_approvals() -> None:
    starts = {state for state, event in TRANSITIONS if event is Event.STARTED}
    assert starts == {State.APPROVED, State.FAILED}
    into_failed = {s for (s, _), following in TRANSITIONS.items() if following is State.FAILED}
    assert into_failed == {State.RUNNING}


def test_the_drawing_in_the_docs_is_the_table() -> None:
    drawing = "\n".join(
        [
            "    [*] --> proposed",
            *(f"    {a.value} --> {b.value}: {e.value}" for (a, e), b in TRANSITIONS.items()),
        ]
    )
    assert drawing in SPEC.read_text()
