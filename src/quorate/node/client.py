"""Talks to a node's HTTP API over its Unix socket: what the command line knows of a node.

One method for each route, and the models of `node.views` in both directions.
A problem the node reports is raised here as the exception it was there.
"""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Self, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from quorate import errors
from quorate.errors import Abort, Error, Refused, Unavailable
from quorate.node.views import (
    AuditView,
    DataBody,
    EventView,
    ProblemView,
    ProposeBody,
    StatusView,
    StudyView,
    TableView,
    View,
)

T = TypeVar("T")

TIMEOUT_S = 90.0
"""Longer than a node waits for another member, so that the node's own reason arrives first."""


class Client:
    """A connection to the node whose socket is at `path`. Use as a context manager.

    Every method raises what the node raised, or `Unavailable` if it does not answer.
    """

    def __init__(self, path: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = path
        transport = httpx.HTTPTransport(uds=str(path))
        self._http = httpx.Client(
            transport=transport, base_url="http://node", timeout=timeout_s, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

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

    def add_table(self, name: str, path: Path) -> TableView:
        body = DataBody(name=name, path=str(path.absolute()))
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

    def _follow(self, route: str) -> Iterator[EventView]:
        self._knock()
        try:
            with self._http.stream("POST", route, timeout=None) as answer:
                if answer.is_error:
                    answer.read()
                    raise _raised(answer)
                for line in answer.iter_lines():
                    event = _read(line, EventView)
                    if event.problem is not None:
                        raise _error(event.problem)
                    yield event
        except httpx.TransportError as e:
            raise self._lost(e) from None

    def release(self, id_: str) -> str:
        """Return the text of the release file."""
        return self.ask("GET", _route(id_, "release")).text

    def audit(self) -> AuditView:
        return self.get("/audit", AuditView)

    def verify_audit(self) -> AuditView:
        """Return the audit log, its chain verified. Raises `VerificationFailed`."""
        return self.post("/audit/verify", AuditView)

    def stop(self) -> None:
        self.ask("POST", "/stop")

    def get(self, route: str, kind: type[T]) -> T:
        """Return what a route answers."""
        return _read(self.ask("GET", route).text, kind)

    def post(self, route: str, kind: type[T], body: View | None = None) -> T:
        """Return what a route answers to `body`."""
        return _read(self.ask("POST", route, body).text, kind)

    def ask(self, method: str, route: str, body: View | None = None) -> httpx.Response:
        """Return the answer of a route, whatever its form."""
        self._knock()
        sent = None if body is None else body.model_dump(mode="json")
        try:
            answer = self._http.request(method, route, json=sent)
        except httpx.TransportError as e:
            raise self._lost(e) from None
        if answer.is_error:
            raise _raised(answer)
        return answer

    def _knock(self) -> None:
        """Raise `Unavailable` unless somebody listens: the system says best why not."""
        folder = self._socket.parent
        try:
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(self._socket))
        except PermissionError:
            raise Unavailable(
                f"the node in {folder} belongs to another user of this machine",
                hint="become that user",
            ) from None
        except OSError:
            raise Unavailable(
                f"the node in {folder} is not running",
                hint=f"start it with: quorate node start --node {folder}",
            ) from None

    def _lost(self, error: httpx.TransportError) -> Unavailable:
        folder = self._socket.parent
        is_slow = isinstance(error, httpx.TimeoutException)
        return Unavailable(
            f"the node in {folder} "
            + ("did not answer in time" if is_slow else "stopped before it had answered"),
            hint=f"see why with: quorate node logs --node {folder}",
        )


def _route(id_: str, action: str = "") -> str:
    """Return the route of a study. An identifier is hexadecimal digits, with dashes or not."""
    plain = id_.replace("-", "").lower()
    if not plain or not set(plain) <= set("0123456789abcdef"):
        raise errors.NotFound(
            "that is not the identifier of a study", hint="see the studies with: quorate study list"
        )
    return f"/studies/{plain}/{action}".rstrip("/")


def _read(text: str, kind: type[T]) -> T:
    try:
        return TypeAdapter(kind).validate_json(text)
    except ValidationError:
        raise Unavailable(
            "the node answered in a way this version does not understand",
            hint="let the command and the node be of one version: restart the node",
        ) from None


def _raised(answer: httpx.Response) -> Error:
    try:
        return _error(ProblemView.model_validate_json(answer.text))
    except ValidationError:
        return Unavailable(
            f"the node answered with status {answer.status_code}",
            hint="see why with: quorate node logs",
        )


def _error(problem: ProblemView) -> Error:
    """Return the exception `problem` was: its class by name, or by exit code if that is new."""
    by_code: dict[int, type[Error]] = {3: Abort, 4: Abort, 5: Refused}
    named = getattr(errors, problem.kind, None)
    kind = by_code.get(problem.exit_code, Error)
    if isinstance(named, type) and issubclass(named, Error):
        kind = named
    error = kind(problem.message, hint=problem.hint)
    error.exit_code = problem.exit_code
    return error
