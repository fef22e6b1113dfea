"""The process in which a simulated enclave runs: `python -m quorate.node.enclosed`."""

import os
import sys
from datetime import datetime

from quorate import wire
from quorate.enclave.evidence import Evidence
from quorate.enclave.measure import measure
from quorate.enclave.simulation import platform_of, qe_identity, tcb_info
from quorate.errors import Error
from quorate.node.enclosure import Handed, Made, Opening, Shown, exactly, read, write
from quorate.node.program import code
from quorate.studies.attested import measured_with
from quorate.studies.inside import Inside, Quote, Sent, finish, start


def main() -> None:
    """Start, show evidence, take rows, tell the result: once."""
    opening = read(sys.stdin.buffer, Opening)
    try:
        inside = start(opening.brief, quoting(opening), os.urandom)
    except Error as e:
        write(sys.stdout.buffer, Shown(None, str(e)))
        return
    write(sys.stdout.buffer, Shown(inside.begun))
    sent = [_handed() for _ in inside.brief.plan.members]
    _tell(inside, sent)


def quoting(opening: Opening) -> Quote:
    """Return what makes evidence of the code that this process runs."""
    brief, seed = opening.brief, opening.seed
    at = datetime.fromisoformat(brief.time)
    platform = platform_of(seed.secret, datetime.fromisoformat(seed.created))
    papers = platform.collateral(tcb_info(at), qe_identity(at), at)
    measurement = measure(measured_with(code(), brief.plan.study, brief.group))

    def quote(report_data: bytes) -> Evidence:
        return platform.evidence(measurement, report_data, papers)

    return quote


def _handed() -> Sent:
    handed = read(sys.stdin.buffer, Handed)
    return Sent(handed.parcel, tuple(exactly(sys.stdin.buffer, size) for size in handed.sizes))


def _tell(inside: Inside, sent: list[Sent]) -> None:
    out = sys.stdout.buffer
    try:
        outcome = finish(inside, sent, os.urandom)
    except Error as e:
        write(out, Made(None, 0, str(e)))
        return
    write(out, Made(outcome.receipt, outcome.words.size))
    out.write(wire.array_frame(outcome.words))
    out.flush()


if __name__ == "__main__":
    main()
