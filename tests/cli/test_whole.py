"""A file that is being written has no name until it is whole, and never takes another's."""

from pathlib import Path

import pytest

from quorate.cli.whole import whole_file
from quorate.errors import Refused, Unavailable


def test_a_whole_file_has_its_name_and_nothing_else_is_there(tmp_path: Path) -> None:
    with whole_file(tmp_path / "letter.age") as sink:
        sink.write(b"whole")
        assert not (tmp_path / "letter.age").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["letter.age"]
    assert (tmp_path / "letter.age").read_bytes() == b"whole"


def interrupted(target: Path) -> None:
    with whole_file(target) as sink:
        sink.write(b"half")
        raise KeyboardInterrupt


def overtaken(target: Path) -> None:
    with whole_file(target) as sink:
        sink.write(b"ours")
        target.write_bytes(b"theirs")


def test_who_is_interrupted_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path / "letter.age")
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays_also_if_it_came_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "letter.age"
    for _ in range(2):  # the second time it is there from the start
        with pytest.raises(Refused, match="exists"):
            overtaken(target)
        assert target.read_bytes() == b"theirs"
        assert [path.name for path in tmp_path.iterdir()] == ["letter.age"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(Unavailable, match="was not written"),
        whole_file(tmp_path / "no" / "letter.age"),
    ):
        pass
