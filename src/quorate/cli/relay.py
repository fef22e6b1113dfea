"""`quorate relay`: join nodes whose networks let them dial out only."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from quorate.cli.options import read_file
from quorate.cli.output import say
from quorate.errors import Unavailable


def relay(
    group: Annotated[
        list[Path], typer.Option(help="The file of a group whose members it serves; repeatable.")
    ],
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where the relay listens.")
    ] = "0.0.0.0:443",
) -> None:
    """Forward what the members of a group say to one another, and learn only when and how much.

    Give members that cannot be dialled the address relay:HOST:PORT (quorate init --reached-at).
    Ends with Ctrl-C.
    """
    from quorate.node.home import split_address
    from quorate.studies.group import group_from_json

    groups = [group_from_json(read_file(path)) for path in group]
    rosters = tuple(frozenset(member.public_key for member in one.members) for one in groups)
    say(f"relay for {', '.join(one.name for one in groups)}, listens at {listen}")
    try:
        asyncio.run(_serve(rosters, *split_address(listen)))
    except OSError as e:
        raise Unavailable(
            f"cannot listen at {listen}: {e.strerror}", hint="choose another address with --listen"
        ) from None


async def _serve(rosters: tuple[frozenset[bytes], ...], host: str, port: int) -> None:
    from quorate.transport.relay import RelayServer

    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with RelayServer(rosters).running(host, port):
        await stopping.wait()
