"""The measurement of a program: the same for the same files, another for one changed byte."""

import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.enclave.measure import (
    PARTS,
    Difference,
    check_requirements,
    differences,
    explain,
    measure,
    merkle_root,
    of_bytes,
)
from quorate.errors import Refused
from tests.enclave.world import FILES


def test_two_builds_of_the_same_agree_in_whatever_order_files_are_listed() -> None:
    assert measure(FILES) == measure(reversed(FILES))
    assert [each.part for each in explain(FILES)] == list(PARTS)
    assert [each.files for each in explain(FILES)] == [2, 1, 2, 1, 1, 1]


@pytest.mark.parametrize("at", range(len(FILES)))
def test_one_changed_byte_of_any_part_is_another_program_and_is_named(at: int) -> None:
    old = FILES[at]
    changed = replace(old, sha256=hashlib.sha256(b"another").digest())
    files = (*FILES[:at], changed, *FILES[at + 1 :])
    assert measure(files) != measure(FILES)
    assert differences(FILES, files) == (Difference(old.part, old.path, "changed"),)
    unlike = {a.part for a, b in zip(explain(FILES), explain(files), strict=True) if a != b}
    assert unlike == {old.part}


def test_what_was_added_or_removed_or_may_now_be_run() -> None:
    more = (*FILES, of_bytes("wheel", "added.whl", b""))
    assert differences(FILES, more) == (Difference("wheel", "added.whl", "added"),)
    assert differences(more, FILES) == (Difference("wheel", "added.whl", "removed"),)
    runs = (replace(FILES[0], executable=True), *FILES[1:])
    assert differences(FILES, runs) == (Difference("wheel", "quorate.whl", "changed"),)
    assert not differences(FILES, FILES)


def test_the_same_bytes_in_another_part_or_place_are_another_program() -> None:
    plan, roster = FILES[4], FILES[5]
    swapped = (*FILES[:4], replace(plan, part="roster"), replace(roster, part="plan"), *FILES[6:])
    renamed = (replace(FILES[0], path="other.whl"), *FILES[1:])
    assert len({measure(FILES), measure(swapped), measure(renamed)}) == 3


@pytest.mark.parametrize(
    "path", ["", "/bin/sh", "a/../b", "./a", "a//b", "a\\b", "a\0b", "x/__pycache__/a.pyc"]
)
def test_paths_that_name_no_file_of_the_program(path: str) -> None:
    with pytest.raises(Refused, match="not measured"):
        measure((*FILES, of_bytes("wheel", path, b"")))


def test_listings_that_are_none() -> None:
    with pytest.raises(Refused, match="listed twice"):
        measure((*FILES, FILES[0]))
    with pytest.raises(Refused, match="nothing is given as plan"):
        measure(each for each in FILES if each.part != "plan")
    with pytest.raises(Refused, match="no SHA-256"):
        measure((*FILES[1:], replace(FILES[0], sha256=b"")))


@given(st.lists(st.binary(max_size=4), max_size=20, unique=True))
def test_the_tree_is_that_of_certificate_transparency(leaves: list[bytes]) -> None:
    """Against its definition over sums: the largest power of two that leaves a rest."""

    def by_definition(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return hashlib.sha256(b"\0" + part[0]).digest()
        split = max(1 << n for n in range(10) if 1 << n < len(part))
        both = by_definition(part[:split]) + by_definition(part[split:])
        return hashlib.sha256(b"\1" + both).digest()

    assert merkle_root(leaves) == (by_definition(leaves) if leaves else hashlib.sha256().digest())


def test_published_roots_of_the_tree() -> None:
    """The first and the eighth root of RFC 6962's own test data."""
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    leaves = [bytes.fromhex(text) for text in data]
    assert merkle_root(leaves[:1]).hex().startswith("6e340b9cffb37a98")
    assert merkle_root(leaves).hex().startswith("5dc9da79a70659a9")


HASH = "--hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    "line",
    ["numpy", "numpy>=2", "numpy==2.*", "numpy==2.1", f"git+https://x {HASH}", f"-r x {HASH}"],
)
def test_requirements_that_could_be_another_program_tomorrow(line: str) -> None:
    check_requirements(f"# all pinned\nnumpy==2.1 \\\n    {HASH} {HASH}\n\ncbor2==5.6 {HASH}\n")
    with pytest.raises(Refused, match="requirement 2 is not pinned"):
        check_requirements(f"cbor2==5.6 {HASH}\n{line}\n")
