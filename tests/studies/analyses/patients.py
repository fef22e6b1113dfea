"""The patients of `examples/data` as rows of three members, and studies of them."""

import csv
from collections.abc import Mapping
from pathlib import Path

DATA = Path(__file__).parents[3] / "examples" / "data"

GBSG2 = """
title = "Breast cancer"
purpose = "Exactness"
max_rows = 1000
[tables.patients]
horTh = "category no yes"
cens = "category 0 1"
tgrade = "category I II III"
menostat = "category Pre Post"
age = "integer 18..90 years"
tsize = "integer 0..200 mm"
pnodes = "integer 0..60 1"
progrec = "integer 0..3000 fmol/l"
time = "integer 0..3000 days"
"""

LUNG = """
title = "Lung cancer"
purpose = "Exactness"
max_rows = 500
[tables.patients]
status = "category 0 1"
sex = "category 1 2"
age = "integer 30..90 years"
time = "integer 0..1100 days"
"""

WISCONSIN = """
title = "Breast cancer, cells"
purpose = "Exactness"
max_rows = 1000
[tables.patients]
mean_radius = "number 0..40 um"
mean_texture = "number 0..50 1"
worst_area = "number 0..5000 um2"
target = "category 0 1"
"""

DIABETES = """
title = "Diabetes"
purpose = "Exactness"
max_rows = 1000
[tables.patients]
age = "integer 18..90 years"
sex = "category 1 2"
bmi = "number 10..60 kg/m2"
bp = "number 40..150 mmHg"
target = "number 0..400 points"
"""


def rows_of(name: str) -> list[Mapping[str, str]]:
    """Return the rows of one file, every one."""
    with (DATA / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def institutions() -> list[list[Mapping[str, str]]]:
    """Return the patients of the lung study by the three groups of institutions that had them.

    Status there is 1 for censored and 2 for dead, or 0 and 1, by edition; the columns
    that are used have no gaps.
    """
    parts: list[list[Mapping[str, str]]] = [[], [], []]
    kept = ("status", "sex", "age", "time")
    for row in rows_of("lung"):
        where = int(float(row["inst"] or 0)) % 3
        parts[where].append({name: row[name] for name in kept})
    return parts
