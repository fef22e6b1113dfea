"""Stock age finds the plugin of an installation: built, installed elsewhere, started by name."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.docs.test_wheel import build
from tests.e2e.nodes import wait
from tests.e2e.ward import Ward, five_nodes
from tests.quorum.dealt import WARD

AGE = shutil.which("age")
pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(300),
    pytest.mark.skipif(AGE is None, reason="needs age: make test-system installs it"),
]
CONTENT = os.urandom(100_000)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, beside this one's other packages."""
    folder = tmp_path_factory.mktemp("installed")
    wheel = build(folder)
    venv.create(folder / "venv")
    python = folder / "venv/bin/python"
    install = ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, "-m", "pip", "--python", str(python), *install], check=True)
    (own,) = (folder / "venv/lib").glob("python*/site-packages")
    # a line of a .pth file is a path: files of that name in there, as ours, are not read again
    (own / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "venv/bin"


@pytest.fixture(scope="module")
def ward() -> Generator[Ward]:
    with five_nodes() as ward:
        ward.make_key("records", "3 of 5", WARD, "unlock")
        yield ward


def environment(programs: Path, **more: str) -> dict[str, str]:
    """Return an environment in which nothing but age and the installation is found."""
    return {"PATH": f"{programs}:{Path(AGE or '').parent}", "HOME": str(programs), **more}


def test_the_installation_is_the_wheels(programs: Path) -> None:
    assert (programs / "age-plugin-quorate").is_file()
    where = [str(programs / "python"), "-c", "import quorate; print(quorate.__file__)"]
    said = subprocess.run(
        where, check=True, capture_output=True, text=True, env=environment(programs), cwd=programs
    )
    assert Path(said.stdout.strip()).is_relative_to(programs.parent)


def test_stock_age_seals_and_opens_with_it(programs: Path, ward: Ward, tmp_path: Path) -> None:
    assert AGE is not None
    record, sealed, out = (tmp_path / name for name in ("record", "record.age", "opened"))
    record.write_bytes(CONTENT)
    key = ward["doctor"].key("records")
    seal = [AGE, "-r", key.recipient, "-o", str(sealed), str(record)]
    subprocess.run(seal, check=True, env=environment(programs), cwd=tmp_path)
    (tmp_path / "identity.txt").write_text(key.identity + "\n")
    with subprocess.Popen(
        [AGE, "-d", "-i", "identity.txt", "-o", out, sealed],
        env=environment(programs, QUORATE_REASON="acute care"),
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    ) as age:
        wait(lambda: bool(ward["nurse"].unlocks()))
        (request,) = ward["nurse"].unlocks()
        for name in ("nurse", "pharmacist"):
            ward[name].answer_unlock(request.id, "approve", "on duty")
        _, steps = age.communicate(timeout=60)
    assert age.returncode == 0, steps
    assert out.read_bytes() == CONTENT


def test_without_the_installation_age_finds_no_plugin(ward: Ward, tmp_path: Path) -> None:
    assert AGE is not None
    recipient = ward["doctor"].key("records").recipient
    alone = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    said = subprocess.run(
        [AGE, "-r", recipient], input="", capture_output=True, text=True, check=False, env=alone
    )
    assert said.returncode != 0
    assert "age-plugin-quorate" in said.stderr
