"""Whether a study's noise can be drawn at all: asked before anything runs, and of no row."""

from quorate.dp import central, joint, tables
from quorate.dp.shares import SharedGaussian, SharedLaplace
from quorate.errors import OutOfRange, Refused
from quorate.studies.noised import (
    Vector,
    charge_of,
    is_in_shares,
    privacy_of,
    shared,
    vectors_of,
)
from quorate.studies.study import Study

RANGE = 1 << 61
"""What sums stay below, so that no noise takes them out of 63 bits."""


def make_tables(study: Study, members: int) -> None:
    """Make the tables that shares of noise are drawn from: the widest take a second."""
    if is_in_shares(study, members):
        for vector in vectors_of(study):
            if vector.mechanism is not None:
                shared(vector.mechanism, members).table()


def check_noise(study: Study, members: int) -> None:
    """Refuse what cannot be noised: columns without width, sums too large, noise too wide."""
    try:
        for vector in vectors_of(study):
            _check_range(vector, members * study.max_rows)
            if privacy_of(study).is_in_one_place:
                central.check(vector.mechanism)
            else:
                _check_width(vector, members, in_shares=is_in_shares(study, members))
        charge_of(study, members)
    except OutOfRange as e:
        raise Refused(f"under privacy: {e}", hint=e.hint) from None


def _check_range(vector: Vector, rows: int) -> None:
    if rows * vector.largest * vector.factor >= RANGE:
        raise OutOfRange(
            f"the {vector.kind} of {vector.column or 'all'} might leave 61 bits",
            hint="set a smaller max_rows, or narrower bounds",
        )


def _check_width(vector: Vector, members: int, *, in_shares: bool) -> None:
    if vector.mechanism is None:
        return
    if not in_shares:
        joint.distance(vector.mechanism)
        return
    if vector.kind == "largest":
        raise OutOfRange(
            "of a mode only the place is shown, and for that three draw noise jointly",
            hint='noise = "jointly", every budget an epsilon, and three members or more',
        )
    noise = shared(vector.mechanism, members)
    width = noise.scale if isinstance(noise, SharedLaplace) else noise.variance / noise.honest
    is_squared = isinstance(noise, SharedGaussian)
    if tables.most_entries(width, is_squared=is_squared) > tables.MAX_ENTRIES // 2:
        raise OutOfRange(
            f"the {vector.kind} of {vector.column or 'rows'} needs noise too wide for shares",
            hint="let three members draw it jointly, or give this release more epsilon",
        )
