"""`quorate demo medication`: two of three roles sign an order, and one that cheats is named.

Five real nodes. Three hold a share of a key that nobody ever had; the others
know of every order. The nurse's node is made to cheat, as its operator could:
another number is put in the place of its share.
"""

import asyncio
import os
import shutil
import subprocess
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from quorate.algebra import edwards25519 as ed
from quorate.cli import order as orders
from quorate.cli import stage, verify_order
from quorate.cli.options import read_file
from quorate.cli.output import grouped, say
from quorate.errors import VerificationFailed
from quorate.node.home import Home, open_home
from quorate.node.quorum.client import QuorumClient
from quorate.node.quorum.custody import Custody, share_name
from quorate.node.quorum.records import Records
from quorate.node.quorum.views import KeyView
from quorate.node.store import Store
from quorate.studies.group import Group

ROLES = ("doctor", "pharmacist", "nurse")
WARD = (*ROLES, "laboratory", "reception")
WORDS = "only for this demo: nobody would choose it"


def medication(
    keep: stage.Keep = None,
) -> None:
    """Let two of doctor, pharmacist and nurse sign an order that none of them can sign alone."""
    began = time.monotonic()
    with stage.workplace(keep) as folder:
        stage.step("a ward: five members, each with its own node")
        roster = stage.members(folder, "ward", WARD)
        with stage.running(folder, WARD, "node unlock --node NAME", is_last=False) as clients:
            ward = {name: QuorumClient(client) for name, client in clients.items()}
            for client in ward.values():
                client.unlock(WORDS)
            key = _key(ward)
        _make_cheat(open_home(folder / "nurse"), key)
        with stage.running(folder, WARD, "node unlock --node NAME") as clients:
            ward = {name: QuorumClient(client) for name, client in clients.items()}
            for client in ward.values():
                client.unlock(WORDS)
            text = _signed(ward)
        _check(text, roster, folder)
    say("", f"done in {time.monotonic() - began:.1f} s; the five nodes are stopped")


def _key(ward: dict[str, QuorumClient]) -> KeyView:
    """Have three roles make a key together."""
    stage.step("doctor, pharmacist and nurse make a key that none of them ever has: 2 of 3 sign")
    stage.typed(f'key create medication --members {",".join(ROLES)} --threshold "2 of 3"')
    ward["doctor"].propose_key("medication", ROLES, "2 of 3", "orders of the ward")
    for name in ROLES[1:]:
        stage.typed(f"key approve medication --node {name}")
        ward[name].answer_key("medication", "approve", "agreed")
    for client in ward.values():
        stage.wait(partial(_is_ready, client))
    key = ward["doctor"].key("medication")
    say(f"  public key {grouped(key.public_key)}")
    stage.typed("key check medication")
    say(
        *(f"  {one.member}: {one.trouble or 'alive'}" for one in ward["doctor"].check_key(key.name))
    )
    return key


def _make_cheat(home: Home, key: KeyView) -> None:
    """Put another number in the place of a share, as the operator of a stopped node can."""
    stage.step(f"the operator of {home.name} makes its node cheat: another number for its share")
    store = Store(home.database)
    try:
        custody = Custody(Records(store), os.urandom)
        asyncio.run(custody.unlock(WORDS))
        share = custody.share(bytes.fromhex(key.key_id))
        wrong = replace(share, secret=ed.scalar_add(share.secret, ed.ONE))
        custody.keep(share_name(share.public.key_id()), wrong)
    finally:
        store.close()


def _signed(ward: dict[str, QuorumClient]) -> str:
    """Have an order proposed, approved and signed in spite of the nurse's node; return its file."""
    stage.step("the nurse proposes an order, and approves it; whoever approves it reads this")
    stage.typed("order propose medication-order.json --key medication --reason ... --node nurse")
    document = read_file(stage.examples() / "medication-order.json")
    order = ward["nurse"].propose_order(document, "medication", "pain after surgery")
    say(*(f"  {line}" for line in orders.lines_of(order)))
    stage.step("the doctor approves; the nurse's node sends a wrong share of the signature")
    stage.typed(f"order approve {order.id} --reason 'dose checked' --node doctor")
    order = ward["doctor"].answer_order(order.id, "approve", "dose checked")
    say(f"  {order.state}: {order.note}")
    if order.state != "approved" or "nurse cheated" not in order.note:
        raise VerificationFailed("the wrong share was not noticed")
    stage.step("the pharmacist approves, and the doctor's and the pharmacist's nodes sign")
    stage.typed(f"order approve {order.id} --reason 'no interaction' --node pharmacist")
    order = ward["pharmacist"].answer_order(order.id, "approve", "no interaction")
    if order.state != "signed":
        raise VerificationFailed(f"the order is not signed: {order.note}")
    for client in ward.values():
        stage.wait(partial(_is_signed, client, order.id))
    say(f"  signed on every node: {grouped(order.signature[:32])} ...")
    return ward["reception"].order_file(order.id)


def _check(text: str, roster: Group, folder: Path) -> None:
    """Verify the order, by our own program and by stock openssl."""
    stage.step("anyone verifies it, offline: by quorate, or by stock openssl")
    file, *_ = orders.write_order(text, folder / "order")
    stage.typed(f"verify order/{file.name} --group ward.json")
    say(*(f"  {line}" for line in verify_order.lines_of(verify_order.report_on(text, roster))))
    command = orders.openssl_command(folder / "order")
    say(f"$ {' '.join(orders.openssl_command(Path('order')))}", style="cyan")
    if shutil.which("openssl") is None:
        say("  SKIPPED: there is no openssl on this machine", style="red")
        return
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    say(f"  {done.stdout.strip()}")
    if done.returncode != 0:
        raise VerificationFailed("openssl does not accept the signature")


def _is_ready(client: QuorumClient) -> bool:
    return any(key.state == "ready" for key in client.keys())  # noqa: SIM118 - a route


def _is_signed(client: QuorumClient, id_: str) -> bool:
    return any(order.id == id_ and order.state == "signed" for order in client.orders())
