"""Talks to a node's HTTP API over its Unix socket: what the command line knows of a node.

One method for each route, and the models of `node.views` in both directions.
A problem the node reports is raised here as the exception it was there.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import TypeAdapter, ValidationError

from quorate import errors
from quorate.errors import Unavailable
from quorate.node.local import TIMEOUT_S, Local, Problem, error_of, not_understood
from quorate.node.views import (
    AuditView,
    DataBody,
    EventView,
    ProposeBody,
    ScoresView,
    StatusView,
    StudyView,
    TableView,
    View,
)

T = TypeVar("T")


class Client:
    """A connection to the node whose socket is at `path`. Use as a context manager.

    Every method raises what the node raised, or `Unavailable` if it does not answer.
    """

    def __init__(self, path: Path, *, timeout_s: float = TIMEOUT_S, staff: str = "") -> None:
        self.local = Local(path, timeout_s, staff)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left open: each question is a connection of its own."""

    def is_healthy(self) -> bool:
        """Return whether the node answers."""
        try:
            self.ask("GET", "/health")
        except Unavailable:
            return False
        return True

    def status(self) -> StatusView:
        return self.get("/status", StatusView)

    def tables(self) -> tuple[TableView, ...]:
        return self.get("/data", tuple[TableView, ...])

    def add_table(
        self,
        name: str,
        path: Path,
        data_class: Literal["real", "synthetic", "public"] = "real",
    ) -> TableView:
        body = DataBody(name=name, path=str(path.absolute()), data_class=data_class)
        return self.post("/data", TableView, body)

    def studies(self) -> tuple[StudyView, ...]:
        return self.get("/studies", tuple[StudyView, ...])

    def study(self, id_: str) -> StudyView:
        return self.get(_route(id_), StudyView)

    def propose(self, study: str, accept: tuple[str, ...] = ()) -> StudyView:
        return self.post("/studies", StudyView, ProposeBody(study=study, accept=accept))

    def approve(self, id_: str) -> StudyView:
        return self.post(_route(id_, "approve"), StudyView)

    def decline(self, id_: str) -> StudyView:
        return self.post(_route(id_, "decline"), StudyView)

    def revoke(self, id_: str) -> StudyView:
        return self.post(_route(id_, "revoke"), StudyView)

    def run(self, id_: str) -> Iterator[EventView]:
        """Run a study and yield its progress; the last event holds the released study.

        Waits as long as the run takes: how long that may be is the node's to say.
        """
        return self._follow(_route(id_, "run"))

    def resume(self, id_: str) -> Iterator[EventView]:
        """Do the same for a study whose last run failed."""
        return self._follow(_route(id_, "resume"))

    def progress(self, id_: str) -> Iterator[EventView]:
        """Yield the progress of a run that is under way, whoever began it, from its beginning."""
        return self._follow(_route(id_, "progress"), "GET")

    def _follow(self, route: str, method: str = "POST") -> Iterator[EventView]:
        for line in self.local.follow(route, method):
            event = read_view(line, EventView)
            if (problem := event.problem) is not None:
                told = Problem(problem.kind, problem.message, problem.hint, problem.exit_code)
                raise error_of(told)
            yield event

    def scores(self, id_: str) -> ScoresView:
        """Return what this member alone learned of its patients."""
        return self.get(_route(id_, "scores"), ScoresView)

    def release(self, id_: str) -> str:
        """Return the text of the release file."""
        return self.ask("GET", _route(id_, "release"))

    def evidence(self, id_: str) -> str:
        """Return the text of the file of evidence of the last run that was aborted."""
        return self.ask("GET", _route(id_, "evidence"))

    def opening(self, id_: str) -> str:
        """Return the text of the file that opens what this member dealt in a study."""
        return self.ask("GET", _route(id_, "opening"))

    def dealt(self, id_: str) -> str:
        """Return the text of the file of what this member, of the committee, was dealt."""
        return self.ask("GET", _route(id_, "dealt"))

    def audit(self) -> AuditView:
        return self.get("/audit", AuditView)

    def verify_audit(self) -> AuditView:
        """Return the audit log, its chain verified. Raises `VerificationFailed`."""
        return self.post("/audit/verify", AuditView)

    def stop(self) -> None:
        self.ask("POST", "/stop")

    def get(self, route: str, kind: type[T]) -> T:
        """Return what a route answers."""
        return read_view(self.ask("GET", route), kind)

    def post(self, route: str, kind: type[T], body: View | None = None) -> T:
        """Return what a route answers to `body`."""
        return read_view(self.ask("POST", route, body), kind)

    def ask(self, method: str, route: str, body: View | None = None) -> str:
        """Return the text a route answers, whatever its form."""
        sent = None if body is None else body.model_dump(mode="json")
        return self.local.ask(method, route, sent)


def _route(id_: str, action: str = "") -> str:
    """Return the route of a study. An identifier is hexadecimal digits, with dashes or not."""
    plain = id_.replace("-", "").lower()
    if not plain or not set(plain) <= set("0123456789abcdef"):
        raise errors.NotFound(
            "that is not the identifier of a study", hint="see the studies with: quorate study list"
        )
    return f"/studies/{plain}/{action}".rstrip("/")


def read_view(text: str, kind: type[T]) -> T:
    """Return the model of the API that a node answered."""
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError:
        raise not_understood() from None
