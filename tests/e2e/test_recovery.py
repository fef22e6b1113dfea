"""Five real nodes give one member a whole key, and stock age opens with it, alone."""

import shutil
import stat
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.e2e.nodes import wait
from tests.e2e.prompt import typed
from tests.e2e.test_unlocks import asked, started
from tests.e2e.ward import Ward, five_nodes
from tests.quorum.dealt import WARD

AGE, KEYGEN = shutil.which("age"), shutil.which("age-keygen")
TEXT = "allergic to penicillin\n"


@pytest.fixture(scope="module")
def ward() -> Generator[Ward]:
    with five_nodes() as ward:
        planned = typed(
            ward,
            "doctor",
            *("key", "create", "letters", "--purpose", "plain", "--recover", "4 of 5"),
            *("--threshold", "3 of 5", "--members", ",".join(WARD)),
        )
        assert "recovery  4 of 5 give one member the whole key" in planned.stdout, planned.stderr
        for name in WARD[1:]:
            ward[name].answer_key("letters", "approve", "agreed")
        wait(lambda: all(ward[name].key("letters").state == "ready" for name in WARD))
        yield ward


@pytest.mark.slow
@pytest.mark.skipif(AGE is None or KEYGEN is None, reason="needs age: make test-system installs it")
def test_four_give_the_whole_key_and_stock_age_opens_with_it_alone(
    ward: Ward, tmp_path: Path
) -> None:
    assert AGE is not None
    assert KEYGEN is not None
    letter, sealed, out = tmp_path / "letter", tmp_path / "letter.age", tmp_path / "letters.key"
    letter.write_text(TEXT)
    recipient = typed(ward, "nurse", "key", "recipient", "letters").stdout.strip()
    subprocess.run([AGE, "-r", recipient, "-o", sealed, letter], check=True)
    before = len(ward["nurse"].unlocks())
    command = ("key", "recover", "letters", "--reason", "the group ends", "--out", out)
    unasked = typed(ward, "doctor", *command)
    assert (unasked.returncode, "decide with --yes" in unasked.stderr) == (2, True)
    assert "opens everything that was ever sealed to it" in unasked.stderr
    asking = started(ward, "doctor", *command, "--yes")
    id_ = asked(ward, "nurse", before)
    shown = typed(ward, "nurse", "unlock", "show", id_).stdout
    assert "the whole key letters" in shown
    assert "4 of 5" in shown
    assert "nobody can take it back" in shown
    for name in ("pharmacist", "nurse"):
        words = ("unlock", "approve", id_, "--yes", "--reason", f"seen by {name}")
        careless = typed(ward, name, *words)
        assert (careless.returncode, "--whole-key" in careless.stderr) == (5, True)
        assert typed(ward, name, *words, "--whole-key").returncode == 0
    assert ward["doctor"].unlock_request(id_).state == "open"  # three would open a file
    assert asking.poll() is None
    ward["reception"].answer_unlock(id_, "approve", "seen", whole_key=True)
    told, steps = asking.communicate(timeout=30)
    assert asking.returncode == 0, steps
    assert "4 of 4 approved" in steps
    assert f"the whole key letters is in {out}" in told
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "AGE-SECRET-KEY-1" not in told + steps
    said = subprocess.run([KEYGEN, "-y", out], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == recipient
    opened = subprocess.run([AGE, "-d", "-i", out, sealed], check=True, capture_output=True)
    assert opened.stdout.decode() == TEXT
    for name in WARD:
        wait(lambda name=name: ward[name].unlock_request(id_).state == "recovered")  # type: ignore[misc]
        assert "doctor has the whole key" in ward[name].key("letters").warning
        assert (
            f"{id_}: doctor has the whole key letters" in typed(ward, name, "audit", "show").stdout
        )
        assert "AGE-SECRET-KEY-1" not in typed(ward, name, "audit", "show").stdout
    note = typed(ward, "nurse", "key", "recipient", "letters").stderr
    assert "seal nothing more to this key" in note
    by_another = typed(ward, "nurse", "unlock", "show", id_)
    assert "AGE-SECRET-KEY" not in by_another.stdout


def test_two_who_decline_end_it(ward: Ward, tmp_path: Path) -> None:
    command = ("key", "recover", "letters", "--reason", "curious", "--yes", "--out", tmp_path / "k")
    before = len(ward["pharmacist"].unlocks())
    asking = started(ward, "nurse", *command)
    id_ = asked(ward, "pharmacist", before)
    for name in ("pharmacist", "laboratory"):
        declined = typed(ward, name, "unlock", "decline", id_, "--reason", "open them one by one")
        assert declined.returncode == 0
    _, steps = asking.communicate(timeout=30)
    assert asking.returncode == 5
    assert f"request {id_} is declined" in steps
    assert "open them one by one" in steps
    assert not (tmp_path / "k").exists()


def test_keys_that_are_not_plain_are_not_recovered(ward: Ward) -> None:
    said = typed(ward, "doctor", "key", "recover", "medication", "--reason", "why", "--yes")
    assert (said.returncode, "only a plain key is recovered" in said.stderr) == (5, True)
    rule = ("--purpose", "plain", "--threshold", "3 of 5", "--recover", "3 of 5")
    planned = typed(ward, "doctor", "key", "create", "weak", *rule)
    assert (planned.returncode, "4 to 5" in planned.stderr) == (5, True)
