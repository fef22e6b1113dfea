"""Run a node in the foreground: `python -m quorate.node FOLDER`."""

import logging
import sys
from pathlib import Path

import structlog

from quorate.errors import Error
from quorate.node.daemon import serve
from quorate.node.home import open_home


def main() -> int:
    """Serve the node in the folder named on the command line; return the exit code."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m quorate.node FOLDER\n")
        return 2
    try:
        serve(open_home(Path(sys.argv[1])))
    except Error as e:
        hint = f"quorate: hint: {e.hint}\n" if e.hint else ""
        sys.stderr.write(f"quorate: error: {e}\n{hint}")
        return e.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
