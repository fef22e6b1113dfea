"""`quorate enclave`: the measurement of a program that is to run in an enclave, and why it is that.

The folder of a program holds `wheels/`, `requirements.txt`, `interpreter/`,
`plan`, `roster` and, one NAME=value a line, `settings`.
"""

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import tomli_w
import typer

from quorate.cli.options import FormatOption, NodeOption, open_home, read_file, utc_now
from quorate.cli.output import aligned, grouped, show
from quorate.enclave.measure import (
    Difference,
    File,
    Part,
    Subtree,
    check_requirements,
    check_wheels,
    differences,
    explain,
    measure,
    of_bytes,
)
from quorate.errors import NotFound, Refused, VerificationFailed

if TYPE_CHECKING:
    from quorate.node.home import Home

app = typer.Typer(help="Programs that are to run in an enclave: what they measure to.")

_FOLDERS: tuple[tuple[Part, str], ...] = (("wheel", "wheels"), ("interpreter", "interpreter"))
_FILES: tuple[tuple[Part, str], ...] = (
    ("requirements", "requirements.txt"),
    ("plan", "plan"),
    ("roster", "roster"),
)

Program = Annotated[Path, typer.Argument(help="The program's folder.", show_default=False)]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a program measures to; what it is made of, or what differs, where that was asked."""

    measurement: bytes
    parts: tuple[Subtree, ...] = ()
    differs: tuple[Difference, ...] = ()


@app.command("measure")
def measure_command(
    program: Program,
    explained: Annotated[
        bool, typer.Option("--explain", help="Show each part, its size and its own root.")
    ] = False,
    diff: Annotated[
        Path | None, typer.Option("--diff", help="Another program: show which files differ.")
    ] = None,
    form: FormatOption = "text",
) -> None:
    """Print the measurement of a program: the same for all who build the same."""
    files = read_program(program)
    found = Measured(
        measure(files),
        explain(files) if explained else (),
        differences(files, read_program(diff)) if diff else (),
    )
    lines = [grouped(found.measurement)]
    if explained:
        lines += aligned([_part(each) for each in found.parts], indent="  ")
    if diff:
        lines += [f"  {each.how}  {each.part}  {each.path}" for each in found.differs]
        lines += [] if found.differs else ["  no difference"]
    show(found, lines, form)


@app.command("rebuild-check")
def rebuild_check(
    program: Program,
    measurement: Annotated[str, typer.Argument(help="What others approve, in hexadecimal.")],
    form: FormatOption = "text",
) -> None:
    """Compare one's own build with the measurement that others approve."""
    found = measure(read_program(program))
    wanted = "".join(measurement.split()).lower()
    if found.hex() != wanted:
        raise VerificationFailed(
            f"this build measures {grouped(found)}, and approved is {grouped(wanted)}",
            hint="get the other folder and see: quorate enclave measure FOLDER --diff OTHER",
        )
    show(Measured(found), [f"{grouped(found)}  is what this build measures"], form)


@app.command()
def prepare(
    study: Annotated[Path, typer.Argument(help="The study, a TOML file.", show_default=False)],
    node: NodeOption = None,
) -> None:
    """Print the study as this node's simulated enclave would run it: SIMULATED, nothing is secret.

    Of a comparison, each arm with trust = "enclave". The node gets a simulated platform if it has
    none. Every member's node measures its own build before it approves.
    """
    typer.echo(prepared(read_file(study), open_home(node)), nl=False)


def prepared(text: str, home: "Home") -> str:
    """Return the text with the enclave of its study, or of each arm that trusts one.

    Raises `NotFound` for a node without a group, `Refused` for a bundle without such an arm.
    """
    from quorate.node.enclosure import anchor_of, make_seed
    from quorate.node.program import measurement
    from quorate.studies.bundle import read_bundle
    from quorate.studies.study import read_toml
    from quorate.studies.trust import ENCLAVE

    group = home.group
    if group is None:
        raise NotFound("this node is in no group yet", hint="join one first: quorate group join")
    root = anchor_of(make_seed(home, os.urandom(32), utc_now())).hex()
    top = read_toml(text)
    arms = cast("dict[str, dict[str, object]]", top.get("arms", {}))
    names = [name for name, arm in arms.items() if arm.get("trust") == ENCLAVE]
    if arms and not names:
        raise Refused(
            "no arm trusts an enclave", hint=f'add [arms.enclave] and trust = "{ENCLAVE}"'
        )
    said = text if "trust" in top or arms else f'trust = "{ENCLAVE}"\n{text}'

    def with_measured(measured: Sequence[str]) -> str:
        sections = [
            {"host": home.name, "platform": "simulated", "measurement": one, "root": root}
            for one in measured
        ]
        placed = {name: {"enclave": of} for name, of in zip(names, sections, strict=False)}
        more = {"arms": placed} if arms else {"enclave": sections[0]}
        return f"{said.rstrip()}\n\n{tomli_w.dumps(more)}"

    unknown = with_measured(["0" * 64] * max(len(names), 1))  # what is measured does not hold it
    inside = [study for study in read_bundle(unknown) if study.trust == ENCLAVE]
    return with_measured([measurement(study, group).hex() for study in inside])


def read_program(folder: Path) -> tuple[File, ...]:
    """Return what is in a program's folder, its requirements pinned and its wheels those pinned.

    Raises `NotFound`, and `Refused` for links, special files and what nobody measures.
    """
    if not folder.is_dir():
        raise NotFound(f"there is no folder {folder}")
    known = {name for _, name in (*_FOLDERS, *_FILES)} | {"settings"}
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            raise Refused(f"{path.name} is not part of a program", hint="nothing may be unmeasured")
    files = [
        _leaf(part, path, path.relative_to(folder / name).as_posix())
        for part, name in _FOLDERS
        for path in _below(folder / name)
    ]
    files += [_leaf(part, folder / name, name) for part, name in _FILES if (folder / name).exists()]
    files += _settings(folder / "settings")
    requirements = folder / "requirements.txt"
    if requirements.exists():
        text = requirements.read_text()
        check_requirements(text)
        check_wheels(files, text)
    return tuple(files)


def _below(folder: Path) -> Iterator[Path]:
    if folder.is_symlink():
        raise Refused(f"{folder.name} is a link: what it leads to is not measured")
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path


def _leaf(part: Part, path: Path, name: str) -> File:
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        raise Refused(f"{name} is no ordinary file: what it leads to is not measured")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
        size = file.tell()
    return File(part, name, bool(mode & stat.S_IXUSR), size, digest)


def _settings(path: Path) -> list[File]:
    if not path.exists():
        return []
    pairs = [line.split("=", 1) for line in path.read_text().splitlines() if line.strip()]
    if any(len(pair) != 2 for pair in pairs):
        raise Refused("a setting is not written as NAME=value")
    return [of_bytes("setting", name.strip(), value.encode()) for name, value in pairs]


def _part(each: Subtree) -> tuple[str, ...]:
    return each.part, f"{each.files} files", f"{each.size} bytes", grouped(each.root)
