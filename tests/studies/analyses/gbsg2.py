"""The 686 patients of the German Breast Cancer Study Group, and how a study declares them."""

from pathlib import Path

import pandas as pd

TABLE = """\
title = "What goes with survival"
purpose = "to see what goes with survival"
max_rows = 400
min_cell = {min_cell}

[tables.patients]
horTh = "category no yes"
age = "integer 20..90 years"
tsize = "integer 0..150 mm"
pnodes = "integer 0..60 nodes"
tgrade = "category I II III"
menostat = "category Pre Post"
time = "integer 0..3000 days"
cens = "category 0 1"
"""


def patients() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parents[3] / "examples" / "data" / "gbsg2.csv")
