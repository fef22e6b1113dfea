"""`quorate study plot`: the pictures of a release, in the terminal or as files."""

from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.options import FormatOption, read_file
from quorate.cli.output import show
from quorate.cli.pictures import save
from quorate.errors import NotFound, Unavailable
from quorate.pictures.charts import Chart
from quorate.pictures.drawing import Form, drawn
from quorate.pictures.lines import lines_of
from quorate.pictures.released import chart_named, charts_of
from quorate.studies.release import from_json, verify_release


def plot(
    file: Annotated[Path, typer.Argument(help="The release, a JSON file.")],
    chart: Annotated[
        list[str] | None, typer.Option(help="Only the chart of this name; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Draw each chart into a file there.")
    ] = None,
    picture: Annotated[Form, typer.Option(help="What kind of file.")] = "svg",
    form: FormatOption = "text",
) -> None:
    """Show what a release says as pictures: bars, survival curves, estimates and intervals."""
    verified = verify_release(from_json(read_file(file)))
    charts = charts_of(verified.plan, verified.certificate.results)
    if chart:
        charts = tuple(chart_named(charts, name) for name in chart)
    if not charts:
        raise NotFound("this release has nothing to draw", hint=f"read it: quorate verify {file}")
    if out is None:
        show(charts, [line for one in charts for line in ("", one.name, *lines_of(one))], form)
        return
    files = draw(charts, out, picture)
    show([str(path) for path in files], [f"drawn  {path}" for path in files], form)


def draw(charts: tuple[Chart, ...], folder: Path, form: Form) -> list[Path]:
    """Draw each chart into a file of its name, with dashes. Raises `Unavailable`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise Unavailable(f"{folder} cannot be made: {e.strerror}", hint="check the path") from None
    files: list[Path] = []
    for one in charts:
        files.append(folder / f"{one.name.replace(' ', '-')}.{form}")
        save(drawn(one), files[-1])
    return files
