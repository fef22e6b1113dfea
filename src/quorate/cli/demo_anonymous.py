"""`quorate demo anonymous`: five people, and one says what all think.

Five real nodes. One of them has something to say; nobody, and no node, learns
which. That this demo knows is the only thing unreal about it.
"""

import secrets
import time
from functools import partial

from quorate.anonymous import combine, split
from quorate.cli import report_lines, stage
from quorate.cli.options import write_file
from quorate.cli.output import aligned, say
from quorate.errors import VerificationFailed
from quorate.node.anonymous.certificates import verify_filing
from quorate.node.anonymous.client import ReportClient
from quorate.node.anonymous.views import MeterBody, RunView, WriteBody
from quorate.node.quorum.client import QuorumClient
from quorate.studies.group import Group

FIVE = ("ada", "ben", "cleo", "dan", "eve")
BORING = "This course is boring"
WORDS = "only for this demo: nobody would choose it"


def anonymous(
    keep: stage.Keep = None,
) -> None:
    """Let one of five say that the course is boring, and nobody know who."""
    began = time.monotonic()
    _textbook()
    with stage.workplace(keep) as folder:
        stage.step("five people, each with a node of its own, since who hands out parts is seen")
        roster = stage.members(folder, "course", FIVE)
        with stage.running(folder, FIVE, "node unlock --node NAME") as clients:
            nodes = {name: ReportClient(client) for name, client in clients.items()}
            for client in clients.values():
                QuorumClient(client).unlock(WORDS)
            author = secrets.choice(FIVE)
            _write(nodes[author])
            runs = _run(nodes)
            _parts(runs["ada"])
            _alike(nodes, runs)
            text = _certificate(nodes, roster)
        write_file(folder / "filing.json", text)
    say("", f"done in {time.monotonic() - began:.1f} s; the five nodes are stopped")


def _textbook() -> None:
    stage.step("the idea: a message in five parts, of which any four are noise")
    parts = split(BORING.encode(), 5)
    say(*(f"  M{number}   {part.hex()}" for number, part in enumerate(parts, 1)))
    together = combine(parts)
    say(f"  sum  {together.hex()} = {together.decode()!r}")
    if together.decode() != BORING:
        raise VerificationFailed("the parts do not add up to the message")


def _write(node: ReportClient) -> None:
    """Have one of them queue its report, after a look at the meter."""
    stage.step("one of them writes, on its own node, after reading behind whom it stands")
    stage.typed("report write boring.txt")
    say(*(f"  {line}" for line in report_lines.meter_lines(node.meter(MeterBody()))))
    node.write(WriteBody(text=BORING))


def _run(nodes: dict[str, ReportClient]) -> dict[str, RunView]:
    """Hold a run, and return it as each node saw it."""
    stage.step("a run: nodes hold one every hour; the demo does not wait for it")
    stage.typed("report run --node ada")
    held = nodes["ada"].hold()
    if held.failure:
        raise VerificationFailed(f"the run failed: {held.failure}")
    for node in nodes.values():
        stage.wait(partial(_has_text, node, held.id))
    return {name: node.runs()[0] for name, node in nodes.items()}


def _parts(run: RunView) -> None:
    """Show what each published where the text came out, and add it up."""
    stage.step("what each of them published in one slot: parts that are noise, and their sum")
    rows = list(zip(run.members, run.parts, strict=True))
    total = ("sum", f"{run.cell}: sealed to all five, opened by all five")
    say(*aligned([*rows, total], indent="  "))
    parts = {bytes.fromhex(part) for part in run.parts}
    if combine(tuple(parts)) != bytes.fromhex(run.cell) or len(parts) < len(FIVE):
        raise VerificationFailed("the parts do not add up to what came out")


def _alike(nodes: dict[str, ReportClient], runs: dict[str, RunView]) -> None:
    """Set side by side what can be told of the five: nothing, or it is an error."""
    stage.step("all have it, and the five cannot be told apart")
    rows = [("", "sent", "received", "the audit log's last line", "inbox")]
    for name, node in nodes.items():
        (thread,) = node.inbox()
        last = [e for e in node.client.audit().entries if e.event == "report run"][-1]
        run, text = runs[name], thread.posts[0].text
        line = f"{last.event}: {last.details}"
        rows.append((name, str(run.bytes_sent), str(run.bytes_received), line, text))
    say(*aligned(rows, indent="  "))
    if len({row[1:] for row in rows[1:]}) > 1 or rows[1][-1] != BORING:
        raise VerificationFailed("one of the five differs from the others")


def _certificate(nodes: dict[str, ReportClient], roster: Group) -> str:
    stage.step("the filing certificate, which anyone checks offline: one of five, and no name")
    id_ = nodes["eve"].inbox()[0].id
    stage.typed(f"report show {id_} --certificate filing.json --node eve")
    stage.typed("report verify filing.json --group course.json")
    text = nodes["eve"].certificates(id_)
    say(*(f"  {line}" for line in report_lines.filed_lines(verify_filing(text, roster))))
    return text


def _has_text(node: ReportClient, id_: str) -> bool:
    return any(run.id == id_ and run.texts == 1 for run in node.runs())
