"""`quorate demo age`: three hospitals on this machine learn their patients' average age.

Three real nodes, their keys, TLS between them, and the commands a person would
type. Only that one person holds all three hospitals' files is unreal; it is
what lets the demo set the result beside the truth.
"""

import csv
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import quorate
from quorate.cli import group, init, study, study_text, verify
from quorate.cli.options import read_file, write_file
from quorate.cli.output import aligned, grouped, say
from quorate.errors import Error, Refused, Unavailable, VerificationFailed
from quorate.node.client import Client
from quorate.node.home import Home, open_home
from quorate.node.views import StudyView
from quorate.studies.group import Group

app = typer.Typer(help="See it work, on this machine alone.")

HOSPITALS = ("north", "south", "west")
WAIT_S, LOOK_AGAIN_S = 20.0, 0.02


@app.callback()
def demo() -> None:
    """Keep `age` a command of its own: there will be other demos."""


@app.command("age")
def age(
    keep: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep the nodes' folders here; else they are removed."),
    ] = None,
) -> None:
    """Let three hospitals learn their patients' average age, and nothing else."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop the nodes, then end
    with _folder(keep) as folder:
        patients = {name: examples() / "data" / f"{name}.csv" for name in HOSPITALS}
        roster = _members(folder)
        with _running(folder) as clients:
            for name, client in clients.items():
                client.add_table("patients", patients[name])
            released = _study(clients)
            _compare(released, patients)
            _received(clients, released.id)
            text = clients["north"].release(released.id)
        write_file(folder / "release.json", text)
        _certificate(text, roster)
        _what_next(keep)
    say("", f"done in {time.monotonic() - began:.1f} s; the three nodes are stopped")


def examples() -> Path:
    """Return the folder of examples: inside an installed package, beside it in a checkout."""
    package = Path(quorate.__file__).parent
    for folder in (package / "examples", package.parent.parent / "examples"):
        if (folder / "average-age.toml").is_file():
            return folder
    raise Unavailable("the examples are not installed", hint="install the package anew")


@contextmanager
def _folder(keep: Path | None) -> Generator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="quorate-") as folder:
            yield Path(folder)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise Refused(f"{keep} is not an empty folder", hint="name a new one")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.absolute()


def _members(folder: Path) -> Group:
    """Make the three nodes' folders and their group."""
    _step("three hospitals, each with its own node, keys and patients; and their group")
    cards: list[Path] = []
    for name, port in zip(HOSPITALS, _free_ports(len(HOSPITALS)), strict=True):
        _typed(f"init {name} --name {name} --listen 127.0.0.1:{port}")
        cards.append(init.create(folder / name, name, f"127.0.0.1:{port}")[0])
    names = " ".join(str(card.relative_to(folder)) for card in cards)
    _typed(f"group create hospitals {names} --out hospitals.json")
    roster = group.create("hospitals", cards, folder / "hospitals.json")
    for name in HOSPITALS:
        _typed(f"group join hospitals.json --node {name}")
        open_home(folder / name).join(roster)
    say(*aligned([(m.name, m.address, grouped(m.public_key)) for m in roster.members], indent="  "))
    say(f"  roster {grouped(roster.digest())}")
    return roster


@contextmanager
def _running(folder: Path) -> Generator[dict[str, Client]]:
    """Start the three nodes, connected to one another; stop them whatever happens."""
    from quorate.node import daemon

    homes = [open_home(folder / name) for name in HOSPITALS]
    try:
        with ThreadPoolExecutor() as pool, ExitStack() as stack:
            pids = list(pool.map(daemon.start, homes))
            for home, pid in zip(homes, pids, strict=True):
                _typed(f"node start --node {home.name}", f"process {pid}")
                _typed(f"data add patients {home.name}.csv --node {home.name}")
            clients = {home.name: stack.enter_context(Client(home.socket)) for home in homes}
            for client in clients.values():
                _wait(partial(_is_connected, client))
            yield clients
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


