"""A study in a simulated enclave: its program, its machine in this process, and three members."""

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from quorate.enclave.evidence import Evidence
from quorate.enclave.measure import File, measure, of_bytes
from quorate.enclave.simulation import Platform, platform_of, qe_identity, tcb_info
from quorate.errors import Party
from quorate.mpc.agreement import Claim
from quorate.studies.approval import Approval, DataClass, SignedApproval, sign_approval
from quorate.studies.attested import Begun, Brief, measured_with
from quorate.studies.enclosed import Enclosed
from quorate.studies.group import Group
from quorate.studies.inside import Inside, Machine, Outcome, Quote, Sent, finish, start
from quorate.studies.plan import Plan
from quorate.studies.runners.noise import Standing
from quorate.studies.runners.run import NO_LEDGER, Ran, run_plan
from quorate.studies.study import Study, read_study
from quorate.studies.times import utc_text
from quorate.transport.session import Session
from tests.parties import names_of
from tests.studies.rows import HEAD
from tests.studies.trio import NOW, group_of, key, plan_of

HOST = "south"
SEED = bytes(range(32))
CODE = (
    of_bytes("wheel", "quorate/studies/plain.py", b"the program"),
    of_bytes("requirements", "requirements.txt", b"numpy==2.1"),
    of_bytes("interpreter", "bin/python", b"\x7fELF", executable=True),
)
ONE_BYTE_OFF = (of_bytes("wheel", "quorate/studies/plain.py", b"the program."), *CODE[1:])
ZEROS = "0" * 64
NOT_MEASURED = f"""trust = "enclave"
enclave = {{host = "{HOST}", platform = "simulated", measurement = "{ZEROS}", root = "{ZEROS}"}}
"""
Own = NDArray[np.int64]


def platform(seed: bytes = SEED) -> Platform:
    return platform_of(seed, NOW - timedelta(days=1))


def program(study: Study, group: Group, code: tuple[File, ...] = CODE) -> bytes:
    return measure(measured_with(code, study, group))


def plan_inside(text: str, *, least: int = 5, members: int = 3) -> Plan:
    """Return a plan of a study whose enclave `south` hosts."""
    group = group_of(*names_of(members))
    study = read_study(HEAD.format(least=least, trust=NOT_MEASURED) + text)
    where = Enclosed(HOST, "simulated", program(study, group), platform().anchor)
    return plan_of(replace(study, enclave=where), group)


def quoting(measurement: bytes, machine: Platform) -> Quote:
    collateral = machine.collateral(tcb_info(NOW), qe_identity(NOW), NOW)

    def quote(report_data: bytes) -> Evidence:
        return machine.evidence(measurement, report_data, collateral)

    return quote


@dataclass(slots=True)
class Here:
    """An enclave in this process: the same program, without a process of its own."""

    quote: Quote
    inside: list[Inside] = field(default_factory=list)

    def begin(self, brief: Brief) -> Begun:
        self.inside.append(start(brief, self.quote, os.urandom))
        return self.inside[-1].begun

    def finish(self, sent: Sequence[Sent]) -> Outcome:
        return finish(self.inside[-1], sent, os.urandom)


def here(plan: Plan, code: tuple[File, ...] = CODE) -> Here:
    """Return a machine that runs `code`, and says so."""
    group = group_of(*plan.members)
    return Here(quoting(program(plan.study, group, code), platform()))


def approved(plan: Plan, data: DataClass = "synthetic") -> tuple[SignedApproval, ...]:
    until = utc_text(NOW + timedelta(days=30))
    return tuple(
        sign_approval(
            key(name), Approval(plan.digest(), name, "approve", utc_text(NOW), until, data)
        )
        for name in plan.members
    )


def no_claim(_: Party) -> Claim:
    return lambda _: None


def running_inside(
    plan: Plan,
    own: Mapping[Party, Own],
    machine: Machine,
    *,
    approvals: tuple[SignedApproval, ...] | None = None,
    measured: Mapping[Party, bytes] | None = None,
    claim: Callable[[Party], Claim] = no_claim,
    standing: Standing = NO_LEDGER,
    progress: Callable[[str], None] = lambda _: None,
) -> Callable[[Session], Awaitable[Ran]]:
    group = group_of(*plan.members)

    async def protocol(session: Session) -> Ran:
        me = session.me
        return await run_plan(
            session,
            plan,
            group,
            own[me],
            approvals=approved(plan) if approvals is None else approvals,
            time=utc_text(NOW),
            version="test",
            key=key(plan.members[me]),
            standing=standing,
            claim=claim(me),
            randomness=os.urandom,
            progress=progress,
            measured=(measured or {}).get(me, plan.study.enclosed.measurement),
            machine=machine if plan.members[me] == HOST else None,
        )

    return protocol
