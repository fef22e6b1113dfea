"""What demos share: nodes of several members on this machine, and how they are told of."""

import signal
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import quorate
from quorate.cli import consoles, group, init, study
from quorate.cli.output import aligned, grouped, say
from quorate.cli.ports import free_ports
from quorate.errors import Error, Refused, Unavailable, VerificationFailed
from quorate.node.client import Client
from quorate.node.home import Home, open_home
from quorate.node.views import StudyView
from quorate.studies.group import Group

Keep = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Keep the nodes' folders here; else they are removed."),
]

WAIT_S, LOOK_AGAIN_S = 20.0, 0.02


def examples() -> Path:
    """Return the folder of examples: inside an installed package, beside it in a checkout."""
    package = Path(quorate.__file__).parent
    for folder in (package / "examples", package.parent.parent / "examples"):
        if (folder / "average-age.toml").is_file():
            return folder
    raise Unavailable("the examples are not installed", hint="install the package anew")


@contextmanager
def workplace(keep: Path | None) -> Generator[Path]:
    """Yield the folder of a demo: `keep`, or one that is gone at the end.

    A demo that is told to end is interrupted, so that its nodes are stopped first.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="quorate-") as folder:
            yield Path(folder)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise Refused(f"{keep} is not an empty folder", hint="name a new one")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.absolute()


def members(folder: Path, name: str, names: Sequence[str]) -> Group:
    """Make the members' folders and their group `name`."""
    cards: list[Path] = []
    for member, port in zip(names, free_ports(len(names)), strict=True):
        typed(f"init {member} --name {member} --listen 127.0.0.1:{port}")
        cards.append(init.create(folder / member, member, f"127.0.0.1:{port}")[0])
    shown = " ".join(str(card.relative_to(folder)) for card in cards)
    typed(f"group create {name} {shown} --out {name}.json")
    roster = group.create(name, cards, folder / f"{name}.json")
    for member in names:
        typed(f"group join {name}.json --node {member}")
        open_home(folder / member).join(roster)
    say(*aligned([(m.name, m.address, grouped(m.public_key)) for m in roster.members], indent="  "))
    say(f"  roster {grouped(roster.digest())}")
    return roster


@contextmanager
def running(
    folder: Path, names: Sequence[str], after: str = "", *, is_last: bool = True
) -> Generator[dict[str, Client]]:
    """Start the nodes, connected to one another; stop them whatever happens.

    `after` is a command shown after each start, its name in place of NAME. Where
    consoles are wanted, the last nodes of a story go on until Ctrl-C.
    """
    from quorate.node import daemon

    homes = [open_home(folder / name) for name in names]
    with_consoles = consoles.are_wanted() and is_last
    if with_consoles:
        consoles.set_up(homes, free_ports(len(homes)))
    try:
        with ThreadPoolExecutor() as pool, ExitStack() as stack:
            pids = list(pool.map(daemon.start, homes))
            for home, pid in zip(homes, pids, strict=True):
                typed(f"node start --node {home.name}", f"process {pid}")
                if after:
                    typed(after.replace("NAME", home.name))
            clients = {home.name: stack.enter_context(Client(home.socket)) for home in homes}
            for client in clients.values():
                wait(partial(is_connected, client))
            yield clients
            if with_consoles:
                for home in homes:
                    wait(partial(consoles.answers, home))
                consoles.hold_open(homes)
    finally:
        _stop_all(homes, daemon.stop)


def _stop_all(homes: Iterable[Home], stop: Callable[[Home], None]) -> None:
    """Stop every node that runs, even if stopping one of them fails."""
    failed: list[Error] = []
    for home in homes:
        try:
            if home.pid_file.exists():
                stop(home)
        except Error as e:
            failed.append(e)
    if failed:
        raise failed[0]


def approved(clients: Mapping[str, Client], shown: str, text: str) -> StudyView:
    """Let the first node propose a study and the others approve it; return it as proposed.

    `shown` is what a person would type after `study propose`.
    """
    proposer, *others = clients
    typed(f"study propose {shown} --node {proposer}")
    found = clients[proposer].propose(text)
    say(*(f"  {line}" for line in found.disclosure), f"  digest   {grouped(found.digest)}")
    for name in others:
        typed(f"study approve {found.id} --node {name}")
        clients[name].approve(found.id)
    return found


def released(clients: Mapping[str, Client], id_: str) -> StudyView:
    """Let the first node run a study that all approved; return it released, and say its cost."""
    proposer = next(iter(clients))
    typed(f"study run {id_} --node {proposer}")
    found = study.run_to_end(clients[proposer], id_)
    if found.cost is None:
        raise VerificationFailed("the run says nothing of its cost")
    cost = found.cost
    say(
        f"  {cost.rounds} rounds, {cost.bytes_sent} bytes sent and {cost.bytes_received} received "
        f"by {proposer}, {cost.seconds:.3f} s"
    )
    return found


def is_connected(client: Client) -> bool:
    """Return whether a node is connected to all others."""
    return all(peer.connected for peer in client.status().peers)


def step(title: str) -> None:
    """Say what comes next."""
    say("", title, style="bold")


def typed(command: str, answer: str = "") -> None:
    """Show a command as a person would type it."""
    say(f"$ quorate {command}" + (f"   # {answer}" if answer else ""), style="cyan")


def wait(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds. Raises `Unavailable` if that takes too long."""
    until = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > until:
            raise Unavailable(f"the nodes were not ready within {WAIT_S:.0f} s")
        time.sleep(LOOK_AGAIN_S)