def _study(clients: dict[str, Client]) -> StudyView:
    """Propose, approve and run the study; return it released."""
    _step("north proposes a study; every member reads what it reveals, and approves")
    _typed("study propose average-age.toml --node north")
    proposed = clients["north"].propose(read_file(examples() / "average-age.toml"))
    say(*(f"  {line}" for line in proposed.disclosure), f"  digest   {grouped(proposed.digest)}")
    for name in HOSPITALS[1:]:
        _typed(f"study approve {proposed.id} --node {name}")
        clients[name].approve(proposed.id)
    _step("the run: each node computes its part in its own database, then all sum in secret")
    _typed(f"study run {proposed.id} --node north")
    released = study.run_to_end(clients["north"], proposed.id)
    if released.cost is None:
        raise VerificationFailed("the run says nothing of its cost")
    cost = released.cost
    say(
        f"  {cost.rounds} rounds, {cost.bytes_sent} bytes sent and {cost.bytes_received} received "
        f"by each member, {cost.seconds:.3f} s"
    )
    return released


def _compare(released: StudyView, files: dict[str, Path]) -> None:
    """Set the result beside the truth. Raises `VerificationFailed` if they differ."""
    _step("the result, beside the truth, which only this demo can know: it owns all three files")
    ages = {name: [Fraction(row["age"]) for row in _rows(file)] for name, file in files.items()}
    for name, own in ages.items():
        say(f"  {name} has {len(own)} patients, whose ages sum to {sum(own)}: nobody else was told")
    everybody = [age for own in ages.values() for age in own]
    truth = {"patients": Fraction(len(everybody)), "mean_age": sum(everybody) / len(everybody)}
    rows = [("", "secure", "exactly", "truth")]
    for result in released.results:
        found, exact = Fraction(result.exact), truth.get(result.name)
        rows.append((result.name, f"{result.value} {result.unit}", str(found), str(exact)))
        if found != exact:
            raise VerificationFailed(f"{result.name} is {found}, and in truth {exact}")
    if len(released.results) != len(truth):
        raise VerificationFailed("the results are not those of the study")
    say(*aligned(rows, indent="  "))


def _received(clients: dict[str, Client], id_: str) -> None:
    """Show what each node was sent, which is noise, and that all have the same result."""
    _step("what each node received: noise, which only added up over all members is a sum")
    finals: list[StudyView] = []
    for name, client in clients.items():
        _wait(partial(_is_released, client, id_))
        finals.append(client.study(id_))
        say(*(f"  {name} received {study_text.seen(view)}" for view in finals[-1].seen))
    if any(final.results != finals[0].results for final in finals):
        raise VerificationFailed("the members have different results")


def _certificate(text: str, roster: Group) -> None:
    _step("the certificate, signed by every member; anyone verifies it, offline")
    _typed("verify release.json --group hospitals.json")
    say(*(f"  {line}" for line in verify.lines_of(verify.report_on(text, roster))))


def _what_next(keep: Path | None) -> None:
    _step("next")
    if keep is None:
        say("  quorate demo age --keep FOLDER", "  quorate study check examples/average-age.toml")
        return
    say(
        f"  cd {keep}",
        "  quorate verify release.json --group hospitals.json",
        "  quorate node start --node north",
        "  quorate study list --node north",
        "  quorate audit show --node north",
        "  quorate doctor --node north",
        "  quorate node stop --node north",
    )


def _is_connected(client: Client) -> bool:
    return all(peer.connected for peer in client.status().peers)


def _is_released(client: Client, id_: str) -> bool:
    return client.study(id_).state == "released"


def _step(title: str) -> None:
    say("", title, style="bold")


def _typed(command: str, answer: str = "") -> None:
    say(f"$ quorate {command}" + (f"   # {answer}" if answer else ""), style="cyan")


def _rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _free_ports(count: int) -> list[int]:
    """Return ports nothing listens at now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _wait(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds. Raises `Unavailable` if that takes too long."""
    until = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > until:
            raise Unavailable(f"the nodes were not ready within {WAIT_S:.0f} s")
        time.sleep(LOOK_AGAIN_S)
