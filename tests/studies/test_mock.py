import os
from collections import Counter
from pathlib import Path

import pytest

from quorate.errors import Refused
from quorate.mpc.tables.keys import INVALID
from quorate.studies.mock import MAX_ROWS, mock_rows
from quorate.studies.own_rows import rows_read
from quorate.studies.programs import program_of
from quorate.studies.sources import aggregate, open_source
from quorate.studies.study import read_study
from tests.studies.linking import BY_NAME, EVENT, plan_among
from tests.studies.trio import plan_of

STUDY = read_study(
    """
title = "t"
purpose = "p"
max_rows = 10_000
min_cell = 1
[tables.people]
age = "integer -3..4 years"
bmi = "number -0.25..0.125 kg/m2"
tall = "number 0..0.000000001 m"
sex = 'category F "not known" M,x'
ward = "category 1 2 30"
[releases]
r = "select sex, ward, count(*) as n, sum(age) as a, sum(bmi) as b, sum(tall) as t from people
group by sex, ward"
""".replace("\ngroup", " group")
)


def test_made_up_rows_are_as_declared_and_of_every_kind(tmp_path: Path) -> None:
    text = mock_rows(STUDY, 600, os.urandom)
    assert text.splitlines()[0] == "age,bmi,tall,sex,ward"
    path = tmp_path / "mock.csv"
    path.write_text(text)
    part = aggregate(open_source(path), plan_of(STUDY))
    counts = part[:9]
    assert sum(counts) == 600
    assert min(counts) > 0
    ages = Counter(line.partition(",")[0] for line in text.splitlines()[1:])
    assert set(ages) == {str(age) for age in range(-3, 5)}


def test_the_same_randomness_gives_the_same_rows() -> None:
    def zeros(n: int) -> bytes:
        return bytes(n)

    assert (
        mock_rows(STUDY, 2, zeros) == "age,bmi,tall,sex,ward\n" + 2 * "-3,-0.2500,0.000000000,F,1\n"
    )


@pytest.mark.parametrize("rows", [0, -1, MAX_ROWS + 1])
def test_there_is_a_most_of_rows(rows: int) -> None:
    with pytest.raises(Refused):
        mock_rows(STUDY, rows, os.urandom)


def test_columns_to_link_by_are_made_up_too(tmp_path: Path) -> None:
    plan = plan_among(3, BY_NAME + EVENT, most=50)
    path = tmp_path / "mock.csv"
    path.write_text(mock_rows(plan.study, 50, os.urandom))
    program = program_of(plan.study, 3)
    table = program.own(rows_read(open_source(path), plan, program.reads))
    assert 45 < (table.bits[:, 0] < INVALID).sum() <= 50
