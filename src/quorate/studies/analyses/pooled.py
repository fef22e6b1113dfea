"""What analyses are by the plain way, of all members' numbers in one place: the oracle."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from quorate.studies.analyses.kinds import all_asked, computed_kind, every_input
from quorate.studies.inputs import Input, labels
from quorate.studies.plan import Plan

Floats = NDArray[np.float64]


def plain_numbers(plan: Plan, vectors: Sequence[Sequence[int]]) -> list[float | None]:
    """Return every value of a plan's analyses, from what each member computed of its rows."""
    study, members = plan.study, len(plan.members)
    parts: dict[Input, Floats] = {}
    whole, at = np.array(vectors, np.int64), 0
    for item in every_input(study, members):
        shape = [len(labels(study, axis)) for axis in item.cells.axes]
        here = whole[:, at : at + int(np.prod(shape))]
        at += here.shape[1]
        if item.is_apart:
            shape[0] *= members
            numbers = here.reshape(-1)
        else:
            numbers = here.sum(axis=0)
        parts[item] = numbers.reshape(shape) / 10.0 ** plan.decimals(item)
    asked = all_asked(study, members)
    return [number for one in asked for number in computed_kind(one).plain(one, parts.__getitem__)]
