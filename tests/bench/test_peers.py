"""What is kept of the peers is complete, and what is missing is said."""

from pathlib import Path

import pytest

from bench.peers import results
from bench.peers.__main__ import OURS
from bench.peers.processes import MARK, Times, Told, tell, understood
from bench.peers.results import Missing, Results
from bench.peers.section import text_of


def test_each_peer_did_all_of_the_work() -> None:
    found = results.read()
    for peer in found.peers:
        assert {row.work for row in peer.rows} == OURS.keys(), peer.name
        assert all(row.warm_s > 0 and row.ours_s > 0 for row in peer.rows)


def test_results_are_written_as_they_are_read(tmp_path: Path) -> None:
    found, path = results.read(), tmp_path / "results.json"
    results.write(found, path)
    assert results.read(path) == found
    assert path.read_bytes() == results.PATH.read_bytes()


def test_a_missing_peer_is_said() -> None:
    nothing = Results("2030-01-01", "a machine", (), (Missing("SPU", "no wheel for this Python"),))
    assert "**SPU was not measured:** no wheel for this Python" in text_of(nothing)


def test_what_a_peer_tells_is_found_among_its_other_lines(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = Told("1.0", [Times("products", 10, [[0.1], [0.2], [0.3]], [[0.1], [0.1], [0.1]])])
    tell(told)
    printed = capsys.readouterr().out
    assert printed.startswith(MARK)
    assert understood(f"a warning\n{printed}another\n") == told
