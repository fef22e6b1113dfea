"""Real nodes run a study by groups with a small cell: it is withheld, and no node ever has it."""

import pytest

from tests.e2e.nodes import Nodes, quorate, some_nodes

STUDY = """
title = "Ages by ward"
purpose = "a test"
max_rows = 1000
[tables.patients]
age = "integer 0..120 years"
ward = "category heart lung skin"
[releases]
by_ward = "select ward, count(*) as patients, avg(age) as mean_age from patients group by ward"
total = "select count(*) as patients from patients"
"""
ROWS = {
    "north": "30 heart,40 heart,50 lung",
    "south": "35 heart,45 heart,55 lung,65 lung,75 skin",
    "west": "38 heart,48 heart,58 lung,68 lung,78 skin",
    "east": "31 heart,41 lung",
    "isle": "32 heart,42 lung",
}


def table(rows: str) -> str:
    return "\n".join(["age,ward", *(row.replace(" ", ",") for row in rows.split(","))])


def values(nodes: Nodes, name: str, id_: str) -> list[str]:
    with nodes.client(name) as client:
        return [result.value for result in client.study(id_).results]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        pytest.param(
            ["north", "south", "west"],
            ["6", "withheld", "withheld", "39.333333", *["withheld"] * 2],
            marks=pytest.mark.slow,
        ),
        (list(ROWS), ["8", "withheld", "withheld", "37.375", *["withheld"] * 2]),
    ],
)
def test_members_learn_what_is_shown_and_nobody_the_rest(
    names: list[str], expected: list[str]
) -> None:
    with some_nodes({name: table(ROWS[name]) for name in names}, 20.0) as nodes:
        id_ = nodes.approved(STUDY)
        released = nodes.run(id_, by=names[-1])
        nodes.released(id_)
        whole = sum(len(ROWS[name].split(",")) for name in names)
        for name in names:
            assert values(nodes, name, id_) == [*expected, str(whole)]
        assert any("find them on shares, and no node learns them" in t for t in released.disclosure)
        path = nodes.folder / "release.json"
        with nodes.client("north") as client:
            path.write_text(client.release(id_))
        said = quorate("verify", path)
        assert said.returncode == 0, said.stderr
        assert f"{len(names)} of {len(names)} signatures verify" in said.stdout
