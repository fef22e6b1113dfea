"""Ports of this machine for nodes that are stopped and started again: demos and tests."""

import secrets
import socket
from contextlib import ExitStack, suppress

from quorate.errors import Unavailable

BELOW_OUTGOING = range(20_000, 32_000)
"""Systems give outgoing connections their ports from 32,768 on: a restarted node finds its own."""


def free_ports(count: int) -> list[int]:
    """Return ports nothing listens at now. Raises `Unavailable`."""
    found: list[int] = []
    with ExitStack() as stack:
        for port in secrets.SystemRandom().sample(BELOW_OUTGOING, len(BELOW_OUTGOING)):
            if len(found) == count:
                return found
            one = stack.enter_context(socket.socket())
            with suppress(OSError):  # it is taken
                one.bind(("127.0.0.1", port))
                found.append(port)
    raise Unavailable(f"this machine has no {count} free ports", hint="end what listens at them")
