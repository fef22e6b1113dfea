"""`quorate demo record`: three of five senior doctors open a sealed record, and nobody alone.

Five real nodes, and stock age where this machine has it: without it, our own
program seals and opens. Only that one person types for all five is unreal.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from quorate.cli import stage
from quorate.cli.options import write_file
from quorate.cli.output import say
from quorate.cli.unlock import lines_of
from quorate.errors import VerificationFailed
from quorate.node.client import Client
from quorate.node.quorum.client import QuorumClient
from quorate.node.quorum.views import KeyView, UnlockView
from quorate.threshold.age.keys import of_record

DOCTORS = ("amara", "boris", "chen", "dalia", "emil")
WORDS = "only for this demo: nobody would choose it"
RECORD = "patient-4711"
TEXT = "Patient 4711: allergic to penicillin; takes warfarin.\n"


def record(
    keep: stage.Keep = None,
) -> None:
    """Let three of five senior doctors open a record that none of them can open alone."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        stage.step("five senior doctors, each with a node of her or his own")
        stage.members(folder, "seniors", DOCTORS)
        with stage.running(folder, DOCTORS, "node unlock --node NAME") as clients:
            seniors = {name: QuorumClient(client) for name, client in clients.items()}
            for client in seniors.values():
                client.unlock(WORDS)
            key = _key(seniors)
            write_file(folder / "record.txt", TEXT)
            programs = _programs(folder)
            _seal(folder, key, programs)
            _open(folder, seniors, key, programs)
            _told(clients)
    say("", f"done in {time.monotonic() - began:.1f} s; the five nodes are stopped")


def _key(seniors: dict[str, QuorumClient]) -> KeyView:
    """Have the five make a key together."""
    stage.step("they make a key that nobody ever has: any three of them open, two do not")
    stage.typed('key create records --purpose unlock --threshold "3 of 5" --node amara')
    seniors["amara"].propose_key("records", DOCTORS, "3 of 5", "records of the clinic", "unlock")
    for name in DOCTORS[1:]:
        stage.typed(f"key approve records --node {name}")
        seniors[name].answer_key("records", "approve", "agreed")
    for client in seniors.values():
        stage.wait(partial(_is_ready, client))
    return seniors["amara"].key("records")


def _programs(folder: Path) -> dict[str, str]:
    """Return an environment in which age finds our plugin, or nothing if there is no age."""
    if shutil.which("age") is None:
        say("SKIPPED: there is no age on this machine; quorate seals and opens", style="red")
        return {}
    plugin = folder / "age-plugin-quorate"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m quorate.cli.age_plugin "$@"\n')
    plugin.chmod(0o700)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


def _seal(folder: Path, key: KeyView, programs: dict[str, str]) -> None:
    """Seal the record to the key, with stock age if there is one."""
    stage.step("a record is sealed to the key: that takes no node, no leave, and stock age")
    if not programs:
        arguments = ("seal", "record.txt", "--to", key.recipient, "--record", RECORD)
        _run(folder, (sys.executable, "-m", "quorate.cli.main", *arguments), programs)
        return
    recipient = of_record(key.recipient, RECORD)
    stage.typed(f"key recipient records --record {RECORD} --node amara")
    say(f"  {recipient[:40]}...")
    say(f"$ age -r {recipient[:20]}... -o record.txt.age record.txt", style="cyan")
    _run(folder, ("age", "-r", recipient, "-o", "record.txt.age", "record.txt"), programs)


def _open(
    folder: Path, seniors: dict[str, QuorumClient], key: KeyView, programs: dict[str, str]
) -> None:
    """Have a doctor open the record, while two others say yes."""
    stage.step("at night amara needs it; she gives a reason, and waits")
    reason = "unconscious in the emergency room, before surgery"
    if programs:
        write_file(folder / "identity.txt", seniors["amara"].key(key.name).identity + "\n")
        stage.typed("key identity records --node amara > identity.txt", "no secret: whom to ask")
        command: tuple[str, ...] = ("age", "-d", "-i", "identity.txt", "-o", "opened.txt")
        command = (*command, "record.txt.age")
        say(f"$ QUORATE_REASON='{reason}' {' '.join(command)}", style="cyan")
    else:
        ours = ("unlock", "record.txt.age", "--reason", reason, "--out", "opened.txt")
        command = (sys.executable, "-m", "quorate.cli.main", *ours, "--node", "amara")
        stage.typed(" ".join(ours))
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(_run, folder, command, programs | {"QUORATE_REASON": reason})
        _approved(seniors, folder, opening.done)
        opening.result()
    if (folder / "opened.txt").read_text(encoding="utf-8") != TEXT:
        raise VerificationFailed("what was opened is not what was sealed")
    say(f"  {TEXT.strip()}", "  3 of 5 opened it, for amara's eyes only")


def _approved(
    seniors: dict[str, QuorumClient], folder: Path, has_ended: Callable[[], bool]
) -> None:
    """Let two doctors approve; look between them that two are not enough."""
    stage.wait(lambda: bool(seniors["boris"].unlocks()) or has_ended())
    (request,) = seniors["boris"].unlocks()
    stage.step("boris is shown this, and approves")
    say(*(f"  {line}" for line in lines_of(request)))
    _approve(seniors, request, "boris", "I am on call, and saw the patient")
    if has_ended() or (folder / "opened.txt").exists():
        raise VerificationFailed("two of five opened the record")
    say("  2 of 3 approved: nothing is open")
    stage.step("dalia approves too: that makes three")
    _approve(seniors, request, "dalia", "agreed by telephone")


def _approve(seniors: dict[str, QuorumClient], request: UnlockView, name: str, reason: str) -> None:
    stage.typed(f"unlock approve {request.id} --reason '{reason}' --node {name}")
    seniors[name].answer_unlock(request.id, "approve", reason)


def _told(clients: dict[str, Client]) -> None:
    """Show that every doctor's log says who opened what, and why."""
    stage.step("every node's audit log says who opened what, who agreed and why")
    for client in clients.values():
        stage.wait(partial(_has_heard, client))
    stage.typed("audit show --node emil")
    for entry in clients["emil"].verify_audit().entries:
        if entry.event.startswith(("unlock", "record")):
            say(f"  {entry.event:<17} {entry.details}")


def _run(folder: Path, command: tuple[str, ...], more: dict[str, str]) -> None:
    """Run a program in the demo's folder. Raises `VerificationFailed` where it fails."""
    done = subprocess.run(  # noqa: S603 - our own words
        command,
        cwd=folder,
        env=os.environ | {"QUORATE_NODE": ""} | more,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise VerificationFailed(f"{command[0]} failed: {done.stderr.strip()[-300:]}")


def _is_ready(client: QuorumClient) -> bool:
    return any(key.state == "ready" for key in client.keys())  # noqa: SIM118 - a route


def _has_heard(client: Client) -> bool:
    return any(entry.event == "record unlocked" for entry in client.audit().entries)
