"""`quorate policy`: this member's own rules for studies."""

import typer

from quorate.cli.options import FormatOption, NodeOption, open_home
from quorate.cli.output import show
from quorate.node.policy import FILE, Policy, read_policy

app = typer.Typer(help="This member's own rules: which studies its node takes part in.")


@app.command("show")
def show_command(node: NodeOption = None, form: FormatOption = "text") -> None:
    """Show the rules that hold now. They are changed in policy.toml, in the node's folder."""
    home = open_home(node)
    policy = read_policy(home.folder)
    show(policy, [f"file     {home.folder / FILE}", *_lines(policy)], form)


def _lines(policy: Policy) -> list[str]:
    anybody = "any member" if policy.recipients is None else ", ".join(policy.recipients)
    tables = (
        ["tables   all that are registered, with all columns"]
        if policy.tables is None
        else [f"table    {name}: {', '.join(columns)}" for name, columns in policy.tables.items()]
    )
    return [
        f"members  at least {policy.min_members}",
        f"rows     at least {policy.min_rows} of this member's own",
        f"cells    values over fewer than {policy.min_cell} rows are withheld",
        f"results  to {anybody}",
        *tables,
        f"approval counts for {policy.approval_days} days",
    ]
