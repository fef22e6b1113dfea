"""The commands that are alike for orders and for requests to unlock: list, show, decline."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Generic, TypeVar

import typer

from quorate.cli.options import FormatOption, NodeOption, quorum_of
from quorate.cli.output import aligned, show
from quorate.cli.request_text import Reason, decided

if TYPE_CHECKING:
    from quorate.node.quorum.client import QuorumClient
    from quorate.node.quorum.views import RequestView

V = TypeVar("V", bound="RequestView")

RequestId = Annotated[
    str, typer.Argument(metavar="ID", help="The request's identifier, or its beginning.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Approve without being asked.")]


@dataclass(frozen=True, slots=True)
class Kind(Generic[V]):
    """A kind of request: how a node is asked for it, and how it looks to a person."""

    noun: str  # its command
    plural: str
    how: str  # the command that makes one
    all: "Callable[[QuorumClient], tuple[V, ...]]"
    one: "Callable[[QuorumClient, str], V]"
    decline: "Callable[[QuorumClient, str, str], V]"
    about: Callable[[V], str]  # in a list
    lines: Callable[[V], list[str]]
    next: Callable[[V], list[str]]  # what to do with it

    def decided(self, request: V) -> list[str]:
        """Return where a request stands once somebody has answered it."""
        return [*decided(self.noun, request), *self.next(request)]


def add_common(app: typer.Typer, kind: Kind[V]) -> None:
    """Add the commands that show requests of this kind, and that which declines one."""

    @app.command("list", help=f"List the {kind.plural} that this node knows.")
    def list_command(node: NodeOption = None, form: FormatOption = "text") -> None:
        with quorum_of(node) as client:
            found = kind.all(client)
        rows = [(r.id, r.state, r.key, r.requester, r.created, kind.about(r)) for r in found]
        none = [f"no {kind.plural}; make one with: {kind.how}"]
        show(found, aligned(rows) if rows else none, form)

    @app.command("show", help="Show one: what for, by whom and why, who answered, who has not.")
    def show_command(id_: RequestId, node: NodeOption = None, form: FormatOption = "text") -> None:
        with quorum_of(node) as client:
            request = kind.one(client, id_)
        show(request, kind.lines(request), form)

    @app.command("decline", help="Refuse one for good, and tell the other members why.")
    def decline(
        id_: RequestId, reason: Reason, node: NodeOption = None, form: FormatOption = "text"
    ) -> None:
        with quorum_of(node) as client:
            request = kind.decline(client, id_, reason)
        show(request, kind.decided(request), form)
