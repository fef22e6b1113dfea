"""What a score reveals, to whom, and what follows: in words, from the plan alone."""

from collections.abc import Iterator
from dataclasses import dataclass

from quorate.studies.plan import Plan
from quorate.studies.words import listed


@dataclass(frozen=True, slots=True)
class ScoreWords:
    asks: tuple[str, ...]
    reveals: tuple[tuple[str, int, tuple[str, ...]], ...]  # what, how many, to whom
    follows: tuple[str, ...]
    withholds: str
    not_protected: tuple[str, ...]


def score_words(plan: Plan) -> ScoreWords:
    """Return what approving a score means."""
    score, record = plan.study.scoring.score, plan.study.scoring.record
    m, treating = record.patients, record.treating
    what = "points" if score.link == "points" else "risk"
    if score.shows == "band":
        what = f"band of {what}: {', '.join(score.bands)}"
    return ScoreWords(
        asks=(
            f"{score.name} of {m} patients, those of the list {record.digest.hex()}",
            f"the score as published: {score.source}",
            *_items(plan),
            *(
                f"{part.member} gives what follows from {listed(part.columns)}"
                for part in record.parts
            ),
        ),
        reveals=(
            (f"each patient's {what}", m, (treating,)),
            ("a bit for each member: are its points possible", len(plan.members), plan.members),
        ),
        follows=_follows(plan),
        withholds="nothing is withheld: what is revealed is of one patient, to who treats it",
        not_protected=(
            f"the score itself: {treating} may pass it on; no certificate has it",
            "against more scores: each other table of points tells more of the same record",
            f"that these patients are on the list: every member agreed to it, and {treating} "
            "treats them",
            "against a lie within the table: false values of a member's own part go unnoticed",
            "against a stop: a member can end the run, even after it alone saw the result",
            f"that each member has 1 to {plan.study.max_rows} rows, all of them as declared",
        ),
    )


def _items(plan: Plan) -> Iterator[str]:
    """Yield what the score adds up, as a table of points is written."""
    for item in plan.study.scoring.score.items:
        column = plan.study.table.column(item.column)
        if item.weight:
            told = f"{item.weight} for each {column.unit}"
        elif item.edges:
            ranges = (
                f"{p} from {edge}" for edge, p in zip(item.edges, item.points[1:], strict=True)
            )
            told = ", ".join([f"{item.points[0]} below {item.edges[0]}", *ranges])
        else:
            told = ", ".join(f"{p} if {v}" for v, p in zip(column.values, item.points, strict=True))
        where = "".join(f", where {only.column} = {only.value}" for only in item.only)
        yield f"{item.column}{where}: {told}"


def _follows(plan: Plan) -> tuple[str, ...]:
    score, record = plan.study.scoring.score, plan.study.scoring.record
    others = [part.member for part in record.parts if part.member != record.treating]
    if score.shows == "band":
        return (
            f"{record.treating}, by subtracting its own: between which bounds lies what "
            f"{listed(others)} gave for each patient",
        )
    many = f"the sum of what {listed(others)} gave" if len(others) > 1 else f"what {others[0]} gave"
    return (f"{record.treating}, by subtracting its own: {many} for each patient",)
