"""Anonymous reports among five real nodes, typed as people would; and their demo."""

import json
import re
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image

from quorate.cli import stage
from quorate.cli.demo_anonymous import BORING, FIVE
from quorate.errors import Unavailable
from quorate.node import daemon, home
from quorate.node.anonymous.client import ReportClient
from quorate.node.client import Client
from quorate.node.quorum.client import QuorumClient
from tests.e2e.nodes import quorate, start, wait
from tests.node.anonymous import files

WRITER, OTHER = "dan", "ben"
SEALED = "the dose was doubled"


def test_the_demo_shows_the_parts_their_sum_and_five_that_are_alike(short: Path) -> None:
    said = quorate("demo", "anonymous", "--keep", "kept", cwd=short)
    assert said.returncode == 0, said.stderr
    row = r"47564 +47564 +report run: of 5 members, 1 texts +This course is boring"
    for shown in (
        *(rf"M{number}   [0-9a-f]{{42}}\n" for number in range(1, 6)),
        r"sum  5468697320636f7572736520697320626f72696e67 = 'This course is boring'",
        *(rf"  {name} +[0-9a-f]{{16}}\n" for name in FIVE),
        *(rf"  {name} +{row}\n" for name in FIVE),
        r"signed by all of ada, ben, cleo, dan, eve: one of them wrote it",
        r"the five nodes are stopped",
    ):
        assert re.search(shown, said.stdout), shown
    kept = short / "kept"
    filing = kept / "filing.json"
    verify = partial(quorate, "report", "verify", "filing.json", "--group", "course.json", cwd=kept)
    assert BORING in verify().stdout
    filing.write_text(filing.read_text().replace('"joint_secret": "', '"joint_secret": "0', 1))
    assert verify().returncode != 0
    assert len({log_of(kept / name) for name in FIVE}) == 1


def log_of(folder: Path) -> tuple[str, ...]:
    """Return what a node printed, but for times, and links, which come and go as they like."""
    lines = map(json.loads, (folder / "node.log").read_text().splitlines())
    own = [line for line in lines if not line["event"].startswith("link")]
    for line in own:
        for key in ("timestamp", "listen"):
            line.pop(key, None)
    return tuple(json.dumps(line).replace(f'"{folder.name}"', '"NAME"') for line in own)


Typed = Callable[..., str]


@contextmanager
def five_nodes(folder: Path) -> Generator[tuple[Typed, dict[str, Client]]]:
    """Have five nodes with open vaults; yield what types a command on one, and their clients."""

    def typed(name: str, *words: str) -> str:
        said = quorate("report", *words, node=folder / name)
        assert said.returncode == 0, said.stderr
        return said.stdout

    with redirect_stdout(StringIO()):
        stage.members(folder, "course", FIVE)
    homes = {name: home.open_home(folder / name) for name in FIVE}
    try:
        with ThreadPoolExecutor() as pool, ExitStack() as stack:
            list(pool.map(start, homes.values()))
            clients = {n: stack.enter_context(Client(one.socket)) for n, one in homes.items()}
            for client in clients.values():
                QuorumClient(client).unlock("correct horse battery")
                wait(partial(stage.is_connected, client))
            yield typed, clients
    finally:
        for one in homes.values():
            with suppress(Unavailable):
                daemon.stop(one)


def _has(client: Client, threads: int) -> bool:
    return len(ReportClient(client).inbox()) == threads


def hold(clients: dict[str, Client], runs: int) -> None:
    """Have runs held, and wait until all nodes are through with the last."""
    for _ in range(runs):
        held = ReportClient(clients["ada"]).hold()
        assert held.failure == ""
    for client in clients.values():
        wait(partial(_has_held, client, held.id))


def _has_held(client: Client, id_: str) -> bool:
    last = ReportClient(client).runs()[0]
    return last.id == id_ and last.bytes_sent > 0


@pytest.mark.slow
def test_a_report_is_written_read_answered_and_claimed(short: Path) -> None:
    with five_nodes(short) as (typed, clients):
        _story(short, typed, clients)


