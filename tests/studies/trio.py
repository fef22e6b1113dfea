"""A group of three with their keys, a study, its plan and a signed release of it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.studies.approval import Approval, SignedApproval, sign_approval
from quorate.studies.group import Group, Member
from quorate.studies.plan import Plan
from quorate.studies.planning import compile_plan
from quorate.studies.release import (
    Certificate,
    Release,
    Signature,
    certify,
    group_message,
    sign_certificate,
)
from quorate.studies.results import Result
from quorate.studies.study import Study, read_study
from quorate.studies.times import utc_text
from quorate.threshold import frost, generate_key

NOW = datetime(2027, 1, 31, 9, 30, tzinfo=UTC)
NAMES = ("north", "south", "west")

STUDY = """
title = "Average age of diabetes patients"
purpose = "Planning of care capacity"
max_rows = 1_000_000

[tables.patients]
age = "integer 0..120 years"
bmi = "number 10..80.5 kg/m2"

[releases]
r = "select count(*) as patients, avg(age) as mean_age, sum(bmi) as sum_bmi from patients"
"""


def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))


def group_of(*names: str) -> Group:
    return Group(
        "trio",
        tuple(
            Member(name, f"{name}.example:7400", key(name).public_key().public_bytes_raw())
            for name in names
        ),
    )


TRIO = group_of(*NAMES)


def study_of(column: str, *calls: str, max_rows: int = 1000, min_cell: int = 1) -> Study:
    """Return a study of one column `x`, which releases `calls`, named r0, r1, ..."""
    return read_study(
        f'title = "t"\npurpose = "p"\nmax_rows = {max_rows}\nmin_cell = {min_cell}\n'
        f"[tables.people]\nx = '{column}'\n[releases]\n"
        + "\n".join(f'r{i} = "select {call} as v from people"' for i, call in enumerate(calls))
    )


def plan_of(study: Study, group: Group = TRIO, *accept: str) -> Plan:
    return compile_plan(study, group, proposer=group.names[0], now=NOW, accept=accept)


PLAN = plan_of(read_study(STUDY))
GROUP_SHARES = generate_key(3, 2, os.urandom)[0]
TOTALS = (442, 21445, 12_345_678_901_234)


def approvals_of(plan: Plan = PLAN, group: Group = TRIO) -> tuple[SignedApproval, ...]:
    """Return every member's approval of `plan`, good for a month from NOW."""
    until = utc_text(NOW + timedelta(days=30))
    return tuple(
        sign_approval(key(name), Approval(plan.digest(), name, "approve", utc_text(NOW), until))
        for name in group.names
    )


def signed_release(
    plan: Plan = PLAN, group: Group = TRIO, results: tuple[Result, ...] | None = None
) -> Release:
    approvals = approvals_of(plan, group)
    certificate = certify(
        plan,
        approvals,
        session=bytes(range(32)),
        results=plan.results(TOTALS) if results is None else results,
        time="2027-01-31T09:31:00Z",
        software="quorate 0.1.0",
        group_key=GROUP_SHARES[0].public.group,
    )
    signatures = tuple(
        Signature(name, sign_certificate(key(name), certificate)) for name in group.names
    )
    return Release(plan, group, approvals, certificate, signatures, group_signature(certificate))


def group_signature(certificate: Certificate) -> bytes:
    """Return the signature of two of three holders of the group's key."""
    nonces = [frost.commit(share, bytes) for share in GROUP_SHARES[:2]]  # the same each time
    package = frost.package(group_message(certificate), [sent for _, sent in nonces])
    shares = [
        frost.sign(share, kept, package)
        for share, (kept, _) in zip(GROUP_SHARES, nonces, strict=False)
    ]
    return frost.aggregate(GROUP_SHARES[0].public, package, shares)


def write_csv(path: Path, column: str, values: list[str]) -> Path:
    path.write_text("\n".join([column, *values]) + "\n", encoding="utf-8")
    return path
