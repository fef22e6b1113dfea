"""`quorate demo poisoning`: what one lying hospital of three does, and what stops it unseen.

The textbook's classifier first: rows a thousand times too large turn it into a coin's toss, and a
range check on shares, where nobody sees a row, restores it. Then biopsies: three real nodes vote
on shares, and a hospital that lies about its classes, or plants a backdoor, changes little.
"""

import asyncio
import html
import os
import time
from functools import partial

import numpy as np

from quorate.cli import demo_poisoning_nodes, stage
from quorate.cli.demo import HOSPITALS
from quorate.cli.options import write_file
from quorate.cli.output import say
from quorate.cli.poison import machine, moons
from quorate.errors import VerificationFailed
from quorate.mpc.engine import Secure
from quorate.mpc.replicated import convene
from quorate.mpc.secret import deal
from quorate.mpc.selection import concatenate
from quorate.poisoning.attacks import out_of_range_inserts
from quorate.poisoning.lab import Classes, dealt, spoilt
from quorate.poisoning.learners import accuracy
from quorate.poisoning.rows import Floats, Rows, joined
from quorate.poisoning.secure import rows_in_range
from quorate.transport.memory import MemoryNetwork
from quorate.transport.session import Session

ENDS = np.array([-3.0, -3.0]), np.array([3.0, 3.0])
SHARE = 0.05
BITS = 16
LARGEST = 1 << 14
ACROSS, DOWN = 30, 12
SEED, WAIT_S = 42, 30.0

Shown = list[tuple[str, Classes]]


def poisoning(keep: stage.Keep = None) -> None:
    """Let one hospital of three lie about its rows, and see what that does, and what stops it."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        learn, test = moons()
        shown = _borders(learn, test)
        told = demo_poisoning_nodes.among_nodes(folder)
        _check(told)
        if keep:
            path = folder / "poisoning.html"
            write_file(path, _page(shown, test))
            stage.step("the pictures")
            say(f"  drawn  {path}")
    say("", f"done in {time.monotonic() - began:.1f} s; the three nodes are stopped")


def _borders(learn: Rows, test: Rows) -> Shown:
    """Show the classifier before, attacked, and behind the range check."""
    stage.step("the textbook's classifier, learnt from the rows of three hospitals")
    learner, parts = machine(), dealt(learn, len(HOSPITALS))
    lied = spoilt(parts, out_of_range_inserts, SHARE, SEED)
    added = len(lied[0]) - len(parts[0])
    shown: Shown = [("true rows", learner(learn))]
    say(*_told(shown[-1], test))
    stage.step(f"{HOSPITALS[0]} adds {added} rows, a thousand times too large, of the other class")
    shown.append(("attacked", learner(joined(*lied))))
    say(*_told(shown[-1], test))
    stage.step("the range check: rows in shares, compared with -3..3; no party sees a row")
    kept, seconds = checked(lied)
    say(f"  {len(kept)} rows: {kept.sum()} in range, {(~kept).sum()} rejected, {seconds:.1f} s")
    shown.append(("rows in range", learner(joined(*lied)[np.flatnonzero(kept)])))
    say(*_told(shown[-1], test))
    right = [round(100 * accuracy(classes(test.features), test), 1) for _, classes in shown]
    if right[0] != right[2] or right[1] > 60:
        raise VerificationFailed(f"the classifier is right on {right} percent of rows")
    return shown


def checked(parts: list[Rows]) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], float]:
    """Return which rows are in range, as three parties find on shares, and how long it took.

    Every hospital deals its own rows; what is revealed is a bit for each.
    """
    began = time.monotonic()
    network = MemoryNetwork(HOSPITALS)

    async def party(session: Session) -> Floats:
        async with session:
            return await _in_range(session, parts)

    async def all_three() -> list[Floats]:
        seats = range(len(HOSPITALS))
        sessions = [Session(seat, HOSPITALS, network.channel(seat), WAIT_S) for seat in seats]
        return await asyncio.gather(*map(party, sessions))

    first, *others = asyncio.run(all_three())
    if any((first != other).any() for other in others):
        raise VerificationFailed("the three parties found other rows in range")
    return first == 1, time.monotonic() - began


async def _in_range(session: Session, parts: list[Rows]) -> Floats:
    context, claim = b"demo of a range check", partial(_once, set())
    engine = Secure(await convene(session, context, claim, os.urandom))
    rows = concatenate(
        [
            await deal(
                engine,
                owner,
                part.features if owner == session.me else None,
                shape=part.features.shape,
                limit=LARGEST,
                fraction_bits=BITS,
            )
            for owner, part in enumerate(parts)
        ]
    )
    return np.asarray(await rows_in_range(rows, *ENDS).reveal(to=(0, 1, 2)), np.float64)


def _once(seen: set[bytes], identifier: bytes) -> None:
    seen.add(identifier)


def _told(one: tuple[str, Classes], test: Rows) -> list[str]:
    """Return how often a classifier is right, and what it says of every place, as lines."""
    name, classes = one
    x, y = (np.linspace(ENDS[0][0] / 1.2, ENDS[1][0], ACROSS), np.linspace(2, -1.5, DOWN))
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    lines = np.where(classes(grid).reshape(DOWN, ACROSS) == 1, "▓", "·")
    right = 100 * accuracy(classes(test.features), test)
    return [f"  {name}: {right:.2f} % of {len(test)} rows are told rightly", ""] + [
        f"    {''.join(line)}" for line in lines
    ]


def _check(told: demo_poisoning_nodes.Story) -> None:
    """Raise `VerificationFailed` unless the vote held where what is pooled did not."""
    if abs(told.clean - told.lied) > 2 or told.backdoor > told.backdoor_pooled / 2:
        raise VerificationFailed(f"the vote did not hold: {told}")


def _page(shown: Shown, test: Rows) -> str:
    """Return a page with the border before, attacked, defended."""
    from quorate.cli.poison_report import border, page, svg
    from quorate.pictures.drawing import fields

    figure, axes = fields(len(shown), height=3, width=6)
    for field, (name, classes) in zip(axes, shown, strict=True):
        border(field, classes, test, ENDS)
        field.set_title(f"{name}: {100 * accuracy(classes(test.features), test):.1f} %")
    said = "blue and orange are what is said of every place; points are rows to test on"
    heading = html.escape("Before, attacked, and behind a range check on shares")
    return page("Poisoning", said, [f"<h2>{heading}</h2>", svg(figure)])
