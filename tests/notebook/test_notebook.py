"""A node from Python: what it gives is what the node says, and none of it is markup."""

from collections.abc import Generator
from pathlib import Path

import pandas as pd
import pytest

import quorate
from quorate.errors import MalformedStudy, NotFound, Refused, Unavailable, Usage
from quorate.notebook.node import Node
from tests.e2e.nodes import MEAN, Nodes, study_text, three_nodes

GROUPED = """
title = "Age <script>alert(1)</script>"
purpose = "p & q"
max_rows = 100
min_cell = 1
[tables.patients]
age = "integer 0..120 years"
[releases]
ages = "select histogram(age, 0, 40, 120) as age from patients"
mean = "select count(*) as patients, avg(age) as mean_age from patients"
"""


@pytest.fixture(scope="module")
def nodes() -> Generator[Nodes]:
    with three_nodes(5.0) as started:
        yield started


@pytest.fixture
def north(nodes: Nodes) -> Node:
    return quorate.connect(nodes.folder / "north")


def test_a_study_from_text_to_frames(nodes: Nodes, north: Node) -> None:
    study = north.study(GROUPED)
    assert (study.state, study.approved_by) == ("proposed", ("north",))
    assert any(line.startswith("reveals") for line in study.disclosure)
    with pytest.raises(NotFound):
        _ = study.results
    for other in ("south", "west"):
        quorate.connect(nodes.folder / other).find(study.id).approve()
    assert study.run(quiet=True).state == "released"
    table = study.table("mean")
    assert table.index.tolist() == [""]
    assert table.mean_age[""] == pytest.approx(349 / 8)
    assert study.facts("mean").patients == 8
    assert study.results.exact.tolist()[-1] == MEAN
    assert study.table("ages").age.tolist() == [4, 4]
    assert study.charts[0].name == "ages age"
    assert study.plot("ages age") is not study.plot()
    with pytest.raises(NotFound, match="no chart"):
        study.plot("weights")
    with pytest.raises(NotFound, match="nothing of this study"):
        study.table("weights")


def test_a_release_is_saved_as_the_node_has_it(nodes: Nodes, north: Node, tmp_path: Path) -> None:
    study = north.find(nodes.approved())
    assert study.run(quiet=True).save(tmp_path / "r.json").read_text().startswith("{")
    assert study.release.certificate.members == ("north", "south", "west")


def test_what_other_members_wrote_is_no_markup(north: Node) -> None:
    study = north.study(GROUPED.replace("p & q", "p & r"))  # the very same is refused
    shown = study._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" in repr(study)  # control: so it stands in the text


def test_a_frame_becomes_a_table_only_its_operator_reads(north: Node) -> None:
    north.add_table("people", pd.DataFrame({"age": [1, 2]}))
    path = Path(north.tables.set_index("name").path["people"])
    assert path.read_text() == "age\n1\n2\n"
    assert path.stat().st_mode & 0o077 == 0
    north.add_table("people", pd.DataFrame({"age": [3]}))
    assert path.read_text() == "age\n3\n"


@pytest.mark.parametrize("name", ["../people", "", "a b", "/etc/x"])
def test_a_name_that_is_none_writes_no_file(north: Node, name: str) -> None:
    before = set(north._home.folder.rglob("*.csv"))
    with pytest.raises(Refused):
        north.add_table(name, pd.DataFrame({"age": [1]}))
    assert set(north._home.folder.rglob("*.csv")) == before


def test_what_is_no_frame_is_refused(north: Node) -> None:
    with pytest.raises(Usage, match="pandas frame"):
        north.add_table("people", [1, 2])


def test_errors_are_those_of_the_node(north: Node, tmp_path: Path) -> None:
    with pytest.raises(MalformedStudy):
        north.study(study_text().replace("integer", "intriguing"))
    with pytest.raises(NotFound):
        north.find("ffff-ffff")
    with pytest.raises(Unavailable):
        north.study(tmp_path / "none.toml")
    with pytest.raises(NotFound):
        quorate.connect(tmp_path)


def test_a_decision_taken_back(north: Node) -> None:
    study = north.study(study_text())
    assert study.revoke().state == "revoked"
    assert north.studies.set_index("id").state[study.id] == "revoked"


def test_peers_and_oneself(north: Node) -> None:
    assert north.name == "north"
    assert set(north.peers.name) == {"south", "west"}
    assert "north" in repr(north)


def test_nothing_else_is_at_the_top() -> None:
    with pytest.raises(AttributeError, match="quorate has no disconnect"):
        _ = quorate.disconnect  # type: ignore[attr-defined]
