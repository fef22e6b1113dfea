"""The node's process: one event loop for the links, the runs and the staff's API.

python -m quorate.node FOLDER     runs it in the foreground
start, stop                       run it detached, and end it
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog
import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from quorate.errors import Refused, Unavailable
from quorate.node import CONSOLE
from quorate.node.api import make_app
from quorate.node.client import Client
from quorate.node.home import Home
from quorate.node.malloc import keep_freed_memory
from quorate.node.node import SOFTWARE, running
from quorate.node.store import Store
from quorate.transport.session import first_failure

POLL_S = 0.05
PASSPHRASE = "QUORATE_PASSPHRASE"  # noqa: S105 - a name
"""The variable that opens the vault of a node in the foreground."""

log = structlog.get_logger()


def serve(home: Home) -> None:
    """Run the node until SIGTERM, SIGINT or POST /stop. Raises `Refused`, `Unavailable`."""
    keep_freed_memory()
    with _only_process(home), _open_store(home) as store:
        try:
            asyncio.run(_serve(home, store))
        except BaseExceptionGroup as group:
            raise first_failure(group) from group


def start(home: Home, *, timeout_s: float = 20.0) -> int:
    """Start the node as a process of its own; return its pid once it answers."""
    with Client(home.socket) as client:
        if client.is_healthy():
            raise Refused(f"the node {home.name} is running already")
        home.log.touch(mode=0o600)
        with home.log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "quorate.node", str(home.folder)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={k: v for k, v in os.environ.items() if k != PASSPHRASE},
            )
        deadline = time.monotonic() + timeout_s
        while not client.is_healthy():
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise _did_not_start(home)
            time.sleep(POLL_S)
    return process.pid


def stop(home: Home, *, timeout_s: float = 20.0) -> None:
    """Stop the node and wait until it is gone. Raises `Unavailable`."""
    with Client(home.socket) as client:
        client.stop()
    deadline = time.monotonic() + timeout_s
    while home.pid_file.exists():
        if time.monotonic() > deadline:
            raise Unavailable(f"the node {home.name} does not stop", hint=f"see {home.log}")
        time.sleep(POLL_S)


def _did_not_start(home: Home) -> Unavailable:
    """Return the error with which the node's own process ended, as its log has it."""
    lines = home.log.read_text(errors="replace").splitlines()
    said = {"error": "", "hint": f"see {home.log}"}
    for line in lines:
        for word in said:
            if line.startswith(f"quorate: {word}: "):
                said[word] = line.removeprefix(f"quorate: {word}: ")
    message = f"the node {home.name} did not start"
    return Unavailable(
        f"{message}: {said['error']}" if said["error"] else message, hint=said["hint"]
    )


@contextlib.contextmanager
def _only_process(home: Home) -> Generator[None]:
    """Hold the node's lock: two processes over one folder would use masks twice."""
    descriptor = os.open(home.pid_file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Refused(f"the node {home.name} is running already") from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"{os.getpid()}\n".encode())
    try:
        yield
    finally:
        home.pid_file.unlink(missing_ok=True)
        os.close(descriptor)


@contextlib.contextmanager
def _open_store(home: Home) -> Generator[Store]:
    home.database.touch(mode=0o600)  # and so are the files SQLite puts beside it
    store = Store(home.database)
    try:
        yield store
    finally:
        store.close()


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the edge: everything below takes `now`


async def _serve(home: Home, store: Store) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    front = Front()
    async with _api(home, front), _console(home):
        words, vault = os.environ.pop(PASSPHRASE, ""), None
        while not stopping.is_set():
            epoch_over = asyncio.Event()
            async with running(home, store, _now, epoch_over.set, vault) as node:
                front.open(make_app(node, stopping.set))
                node.desk.audit.append("node started", SOFTWARE)
                if words and vault is None:
                    await node.quorum.unlock(words)
                elif node.quorum.custody.state == "locked":
                    log.warning("the shares are locked", hint="quorate node unlock")
                log.info("started", member=home.name, listen=home.listen)
                await _either(stopping, epoch_over)
                vault = node.quorum.custody.opened
                front.close()
                node.desk.audit.append("node stopped")
    log.info("stopped", member=home.name)


async def _either(one: asyncio.Event, other: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as tasks:
        waiting = [tasks.create_task(event.wait()) for event in (one, other)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()


@dataclass(slots=True)
class Front:
    """The API of the node as it is now; who asks while it begins anew is kept waiting."""

    app: FastAPI | None = None
    there: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self, app: FastAPI) -> None:
        self.app = app
        self.there.set()

    def close(self) -> None:
        self.there.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.there.wait()
        if self.app is not None:
            await self.app(scope, receive, send)


@contextlib.asynccontextmanager
async def _console(home: Home) -> AsyncGenerator[None]:
    """Keep the console's process beside this one, if the node has a console.

    A process of its own: what browsers can reach holds no key, and keeps no run waiting.
    """
    if not (home.folder / CONSOLE).exists():
        yield
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "quorate.console", str(home.folder)), stdin=subprocess.DEVNULL
    )
    async with asyncio.TaskGroup() as tasks:
        watching = tasks.create_task(_watch(process))
        try:
            yield
        finally:
            watching.cancel()
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _watch(process: asyncio.subprocess.Process) -> None:
    """Say so if the console ends before the node does."""
    code = await process.wait()
    log.error("the console has ended", code=code, hint="quorate node stop, then start")


class _Server(uvicorn.Server):
    """Uvicorn that leaves the process's signals alone: the node has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@contextlib.asynccontextmanager
async def _api(home: Home, app: Front) -> AsyncGenerator[None]:
    """Serve the staff's API on the node's Unix socket."""
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=3
    )
    server = _Server(config)
    with _unix_socket(home) as listener:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            try:
                yield
            finally:
                server.should_exit = True


@contextlib.contextmanager
def _unix_socket(home: Home) -> Generator[socket.socket]:
    """Bind the socket so that no moment exists in which others could open it."""
    home.socket.unlink(missing_ok=True)  # the lock says that no process uses it
    before = os.umask(0o177)
    try:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(home.socket))
    finally:
        os.umask(before)
    try:
        yield listener
    finally:
        listener.close()
        home.socket.unlink(missing_ok=True)
