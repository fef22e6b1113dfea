"""Waiting until holders have answered: for `quorate unlock`, `key recover` and age's plugin."""

import time
from collections.abc import Callable

from quorate.errors import Refused
from quorate.node.quorum.asking import Asking, Progress

LOOK_AGAIN_S = 0.1


def wait_for_key(asking: Asking, id_: str, tell: Callable[[str], None]) -> bytes:
    """Return the file key of a request, once it is unlocked. Raises as `wait_until_done`."""
    wait_until_done(asking, id_, tell)
    return asking.file_key(id_)


def wait_until_done(asking: Asking, id_: str, tell: Callable[[str], None]) -> None:
    """Wait until a request is unlocked, or its key recovered; `tell` hears of each step.

    Raises `Refused` where its holders declined, or did not answer in time.
    """
    said = ""
    while True:
        request = asking.progress(id_)
        if (line := progress(request)) != said:
            tell(line)
            said = line
        if request.state in ("unlocked", "recovered"):
            return
        if request.state not in ("open", "approved"):
            words = "; ".join(f"{a.member}: {a.reason}" for a in request.answers)
            raise Refused(f"request {request.id} is {request.state}", hint=words)
        time.sleep(LOOK_AGAIN_S)


def progress(request: Progress) -> str:
    """Return in one line how far a request is."""
    approved = sum(answer.word == "approve" for answer in request.answers)
    line = f"request {request.id}: {approved} of {request.needed} approved"
    if request.state == "open":
        line += f", waiting: {', '.join(request.waits_for)}"
    elif request.state == "approved" and request.opener:
        line += f", and {request.opener} is to open it"
    return f"{line} ({request.note})" if request.note else line
