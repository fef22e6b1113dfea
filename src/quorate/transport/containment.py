"""A bug in one piece of work must not end a node that has others to do.

The node's tasks share one group, which an unexpected exception would end. Where such a
task begins, and there alone, everything is caught. What kind of exception it was is
logged, and neither its words nor its traceback, which may hold values of a member's.
"""

import contextlib
from collections.abc import Callable, Generator

import structlog

log = structlog.get_logger()


@contextlib.contextmanager
def contained(what: str, then: Callable[[str], None], /, **about: str) -> Generator[None]:
    """Log a bug in the block as `what`, call `then` with its kind, and go on."""
    try:
        yield
    except Exception as e:  # noqa: BLE001 - for the reason above, and nowhere else
        kind = type(e).__name__
        log.error(what, error=kind, **about)  # noqa: TRY400 - no traceback
        then(kind)
