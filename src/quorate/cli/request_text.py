"""What orders and requests to unlock look like to a person, and how one is asked about them."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from quorate.cli.output import say
from quorate.errors import Error, Usage

if TYPE_CHECKING:
    from quorate.node.quorum.views import RequestView


Reason = Annotated[str, typer.Option(help="Why, for all members to read; it is signed.")]


def heading(noun: str, request: "RequestView") -> list[tuple[str, str]]:
    """Return who asks, and why, as rows."""
    return [
        (noun, f"{request.id} under {request.key}, {request.rule}"),
        ("state", state(request)),
        ("by", f"{request.requester}, {request.created}, until {request.expires}"),
        ("reason", request.reason),
    ]


def state(request: "RequestView") -> str:
    return f"{request.state}: {request.note}" if request.note else request.state


def decided(noun: str, request: "RequestView") -> list[str]:
    """Return where a request stands, and what each holder said."""
    return [f"{noun:<8} {request.id} is {state(request)}", *words(request)]


def words(request: "RequestView") -> list[str]:
    """Return what each holder said."""
    return [
        f"{a.member} {'approved' if a.word == 'approve' else 'declined'}: {a.reason}"
        for a in request.answers
    ]


def untold(request: "RequestView") -> list[str]:
    return [f"{', '.join(request.untold)} will hear of it when back"] if request.untold else []


def waits(noun: str, request: "RequestView") -> str:
    names = ", ".join(request.waits_for)
    return f"waits for {names}: quorate {noun} approve {request.id} --reason WHY"


def confirm(noun: str, request: "RequestView", lines: list[str]) -> None:
    """Show what would be approved and ask. Raises `Error` unless the answer is yes."""
    say(*lines, error=True)
    if not sys.stdin.isatty():
        raise Usage("nobody is here to be asked", hint="decide with --yes, or at a terminal")
    if not typer.confirm("approve exactly this?", err=True):
        hint = f"to refuse it for good: quorate {noun} decline {request.id} --reason WHY"
        raise Error("nothing was approved", hint=hint)
