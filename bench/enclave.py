"""The page's part on enclaves: verifying evidence, and a simulated enclave beside a third party."""

import asyncio
import secrets
import statistics
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from bench import third_party
from bench.inputs import REPEATS
from bench.markdown import table
from bench.members import forget
from bench.sealing import least
from bench.trio import NAMES, run_three
from quorate.enclave.evidence import Evidence
from quorate.enclave.verify import verify
from quorate.mpc.replicated import Committee
from quorate.node.enclosure import Process, Seed, anchor_of
from quorate.node.program import measurement
from quorate.studies.enclosed import Enclosed
from quorate.studies.plain import results_of_words
from quorate.studies.plan import Plan
from quorate.studies.runners.enclave import Attending, run_inside
from quorate.studies.running import Aside, Running
from quorate.studies.times import utc_text
from quorate.transport.session import Session
from tests.enclave import pki
from tests.enclave.test_platforms import AMD, ANCHORS, CHAIN, DOCUMENT, QUOTED
from tests.studies.enclosed import approved
from tests.studies.trio import NOW, group_of, key, plan_of

TEXT = """\
## Enclaves

The CPU time that one owner's verifier takes for one evidence, with all its certificates, lists and
the maker's statements: the least of {repeats}, for evidence under roots of our own. It is to stay
within {allowed_ms} ms.

{verified}
The study of a third party once more, first as it is, then in a SIMULATED enclave: a process of its
own at the first member, started, measured and asked for evidence in each run; rows go sealed. It is
to stay within {ratio} times the third party, and {start:g} s to start.

{runs}"""
ROWS = (10_000, 1_000_000)
VERIFIED = 20
ALLOWED_MS, ALLOWED_RATIO, ALLOWED_START_S = 10, 1.5, 2.0


@dataclass(frozen=True, slots=True)
class Beside:
    """Seconds of each repetition at one party: by the third party, and in the enclave."""

    third: tuple[float, ...]
    inside: tuple[float, ...]


def section() -> str:
    """Measure both; return Markdown. What is slower than it is to be ends the page."""
    verified = [(name, f"{ms:.2f}") for name, ms in verifications()]
    runs = run_three(_all_timed, encrypted=True)
    body = []
    for i, rows in enumerate(ROWS):
        third, inside = (
            statistics.median(map(max, zip(*taken, strict=True)))
            for taken in ([one[i].third for one in runs], [one[i].inside for one in runs])
        )
        within = ALLOWED_RATIO * third + ALLOWED_START_S
        assert inside <= within, f"{rows} rows in an enclave: {inside:.2f} s, not {within:.2f} s"
        body.append((f"{rows:,}", f"{third:.3f} s", f"{inside:.3f} s", f"{within:.3f} s"))
    return TEXT.format(
        repeats=VERIFIED,
        allowed_ms=ALLOWED_MS,
        ratio=ALLOWED_RATIO,
        start=ALLOWED_START_S,
        verified=table(["evidence", "ms"], verified),
        runs=table(["rows", "third party", "enclave", "allowed"], body),
    )


def verifications() -> list[tuple[str, float]]:
    """Return each kind of evidence and the milliseconds that verifying one takes."""
    intel = pki.platform().anchor
    anchors = replace(ANCHORS, intel=intel, simulation=(intel,))
    evidence = {
        "simulated, as SGX, two verifiers": pki.simulated(),
        "TDX, two verifiers": pki.tdx(pki.td_report(), 4),
        "SEV-SNP": Evidence("snp", AMD.report(), amd=CHAIN),
        "Nitro": Evidence("nitro", DOCUMENT),
        "TPM": QUOTED,
    }
    taken: list[tuple[str, float]] = []
    for name, one in evidence.items():
        ms = 1e3 * least(partial(verify, one, pki.NOW, anchors), time.process_time, VERIFIED)
        assert ms <= ALLOWED_MS, f"{name}: {ms:.1f} ms"
        taken.append((name, ms))
    return taken


def plan_inside(seed: Seed) -> Plan:
    """Return the third party's study in an enclave at the first member, of this very code."""
    group = group_of(*NAMES)
    where = Enclosed(NAMES[0], "simulated", bytes(32), anchor_of(seed))
    study = replace(third_party.plan().study, trust="enclave", third_party="", enclave=where)
    measured = replace(where, measurement=measurement(study, group))
    return plan_of(replace(study, enclave=measured), group)


async def time_both(
    session: Session, of: Plan, seed: Seed, rows: int, repeats: int, aside: Aside
) -> Beside:
    """Repeat both runs; their results have to be right."""
    third = await third_party.time_one(
        session.at("third"), third_party.plan(), rows, repeats, aside
    )
    inside = [
        await _once(session.at(f"inside {i}"), of, seed, rows, aside) for i in range(repeats + 1)
    ]
    return Beside(third.seconds, tuple(inside[1:]))


async def _once(session: Session, of: Plan, seed: Seed, rows: int, aside: Aside) -> float:
    """Return the seconds of one run in an enclave, from its keys to its receipt."""
    name, process = of.members[session.me], Process(seed)
    mine = Attending(
        group_of(*of.members),
        key(name),
        approved(of),
        utc_text(NOW),
        of.study.enclosed.measurement,
        process if name in of.computes else None,
    )
    own = third_party.rows_of(of, rows // len(NAMES))
    await session.exchange(b"ready")
    started = time.perf_counter()
    try:
        found = await run_inside(
            Running(session, of, own, b"bench", forget, secrets.token_bytes, aside=aside), mine
        )
    finally:
        process.close()
    seconds = time.perf_counter() - started
    counts = results_of_words(of, found.words)[: third_party.WARDS]
    assert sum(int(count.value) for count in counts) == rows // len(NAMES) * len(NAMES)
    return seconds


async def _all_timed(committee: Committee) -> list[Beside]:
    seed = Seed(bytes(32), utc_text(NOW - timedelta(days=1)))
    of = plan_inside(seed)
    return [
        await time_both(committee.session.at(f"{n}"), of, seed, n, REPEATS, asyncio.to_thread)
        for n in ROWS
    ]
