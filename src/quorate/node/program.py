"""The code that an enclave of this installation runs, as it is measured."""

import sys
from functools import cache
from importlib.metadata import distributions
from pathlib import Path

import quorate
from quorate.enclave.measure import File, Part, measure, of_bytes
from quorate.studies.approval import OPEN_CLASSES, DataClass
from quorate.studies.attested import check_build, measured_with, refuse_real
from quorate.studies.group import Group
from quorate.studies.plan import Plan
from quorate.studies.study import Study


def code_of(package: Path) -> tuple[File, ...]:
    """Return the leaves of the program whose package is in this folder."""
    files = [
        _leaf("wheel", f"quorate/{one.relative_to(package).as_posix()}", one)
        for one in sorted(package.rglob("*.py"))
    ]
    pinned = sorted({f"{one.name.lower()}=={one.version}" for one in distributions()})
    text = "\n".join(pinned).encode()
    interpreter = _leaf("interpreter", "bin/python", Path(sys.executable).resolve())
    return (*files, of_bytes("requirements", "versions.txt", text), interpreter)


@cache
def code() -> tuple[File, ...]:
    """Return the leaves of the program that this very process runs."""
    return code_of(Path(quorate.__file__).parent)


def measurement(study: Study, group: Group) -> bytes:
    """Return what this installation measures to, for a study of a group."""
    return measure(measured_with(code(), study, group))


def check_enclave(plan: Plan, group: Group, data: DataClass) -> None:
    """Refuse real data for a simulated enclave, and a program this member would not build."""
    if data not in OPEN_CLASSES and not plan.study.enclosed.policy().confidential:
        refuse_real(["this member"])
    check_build(plan, measurement(plan.study, group))


def _leaf(part: Part, name: str, path: Path) -> File:
    data = path.read_bytes()
    return of_bytes(part, name, data, executable=part == "interpreter")
