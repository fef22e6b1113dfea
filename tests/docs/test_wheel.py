"""The wheel is pure, the same each time, and all that an installation needs."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from quorate import __version__
from tests.docs.project import PROJECT, files, shown

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def build(folder: Path) -> Path:
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)]
    subprocess.run([*command, str(PROJECT)], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


def test_is_pure_and_carries_every_file_of_the_package(wheel: Path) -> None:
    assert wheel.name == f"quorate-{__version__}-py3-none-any.whl"
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    own = {p.relative_to(PROJECT / "src").as_posix() for p in files(under="src")}
    assert inside == own | {f"quorate/{shown(p)}" for p in files(under="examples")}
    assert any(name.startswith("quorate/node/migrations/") for name in inside)
    assert "quorate/py.typed" in inside


def test_two_builds_are_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_a_fresh_installation_has_the_command(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv/bin/python"
    pins = PROJECT / "constraints.txt"
    install = ["-m", "pip", "install", "--quiet", "--constraint", str(pins), str(wheel)]
    subprocess.run([python, *install], check=True)
    said = subprocess.run(
        [tmp_path / "venv/bin/quorate", "--version"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert __version__ in said.stdout
    demo = subprocess.run(
        [tmp_path / "venv/bin/quorate", "demo", "age"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "3 of 3 signatures verify" in demo.stdout
