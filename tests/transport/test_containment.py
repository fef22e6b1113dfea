"""A bug is told by its kind alone, and work goes on."""

import pytest
from structlog.testing import capture_logs

from quorate.transport.containment import contained


def test_a_bug_is_noted_by_its_kind_and_its_words_stay_inside() -> None:
    kinds: list[str] = []
    with capture_logs() as logs, contained("work failed", kinds.append, what="it"):
        raise ZeroDivisionError("the value is 42")
    assert kinds == ["ZeroDivisionError"]
    assert logs == [
        {"event": "work failed", "error": "ZeroDivisionError", "what": "it", "log_level": "error"}
    ]


def test_what_is_to_stop_a_task_stops_it() -> None:
    with pytest.raises(KeyboardInterrupt), contained("work failed", lambda _: None):
        raise KeyboardInterrupt