def _story(folder: Path, typed: Typed, clients: dict[str, Client]) -> None:
    def run(threads: int) -> None:
        assert "went well" in typed("ada", "run")
        for client in clients.values():
            wait(partial(_has, client, threads))

    text = folder / "boring.txt"
    text.write_text(BORING)
    said = typed(WRITER, "write", str(text), "--yes", "--fear", "eve")
    assert "too few (4 members, and 5 are the least)" in said
    assert "one of 5 members" in typed(WRITER, "write", str(text), "--yes")
    assert typed(WRITER, "queue").count("queued: post 0") == 2
    assert typed(OTHER, "queue") == "nothing waits\n"
    run(1)
    assert BORING in typed(OTHER, "inbox")
    id_ = typed(OTHER, "inbox").split()[0]
    text.write_text("which part?")
    typed(OTHER, "reply", id_, str(text), "--yes")
    run(2)
    assert re.search(r"answer, of thread .*\n  which part\?", typed("eve", "show", id_))
    assert WRITER not in typed("eve", "show", id_)
    refused = quorate("report", "claim", id_, "--yes", node=folder / OTHER)
    assert "did not write that thread" in refused.stderr
    assert f"claimed by {WRITER}, proven by both keys" in typed(WRITER, "claim", id_, "--yes")
    assert f"claimed by {WRITER}, proven by both keys" in typed("eve", "show", id_)
    fresh = quorate("report", "reseal", node=folder / WRITER)
    assert "nothing waits for a key that is gone" in fresh.stderr
    unasked = quorate("report", "write", str(text), node=folder / WRITER)
    assert unasked.returncode != 0
    assert "one of 5 members" in unasked.stdout


@pytest.mark.slow
def test_a_report_is_sealed_to_two_who_open_it_together(short: Path) -> None:
    with five_nodes(short) as (typed, clients):
        hold(clients, 1)  # in which all know all keys
        _some_only(short / "dose.txt", typed, clients)


def _some_only(text: Path, typed: Typed, clients: dict[str, Client]) -> None:
    text.write_text(SEALED)
    said = typed("cleo", "write", str(text), "--yes", "--to", "ben,eve", "--open-by", "2")
    hold(clients, int(re.findall(r"to leave in (\d+) runs", said)[0]))
    id_ = next(line.split()[0] for line in typed("ada", "inbox").splitlines() if "sealed" in line)
    assert "sealed to some recipients" in typed("dan", "show", id_)
    assert "approved by ben" in typed("ben", "open", id_)
    assert SEALED not in typed("ben", "show", id_)
    assert SEALED in typed("eve", "open", id_)
    assert SEALED in typed("ben", "show", id_)
    assert SEALED not in typed("dan", "show", id_)


@pytest.mark.slow
def test_a_picture_comes_with_a_report_into_a_folder(short: Path) -> None:
    with five_nodes(short) as (typed, clients):
        _with_a_picture(short / "ward.txt", typed, clients)


def _with_a_picture(text: Path, typed: Typed, clients: dict[str, Client]) -> None:
    """Have a report bring a picture, which tells nothing of who took it."""
    text.write_text("look")
    photo, kept = text.with_name("photo of ward 3.jpg"), text.with_name("in")
    photo.write_bytes(files.jpeg())
    said = typed("eve", "write", str(text), "--attach", str(photo), "--yes")
    assert "no name; in it stays what it shows" in said
    hold(clients, said.count("queued: post"))
    id_ = re.findall(r"of thread (\w+)", said)[0]
    assert "saved" in typed("ben", "show", id_, "--save", str(kept))
    (saved,) = kept.iterdir()
    assert saved.name == f"{id_}-1.jpg"
    assert files.AUTHOR.encode() not in saved.read_bytes()
    assert b"Exif" not in saved.read_bytes()
    assert files.is_shown(Image.open(saved))
    again = quorate("report", "show", id_, "--save", str(kept), node=text.parent / "ben")
    assert "is there already" in again.stderr
    table = text.with_name("patients.csv")
    table.write_text("name\nAnn\n")
    refused = quorate(
        "report", "write", str(text), "--attach", str(table), "--yes", node=text.parent / "eve"
    )
    assert "--as-is" in refused.stderr
    said = typed("eve", "write", str(text), "--attach", str(table), "--as-is", "--yes")
    assert "nothing was removed" in said
