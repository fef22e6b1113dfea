"""A run's progress: lines where they are kept, a bar where somebody watches."""

import io
import sys
from collections.abc import Iterator

import pytest
from typing_extensions import override

from quorate.cli.progress import follow
from quorate.errors import Unavailable
from quorate.node.views import EventView, StudyView

STUDY = StudyView(
    id="7f3a-91c2",
    digest="00",
    title="t",
    purpose="p",
    table="rows",
    proposer="north",
    proposed_at="2027-01-31T09:30:00Z",
    state="released",
    note="",
    members=("north", "south"),
    approved_by=("north", "south"),
    disclosure=(),
)


class Terminal(io.StringIO):
    """A stderr that somebody watches."""

    @override
    def isatty(self) -> bool:
        return True


def events(*, whole: bool = True) -> Iterator[EventView]:
    yield EventView(stage="keys", step=1, steps=3)
    yield EventView(stage="keys", step=1, steps=3, rounds=1, bytes_sent=64)
    yield EventView(stage="sum\x1b[2J[red]", step=2, steps=3, rounds=4, bytes_sent=512)
    if whole:
        yield EventView(stage="released", step=3, steps=3, rounds=6, bytes_sent=614, study=STUDY)


def test_one_line_for_each_stage(capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(events()) == STUDY
    assert capsys.readouterr().err.splitlines() == [
        "  1/3 keys  0 rounds, 0 bytes sent",
        "  2/3 sum\\x1b[2J[red]  4 rounds, 512 bytes sent",
        "  3/3 released  6 rounds, 614 bytes sent",
    ]


def test_nothing_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert follow(events(), quiet=True) == STUDY
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stderr", terminal)
    assert follow(events()) == STUDY
    assert "━" in terminal.getvalue()
    assert "released  6 rounds, 614 bytes sent" in terminal.getvalue()
    assert "\x1b[2J" not in terminal.getvalue()


def test_a_run_that_ends_without_a_word_is_an_error() -> None:
    with pytest.raises(Unavailable, match="without saying how"):
        follow(events(whole=False))
