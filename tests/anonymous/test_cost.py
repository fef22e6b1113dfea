"""A run takes the rounds and the bytes that `cost` says, which are the protocol's formula."""

import re

import pytest

from quorate.anonymous.cost import cost
from quorate.anonymous.decision import Delivered
from tests.anonymous.group import member, members
from tests.docs.project import PROJECT
from tests.parties import measure


@pytest.mark.parametrize(("n", "cell_bytes"), [(3, 16), (5, 1024), (5, 4096), (20, 1024)])
def test_costs_what_is_declared(n: int, cell_bytes: int) -> None:
    group = members(n)
    run = group.run(cell_bytes=cell_bytes)
    texts = [b"one", *(b"" for _ in range(1, n))]
    outcomes, rounds, sent = measure(lambda s: member(s, group, run, texts), n)
    assert all(isinstance(outcome, Delivered) for outcome in outcomes.values()), outcomes
    declared = cost(n, cell_bytes)
    assert rounds == declared.rounds
    assert sent == dict.fromkeys(range(n), declared.bytes_sent)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("n", "cell_bytes"), [(20, 4096), (100, 1024), (100, 4096)])
def test_costs_what_is_declared_in_large_groups(n: int, cell_bytes: int) -> None:
    test_costs_what_is_declared(n, cell_bytes)


@pytest.mark.parametrize("n", [5, 20, 100])
@pytest.mark.parametrize("cell_bytes", [1024, 4096])
def test_bytes_are_those_of_the_formula(n: int, cell_bytes: int) -> None:
    formula = 1450 + 1088 * (n - 1) + 16 * n + n * (cell_bytes + 48) + 500
    encoding = 150 + 3 * (n - 1)  # names of fields, lengths
    assert formula <= cost(n, cell_bytes).bytes_said <= formula + encoding


def test_the_specification_shows_these_bytes() -> None:
    page = (PROJECT / "docs/spec/anonymous.md").read_text()
    row = re.compile(r"^\| (\d+) \| (\d) KiB \| ([\d ]+) \| ([\d ]+) \|$", re.MULTILINE)
    shown = [tuple(int(cell.replace(" ", "")) for cell in cells) for cells in row.findall(page)]
    assert len(shown) == 4
    for n, kib, said, sent in shown:
        declared = cost(n, kib * 1024)
        assert (said, sent) == (declared.bytes_said, declared.bytes_sent)
