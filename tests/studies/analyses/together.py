"""Rows of several members in files, and what an analysis of them gives: secure, and plain."""

import asyncio
import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quorate.algebra import ring
from quorate.errors import Party
from quorate.mpc import secret
from quorate.mpc.engine import Oracle
from quorate.mpc.replicated import Security
from quorate.studies.analyses.pooled import plain_numbers
from quorate.studies.committee import Revealed, reveal_shown, told_of_all
from quorate.studies.plan import Plan
from quorate.studies.results import Result
from quorate.studies.sources import aggregate, open_source
from quorate.studies.study import read_study
from quorate.transport.session import Session
from tests.parties import names_of, run_parties
from tests.studies.trio import group_of, plan_of

Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Members:
    """A plan, and the numbers each member computed of its rows."""

    plan: Plan
    vectors: tuple[tuple[int, ...], ...]

    @property
    def totals(self) -> NDArray[np.int64]:
        total: NDArray[np.int64] = np.sum(np.array(self.vectors, np.int64), axis=0)
        return total

    def plain(self) -> list[float | None]:
        """Return what the kinds' own plain functions give."""
        return plain_numbers(self.plan, self.vectors)

    def words_told(self) -> list[int]:
        """Return the words the analyses reveal, as the committee computes them, of all."""
        engine, most = Oracle(), (1 << 63) - 1
        vectors = [np.array(vector, np.int64) for vector in self.vectors]
        sums, *apart = (
            secret.held(engine, ring.from_signed(words), shape=words.shape, limit=most)
            for words in (self.totals, *vectors)
        )
        told = told_of_all(self.plan.study, sums, apart)
        (values,) = asyncio.run(told.engine.compute([told.node]))
        return [int(v) for v in ring.to_signed(np.asarray(values))]

    def in_the_clear(self) -> tuple[Result, ...]:
        """Return the results as the committee computes them, by one who sees all."""
        return self.plan.results_revealed((), (), tuple(self.words_told()))

    def together(self, security: Security = "malicious") -> tuple[Result, ...]:
        """Return the results of the real committee, at every member the same."""
        outcomes = run_parties(partial(self._protocol, security=security), len(self.plan.members))
        found = {self._results(outcome) for outcome in outcomes.values()}
        (results,) = found
        return results

    async def _protocol(self, session: Session, *, security: Security) -> Revealed:
        return await reveal_shown(
            session,
            self.plan.study,
            ring.from_signed(np.array(self.vectors[session.me], np.int64)),
            security=security,
            context=b"test",
            claim=lambda _: None,
            randomness=os.urandom,
        )

    def _results(self, outcome: object) -> tuple[Result, ...]:
        assert isinstance(outcome, Revealed), outcome
        return self.plan.results_revealed(outcome.numbers, outcome.hidden, outcome.told)


def members_of(folder: Path, text: str, *parts: Rows) -> Members:
    """Write each member's rows to a file and return what it computes of them."""
    plan = plan_of(read_study(text), group_of(*names_of(len(parts))))
    return Members(
        plan, tuple(aggregate(open_source(_file(folder, i, p)), plan) for i, p in enumerate(parts))
    )


def split(rows: Rows, members: int = 3) -> list[Rows]:
    """Deal rows to members in turn."""
    return [rows[p::members] for p in range(members)]


def _file(folder: Path, member: Party, rows: Rows) -> Path:
    path = folder / f"{member}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
