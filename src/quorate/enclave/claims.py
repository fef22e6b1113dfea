"""Claims: what evidence says once its signatures hold, in one form for every platform [RFC9711].

A claim is not a judgement. Whether a debug enclave, an old microcode or an
unknown program will do is for `appraise`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from quorate.enclave.evidence import Kind


class Outcome(StrEnum):
    """How a check went. What could not be looked at is not passed."""

    PASS = "pass"  # noqa: S105 - a word, no secret
    FAIL = "fail"
    NOT_ASSESSED = "not assessed"


@dataclass(frozen=True, slots=True)
class Value:
    """A measurement, or what was configured, by its name on the platform."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Number:
    name: str
    value: int


@dataclass(frozen=True, slots=True)
class Flag:
    name: str
    on: bool


@dataclass(frozen=True, slots=True)
class Tcb:
    """What the maker says of the platform's firmware and microcode."""

    status: str  # Intel's words: UpToDate, SWHardeningNeeded, ...
    date: str
    advisories: tuple[str, ...]
    evaluation: int  # tcbEvaluationDataNumber: which state of knowledge this is


@dataclass(frozen=True, slots=True)
class Checked:
    """A check that the verifier made, or could not make, beyond signatures."""

    name: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Claims:
    """What verified evidence says."""

    kind: Kind
    report_data: bytes  # chosen by the program: 64 bytes where it is ours
    debug: bool
    values: tuple[Value, ...]
    numbers: tuple[Number, ...]
    flags: tuple[Flag, ...]
    hardware: bytes  # names the machine, or the key that stands for it
    anchor: bytes  # SHA-256 of the root that all hangs on
    not_before: datetime  # of all certificates and collateral together
    not_after: datetime
    tcb: Tcb | None = None
    issued: datetime | None = None  # of the older of the collateral's two statements
    checked: tuple[Checked, ...] = ()

    def value(self, name: str) -> bytes | None:
        return next((each.value for each in self.values if each.name == name), None)

    def number(self, name: str) -> int | None:
        return next((each.value for each in self.numbers if each.name == name), None)

    def flag(self, name: str) -> bool | None:
        return next((each.on for each in self.flags if each.name == name), None)
