"""Patients of two groups who are followed for some time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Patients:
    """In which bin each was seen last, whether the event happened then, and the group."""

    bin: Ints
    event: NDArray[np.bool_]
    group: Ints


def patients(count: int, bins: int, hazards: tuple[float, float] = (0.1, 0.16)) -> Patients:
    """Return patients spread evenly over the chances, so that they are always the same."""
    place = np.arange(count)
    group = place % 2
    chance = (place * 0.6180339887498949) % 1
    hazard = np.where(group == 0, *hazards)
    last = np.floor(np.log1p(-chance) / np.log1p(-hazard)).astype(np.int64)
    left = (place * 0.7548776662466927) % 1 * 2 * bins  # when they would be lost
    event = (last < bins) & (last <= left)
    return Patients(np.minimum(np.minimum(last, left), bins - 1).astype(np.int64), event, group)


def counted(people: Patients, bins: int) -> Ints:
    """Return (groups, 2, bins): the events in each bin, and those at risk at its start."""
    counts = np.zeros((2, 2, bins), np.int64)
    for group in (0, 1):
        mine = people.group == group
        leaving = np.bincount(people.bin[mine], minlength=bins)
        counts[group, 0] = np.bincount(people.bin[mine & people.event], minlength=bins)
        counts[group, 1] = mine.sum() - np.concatenate([[0], np.cumsum(leaving)[:-1]])
    return counts
