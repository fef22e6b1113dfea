"""Every route of a node's API, asked what its OpenAPI document allows: none of it breaks a node."""

import socket
import socketserver
import threading
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.schemas import APIOperation

from quorate.node.views import ProblemView
from tests.console.place import Place, lonely

pytestmark = pytest.mark.slow

INTERNAL = 500
AWAY = {"Abort", "Silence", "Unavailable"}
"""Errors of others, or of what is not there; here the other member is. Never the node's own."""

SLOW = list(HealthCheck)


class Forwarding(socketserver.BaseRequestHandler):
    """Passes what reaches a port on to a node's socket: the tool knows no other kind of address."""

    path: str

    def handle(self) -> None:
        with socket.socket(socket.AF_UNIX) as node:
            node.connect(self.path)
            back = threading.Thread(target=_pass, args=(node, self.request))
            back.start()
            _pass(self.request, node)
            back.join()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):  # either may hang up
        while piece := one.recv(1 << 16):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def place() -> Generator[Place]:
    with lonely() as place:
        yield place


@pytest.fixture(scope="module")
def address(place: Place) -> Generator[str]:
    of_node = type("OfNode", (Forwarding,), {"path": str(place.home.socket)})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), of_node) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_no_request_that_the_document_allows_breaks_the_node(place: Place, address: str) -> None:
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    found = [one.ok() for one in schema.exclude(path="/stop").get_all_operations()]
    assert len(found) > 60
    for operation in found:
        _ask(operation, address)
    assert place.node.audit().entries  # its chain is whole


def _ask(operation: APIOperation[Any, Any, Any, Any], address: str) -> None:
    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=SLOW)
    @given(case=operation.as_strategy())
    def asked(case: Case) -> None:
        answer = case.call(base_url=address, headers={"connection": "close"}, timeout=60)
        if answer.status_code >= INTERNAL:
            told = ProblemView.model_validate_json(answer.content)
            assert told.kind in AWAY, f"{operation.label}: {answer.status_code}, {told}"

    asked()
