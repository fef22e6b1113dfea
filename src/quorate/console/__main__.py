"""Serve the console of a node: `python -m quorate.console FOLDER`. The node starts it."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from quorate.console import settings
from quorate.console.app import make_app
from quorate.console.console import make
from quorate.errors import Error
from quorate.node.home import open_home, split_address


def main() -> int:
    """Serve until SIGTERM or SIGINT; return the exit code."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m quorate.console FOLDER\n")
        return 2
    try:
        serve(Path(sys.argv[1]))
    except Error as e:
        sys.stderr.write(f"quorate: error: {e}\nquorate: hint: {e.hint}\n")
        return e.exit_code
    return 0


def serve(folder: Path) -> None:
    """Serve the console of the node in `folder`. Raises `NotFound`, `Unavailable`."""
    home, chosen = open_home(folder), settings.read(folder)
    app = make_app(make(home, chosen), _now)
    host, port = split_address(chosen.listen)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,  # it would say who wrote a report, and when
        server_header=False,
        proxy_headers=chosen.behind_proxy,
        ssl_certfile=chosen.certificate or None,
        ssl_keyfile=chosen.key or None,
        timeout_keep_alive=75,  # longer than a page that looks again waits
        timeout_graceful_shutdown=2,
    )


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the edge: everything below takes `now`


if __name__ == "__main__":
    sys.exit(main())
