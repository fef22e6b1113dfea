"""`quorate noise`: what noise costs in accuracy, before anything is spent; and the textbook's."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.options import FormatOption, read_file
from quorate.cli.output import aligned, say, show
from quorate.cli.pictures import save
from quorate.errors import Refused, Usage
from quorate.pictures.drawing import fields
from quorate.studies.group import MAX_MEMBERS

if TYPE_CHECKING:
    from quorate.dp.illustration import Uniform
    from quorate.studies.noise_plan import Expected

app = typer.Typer(help="What noise does to results; nothing is spent, and no data are touched.")

KIND = "uniform:"


@app.callback(invoke_without_command=True)
def noise(
    context: typer.Context,
    illustration: Annotated[
        str | None,
        typer.Option(
            metavar="uniform:WIDTH", help="Show the textbook's noise, and what it is worth."
        ),
    ] = None,
) -> None:
    if illustration is None:
        if context.invoked_subcommand is None:
            print(context.get_help())
        return
    uniform = _uniform(illustration)
    if context.invoked_subcommand is not None:
        raise Refused(
            "uniform noise has no epsilon: no study under privacy has it",
            hint=f"see what it is worth with: quorate noise --illustration {illustration}",
        )
    say(*textbook(uniform))


@app.command("plan")
def plan(
    file: Annotated[Path, typer.Argument(help="The study, a TOML file.")],
    members: Annotated[
        int, typer.Option(min=2, max=MAX_MEMBERS, help="How many members there are.")
    ] = 3,
    rows: Annotated[
        int, typer.Option(min=1, help="How many rows a cell will have, of all members.")
    ] = 1000,
    within: Annotated[
        float | None,
        typer.Option(min=1e-9, help="How near a mean should be, in 95 of 100 runs: rows for it."),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Draw it too, .svg or .png; takes the extra `plots`.")
    ] = None,
    form: FormatOption = "text",
) -> None:
    """Say by how much noise moves each value, at several epsilons, wherever it is drawn."""
    from quorate.studies.noise_plan import Assumed, expected_errors
    from quorate.studies.study import read_study

    study = read_study(read_file(file))
    found = expected_errors(study, Assumed(members, rows, within))
    if picture is not None:
        _draw(found, picture)
    show(found, _lines(found, members, rows), form)


def textbook(uniform: "Uniform") -> list[str]:
    """Return both textbook examples with this noise, in exact numbers, and what they are worth."""
    from quorate.dp import illustration

    ages = [age for hospital in illustration.HOSPITALS for age in hospital]
    lines = [illustration.statement(uniform), ""]
    for name, values in (("users", illustration.USERS), ("patients", tuple(ages))):
        n = len(values)
        mean = float(sum(values) / n)
        off, near = uniform.mean_error(n), float(uniform.within(n, Fraction(1, 20)))
        lines.append(
            f"{n} {name}: mean {mean:.4g}, off by {off:.3f} as a rule, "
            f"and as good as the same (within 0.05) in {100 * near:.1f} of 100 draws"
        )
    span = Fraction(82)  # ages 18..100
    one, five = (uniform.same_variance_epsilon(span, k) for k in (1, 5))
    return [
        *lines,
        f"Laplace noise of the same variance has epsilon {one:.0f} for one age between 18 and "
        f"100, and {five:.0f} for the sum of five",
        "what protects instead: privacy = { epsilon = 1.0 } in a study, and quorate noise plan",
    ]


def _uniform(text: str) -> "Uniform":
    from quorate.dp.illustration import Uniform

    hint = "quorate noise --illustration uniform:2"
    if not text.startswith(KIND):
        raise Usage("the one illustration is uniform noise", hint=hint)
    try:
        return Uniform(Fraction(text.removeprefix(KIND)))
    except (ValueError, ZeroDivisionError):
        raise Usage(f"{text.removeprefix(KIND)!r} is not a width", hint=hint) from None


def _lines(found: Sequence["Expected"], members: int, rows: int) -> list[str]:
    needed = any(one.rows_needed is not None for one in found)
    head = ["value", "budget", "jointly, or one place", "in shares", "each alone", "each record"]
    table = [[*head, "rows needed"] if needed else head]
    for one in found:
        record = "-" if one.each_record is None else f"{one.each_record:.4g}"
        errors = [f"{e:.4g}" for e in (one.one_place, one.in_shares, one.each_alone)]
        need = [] if not needed else ["" if one.rows_needed is None else str(one.rows_needed)]
        name = f"{one.release}.{one.value}, {one.unit}"
        table.append([name, one.budget, *errors, record, *need])
    return [
        *aligned(table),
        f"off by so much as a rule, through noise alone, with {rows} rows in a cell and "
        f"{members} members; nothing is spent",
    ]


def _draw(found: Sequence["Expected"], path: Path) -> None:
    """Draw errors against epsilon, one field for each value. Raises `Unavailable`."""
    names = list(
        dict.fromkeys((one.release, one.value, one.unit) for one in found if one.one_place)
    )
    figure, axes = fields(len(names))
    for field, name in zip(axes, names, strict=True):
        own = [one for one in found if (one.release, one.value, one.unit) == name]
        x = [one.epsilon for one in own]
        field.loglog(x, [one.one_place for one in own], label="jointly, or one place")
        field.loglog(x, [one.in_shares for one in own], label="in shares")
        field.loglog(x, [one.each_alone for one in own], label="each member alone")
        records = [(one.epsilon, one.each_record) for one in own if one.each_record is not None]
        if records:
            field.loglog(*zip(*records, strict=True), label="each record")
        field.set(title=f"{name[0]}.{name[1]}", xlabel="epsilon", ylabel=f"error, {name[2]}")
        field.legend()
    save(figure, path)
