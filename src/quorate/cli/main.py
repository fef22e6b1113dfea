"""The command `quorate`: its nouns put together, and how every error ends."""

import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import typer
from typer.main import get_command

from quorate import __version__
from quorate.cli.nouns import nouns
from quorate.cli.output import Format, say, say_error
from quorate.errors import Error, Usage

INTERRUPTED = 130  # what shells say of a program that Ctrl-C ended

NOUNS = (
    "init",
    "group",
    "node",
    "data",
    "study",
    "key",
    "order",
    "report",
    "policy",
    "enclave",
    "budget",
    "noise",
    "poison",
    "seal",
    "unlock",
    "verify",
    "audit",
    "console",
    "doctor",
    "relay",
    "demo",
)

app = typer.Typer(
    cls=nouns({noun: f"quorate.cli.{noun}" for noun in NOUNS}),
    help="A group that does not trust one another computes as one.",
    epilog="Begin with: quorate demo age",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        say(f"quorate {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def quorate(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback acts
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Show it.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: every error becomes a line or two on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    form = _format_of(arguments)
    try:
        code = get_command(app).main(arguments, prog_name="quorate", standalone_mode=False)
        sys.stdout.flush()
    except Error as e:
        say_error(e, form)
        return e.exit_code
    except typer.TyperException as e:
        error = _usage(e)
        say_error(error, form)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads on
        return 1
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:
        say("quorate: interrupted", error=True)
    return code if isinstance(code, int) else 0


def _format_of(arguments: Sequence[str]) -> Format:
    """Return the format asked for, even where the rest cannot be understood."""
    asked = "--format=json" in arguments or ("--format", "json") in pairwise(arguments)
    return "json" if asked else "text"


def _usage(error: typer.TyperException) -> Usage:
    message = error.format_message().strip().rstrip(".")
    where = getattr(getattr(error, "ctx", None), "command_path", "quorate")
    return Usage(message[:1].lower() + message[1:], hint=f"see how with: {where} --help")


if __name__ == "__main__":
    sys.exit(main())
