"""`quorate data`: the tables this member has. Their rows never leave the node."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from quorate.cli.options import FormatOption, NodeOption, connect
from quorate.cli.output import aligned, show

app = typer.Typer(help="The tables this member has; their rows never leave its node.")


@app.command("add")
def add(
    table: Annotated[str, typer.Argument(help="The table's name, as studies call it.")],
    file: Annotated[Path, typer.Argument(help="A .csv or .parquet file.")],
    data_class: Annotated[
        Literal["real", "synthetic", "public"],
        typer.Option("--class", help="What the data are; others rely on it, under your signature."),
    ] = "real",
    node: NodeOption = None,
    form: FormatOption = "text",
) -> None:
    """Register a file as a table. It is read at each run, and never copied."""
    with connect(node) as client:
        added = client.add_table(table, file, data_class)
    said = "" if added.data_class == "real" else f", {added.data_class} data"
    show(added, [f"table {added.name} is {added.path}{said}"], form)


@app.command("list")
def list_command(node: NodeOption = None, form: FormatOption = "text") -> None:
    """List the tables."""
    with connect(node) as client:
        tables = client.tables()
    lines = aligned([(table.name, table.data_class, table.path) for table in tables])
    none = ["no tables; add one with: quorate data add TABLE FILE"]
    show(tables, lines or none, form)
