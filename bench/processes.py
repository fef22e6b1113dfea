"""Members in processes of their own, kept in step over pipes, for what is measured among them."""

import asyncio
import logging
import multiprocessing
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.transport.dial import Seat

T = TypeVar("T")
Pipe = Connection
InStep = Callable[[object], Awaitable[None]]
"""Tells how far a process is, and goes on when all are there."""


@contextmanager
def processes(tasks: Sequence[T], be: Callable[[T, Pipe], None]) -> Generator[list[Pipe]]:
    """Start a process for each task, which is `be`, and yield the pipes to them."""
    context = multiprocessing.get_context("spawn")
    pipes: list[Pipe] = []
    with ExitStack() as stack:
        for task in tasks:
            here, there = context.Pipe()
            process = context.Process(target=be, args=(task, there), daemon=True)
            process.start()
            stack.callback(process.join)
            there.close()
            pipes.append(stack.enter_context(here))
        yield pipes


def all_say(pipes: Sequence[Pipe]) -> list[Any]:
    """Return what every process says, when all have, and let all go on."""
    said = [pipe.recv() for pipe in pipes]
    for pipe in pipes:
        pipe.send(None)
    return said


def in_step_over(pipe: Pipe) -> InStep:
    async def in_step(said: object) -> None:
        pipe.send(said)
        await asyncio.to_thread(pipe.recv)

    return in_step


def be_quiet() -> None:
    """Log warnings only."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def seated(
    names: Sequence[str], ports: Sequence[int]
) -> tuple[tuple[Seat, ...], tuple[bytes, ...]]:
    """Return the seats of members with fresh keys, each at a port of this machine; and the keys."""
    keys = [Ed25519PrivateKey.generate() for _ in names]
    seats = tuple(
        Seat(name, "127.0.0.1", port, key.public_key().public_bytes_raw())
        for name, port, key in zip(names, ports, keys, strict=True)
    )
    return seats, tuple(key.private_bytes_raw() for key in keys)
