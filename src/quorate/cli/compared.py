"""The arms of a bundle side by side: results, errors, costs, and who saw what."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from quorate.cli.output import aligned
from quorate.errors import Refused, Unavailable

if TYPE_CHECKING:
    from quorate.node.client import Client
    from quorate.node.views import StudyView


@dataclass(frozen=True, slots=True)
class Value:
    """One result of one arm."""

    name: str
    value: str
    unit: str
    error: float | None  # against the exact arm; None where there is none, or no number


@dataclass(frozen=True, slots=True)
class Arm:
    """One model of trust: what came out, what it cost this member, who saw what."""

    id: str
    title: str
    trust: str
    protocol: str
    is_noised: bool
    values: tuple[Value, ...]
    seconds: float
    bytes_sent: int
    rounds: int
    who_sees: tuple[str, ...]


def run_all(client: "Client", id_: str, *, quiet: bool) -> tuple[Arm, ...]:
    """Run every study of a bundle that did not run yet; return all of them, compared.

    Raises `Refused` for a study that is in no bundle.
    """
    from quorate.cli.study import run_to_end

    bundle = client.study(id_).bundle
    if len(bundle) < 2:
        raise Refused(f"study {id_} is in no bundle", hint="compare a study with [arms.NAME]")
    studies = [client.study(digest) for digest in bundle]
    for at, study in enumerate(studies):
        if study.state != "released":
            studies[at] = run_to_end(client, study.id, quiet=quiet)
    return compare(studies)


def compare(studies: Sequence["StudyView"]) -> tuple[Arm, ...]:
    """Return released studies side by side. Raises `Unavailable` where one has no costs here."""
    exact = next((study for study in studies if not study.is_noised), None)
    truth = {} if exact is None else {r.name: r.exact for r in exact.results}
    return tuple(_arm(study, truth) for study in studies)


def lines(arms: Sequence[Arm]) -> list[str]:
    """Return the comparison for people."""
    rows: list[tuple[str, ...]] = [
        ("arm", "trust", "result", "", "error", "seconds", "bytes sent", "rounds")
    ]
    for arm in arms:
        costs = (f"{arm.seconds:.2f}", f"{arm.bytes_sent:,}", str(arm.rounds))
        for i, one in enumerate(arm.values):
            head = (arm.title.rpartition(": ")[2], arm.trust) if i == 0 else ("", "")
            error = "" if one.error is None else f"{one.error:.4g}"
            shown = (one.name, f"{one.value} {one.unit}".rstrip(), error)
            rows.append((*head, *shown, *(costs if i == 0 else ("", "", ""))))
    seen = [f"{arm.title.rpartition(': ')[2]}: {text}" for arm in arms for text in arm.who_sees]
    return [*aligned(rows), "", "who saw what", *(f"  {text}" for text in seen)]


def _arm(study: "StudyView", truth: dict[str, str]) -> Arm:
    if study.cost is None:
        raise Unavailable(
            f"this node did not see study {study.id} to its end, and knows no costs of it",
            hint="ask the node that ran it",
        )
    return Arm(
        study.id,
        study.title,
        study.trust,
        study.protocol,
        study.is_noised,
        tuple(
            Value(one.name, one.value, one.unit, _error(one.exact, truth.get(one.name, "")))
            for one in study.results
        ),
        study.cost.seconds,
        study.cost.bytes_sent,
        study.cost.rounds,
        study.who_sees,
    )


def _error(found: str, exact: str) -> float | None:
    """Return by how much a result is off; none where one of them has no number."""
    values = [_number(text) for text in (found, exact) if text]
    return abs(values[0] - values[1]) if len(values) == 2 else None


def _number(text: str) -> float:
    inside = text.removeprefix("sqrt(").removesuffix(")")
    value = float(Fraction(inside))
    return value**0.5 if inside != text else value
