"""A run's progress, on stderr: a bar on a terminal, else one line for each stage."""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from quorate.cli.output import printable, say
from quorate.errors import Unavailable
from quorate.node.views import EventView, StudyView


def follow(events: Iterator[EventView], *, quiet: bool = False) -> StudyView:
    """Show events until the last one, and return the study it holds."""
    study = None
    if quiet or not sys.stderr.isatty():
        stage = None
        for event in events:
            if event.stage != stage and not quiet:
                say(f"  {event.step}/{event.steps} {_text(event)}", error=True)
            stage, study = event.stage, event.study
    else:
        with _bar() as progress:
            task = progress.add_task("")
            for event in events:
                _advance(progress, task, event)
                study = event.study
    if study is None:
        raise Unavailable(
            "the node ended the run without saying how",
            hint="see why with: quorate node logs",
        )
    return study


def _bar() -> Progress:
    return Progress(
        BarColumn(bar_width=24),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def _advance(progress: Progress, task: TaskID, event: EventView) -> None:
    progress.update(task, total=event.steps, completed=event.step, description=_text(event))


def _text(event: EventView) -> str:
    return f"{printable(event.stage)}  {event.rounds} rounds, {event.bytes_sent} bytes sent"
