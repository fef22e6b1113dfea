"""Patients who never were, of whom a practice, a pharmacy and a laboratory each know a part.

Numbers come from a stream with a public key: the same patients every time. What goes with what is
rough, as in adults who are asked for a check: weight rises with age, the waist with weight, tablets
for blood pressure and high glucose with both.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quorate.mpc.streams import Stream

Table = dict[str, NDArray[np.str_]]

_KEY = bytes(32)
_NO_YES = np.array(["no", "yes"])
_MEMBERS = {
    "practice": ("age", "sex", "bmi", "waist", "active", "vegetables", "family"),
    "pharmacy": ("antihypertensives",),
    "laboratory": ("high_glucose",),
}


def write_patients(folder: Path, count: int) -> dict[str, Path]:
    """Write the list of `count` patients and each member's part; return the files by name."""
    table = _patients(count)
    written = {"invited": _write(folder / "invited.csv", table, ())}
    for member, columns in _MEMBERS.items():
        written[member] = _write(folder / f"{member}.csv", table, columns)
    return written


def _write(path: Path, table: Table, columns: tuple[str, ...]) -> Path:
    names = ("patient", *columns)
    lines = np.column_stack([table[name] for name in names])
    text = "\n".join([",".join(names), *(",".join(line) for line in lines)])
    path.write_text(f"{text}\n", encoding="utf-8")
    return path


def _patients(count: int) -> Table:
    stream = Stream(_KEY, "made-up patients")

    def uniform() -> NDArray[np.float64]:
        return np.asarray((stream.words(count) >> np.uint64(11)) / 2.0**53, np.float64)

    def normal() -> NDArray[np.float64]:
        parts: NDArray[np.float64] = np.sum([uniform() for _ in range(12)], axis=0) - 6
        return parts

    age = np.clip(np.rint(52 + 15 * normal()), 18, 110)
    male = uniform() < 0.48
    bmi = np.clip(23.5 + age / 18 + 4 * normal(), 14, 60)
    waist = np.clip(35 + 2.0 * bmi + 9 * male + 5 * normal(), 50, 180)
    strain = (age - 55) / 12 + (bmi - 27) / 5
    tablets = uniform() < 1 / (1 + np.exp(1.2 - strain))
    glucose = uniform() < 1 / (1 + np.exp(2.6 - 0.6 * strain))
    return {
        "patient": np.array([f"P{i:07d}" for i in range(count)]),
        "age": age.astype(np.int64).astype(np.str_),
        "sex": np.where(male, "male", "female"),
        "bmi": np.round(bmi, 1).astype(np.str_),
        "waist": np.round(waist).astype(np.int64).astype(np.str_),
        "active": _NO_YES[(uniform() < 0.6).astype(np.int64)],
        "vegetables": _NO_YES[(uniform() < 0.55).astype(np.int64)],
        "family": np.array(["none", "distant", "close"])[
            np.searchsorted([0.62, 0.78], uniform(), side="right")
        ],
        "antihypertensives": _NO_YES[tablets.astype(np.int64)],
        "high_glucose": _NO_YES[glucose.astype(np.int64)],
    }
