"""One question to the node of this machine: HTTP over its Unix socket, and what it raised there.

Nothing here knows a route. It is made of the standard library and of what
decodes records, because a program that asks one thing, as age's plugin does,
would otherwise wait longer for its imports than for the answer.
"""

import http.client
import socket
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import msgspec

from quorate import errors
from quorate.errors import Abort, Error, Refused, Unavailable

T = TypeVar("T")

TIMEOUT_S = 90.0
"""Longer than a node waits for another member, so that the node's own reason arrives first."""

PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Problem:
    """What a node says of an exception it raised."""

    kind: str
    message: str
    hint: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Local:
    """The node whose socket is at `path`. Every method raises what the node raised.

    Or `Unavailable` if it does not answer. Each question is a connection of its own.
    """

    path: Path
    timeout_s: float | None = TIMEOUT_S
    staff: str = ""  # for whom a console asks: the audit log says so

    def ask(self, method: str, route: str, body: object = None) -> str:
        """Return the text a route answers; `body` goes as JSON."""
        with self._answer(method, route, body, self.timeout_s) as answer:
            return answer.read().decode()

    def follow(self, route: str, method: str = "POST") -> Iterator[str]:
        """Yield the lines a route answers, however long that takes."""
        rest = b""
        with self._answer(method, route, None, None) as answer:
            while piece := answer.read1(PIECE):  # iterating would take a cut-off for an end
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line.decode() for line in lines)

    @contextmanager
    def _answer(
        self, method: str, route: str, body: object, timeout_s: float | None
    ) -> Generator[http.client.HTTPResponse]:
        sent = None if body is None else msgspec.json.encode(body)
        headers = {"Connection": "close"}
        if sent is not None:
            headers["Content-Type"] = "application/json"
        if self.staff:
            headers["Quorate-Staff"] = self.staff
        with self._connected(timeout_s) as connection:
            http_ = http.client.HTTPConnection("node")
            http_.sock = connection
            try:
                http_.request(method, route, sent, headers)
                with http_.getresponse() as answer:
                    if answer.status >= http.client.BAD_REQUEST:
                        raise _raised(answer)
                    yield answer
            except (OSError, http.client.HTTPException) as e:
                raise self._lost(e) from None

    def _connected(self, timeout_s: float | None) -> socket.socket:
        """Return a connection. Raises `Unavailable` unless somebody listens."""
        folder = self.path.parent
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout_s)
        try:
            connection.connect(str(self.path))
        except OSError as e:
            connection.close()
            if isinstance(e, PermissionError):
                raise Unavailable(
                    f"the node in {folder} belongs to another user of this machine",
                    hint="become that user",
                ) from None
            raise Unavailable(
                f"the node in {folder} is not running",
                hint=f"start it with: quorate node start --node {folder}",
            ) from None
        return connection

    def _lost(self, error: Exception) -> Unavailable:
        folder = self.path.parent
        is_slow = isinstance(error, TimeoutError)
        return Unavailable(
            f"the node in {folder} "
            + ("did not answer in time" if is_slow else "stopped before it had answered"),
            hint=f"see why with: quorate node logs --node {folder}",
        )


def route(noun: str, name: str, action: str = "") -> str:
    """Return the route of one thing; its name cannot leave its place in it."""
    return f"/{noun}/{quote(name, safe='') or '-'}/{action}".rstrip("/")


def read(text: str, kind: type[T]) -> T:
    """Return the `kind` of record that a node answered; of a newer node's, what is known here."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:
        raise not_understood() from None


def not_understood() -> Unavailable:
    return Unavailable(
        "the node answered in a way this version does not understand",
        hint="let the command and the node be of one version: restart the node",
    )


def error_of(problem: Problem) -> Error:
    """Return the exception `problem` was: its class by name, or by exit code if that is new."""
    by_code: dict[int, type[Error]] = {3: Abort, 4: Abort, 5: Refused}
    named = getattr(errors, problem.kind, None)
    kind = by_code.get(problem.exit_code, Error)
    if isinstance(named, type) and issubclass(named, Error):
        kind = named
    error = kind(problem.message, hint=problem.hint)
    error.exit_code = problem.exit_code
    return error


def _raised(answer: http.client.HTTPResponse) -> Error:
    try:
        return error_of(msgspec.json.decode(answer.read(), type=Problem))
    except msgspec.DecodeError:
        return Unavailable(
            f"the node answered with status {answer.status}",
            hint="see why with: quorate node logs",
        )
