"""`quorate audit trace`: an auditor holds a member to what it dealt, offline."""

from collections.abc import Callable
from pathlib import Path

import pytest

from quorate.algebra import ring
from quorate.studies.dealings import Opening, kept_to_json, opening_to_json
from tests.cli.say import Shell
from tests.studies.test_dealings import OUTSIDE, VECTORS, other_rows, ran, records


@pytest.fixture
def audited(shell: Shell) -> Callable[[Opening], list[Path]]:
    def write(opening: Opening) -> list[Path]:
        files = {"opening.json": opening_to_json(opening)}
        files |= {f"seat{one.seat}.json": kept_to_json(one) for one in records()}
        for name, text in files.items():
            (shell.folder / name).write_text(text)
        return [shell.folder / name for name in files]

    return write


def test_what_was_dealt_is_written_for_the_auditor(
    shell: Shell, audited: Callable[[Opening], list[Path]]
) -> None:
    out = shell.folder / "numbers.txt"
    files = audited(ran()[OUTSIDE].dealings.opening)
    answer = shell("audit", "trace", *files, "--out", out)
    assert answer.code == 0
    assert (
        f"{len(VECTORS[OUTSIDE])} numbers were dealt as they are opened, by seat {OUTSIDE}"
        in answer.out
    )
    assert f"in session {ran()[0].session_id.hex()}" in answer.out
    assert [int(line) for line in out.read_text().split()] == ring.to_signed(
        VECTORS[OUTSIDE]
    ).tolist()
    for one in records():
        assert f"seat {one.seat}: its audit log must say dealt {one.digest().hex()}" in answer.out


def test_other_numbers_are_refused_and_not_written(
    shell: Shell, audited: Callable[[Opening], list[Path]]
) -> None:
    out = shell.folder / "numbers.txt"
    answer = shell("audit", "trace", *audited(other_rows(ran()[3].dealings.opening)), "--out", out)
    assert answer.code == 1
    assert "what is opened is not what seat" in answer.err
    assert not out.exists()
