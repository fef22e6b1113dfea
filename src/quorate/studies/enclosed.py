"""What a study says of the enclave that computes it.

    trust = "enclave"
    [enclave]
    host = "north"             # the member whose machine runs it
    platform = "simulated"
    measurement = "4f1c..."    # of the program, which every member builds itself
    root = "90ab..."           # SHA-256 of the simulated platform's own root

It is part of the plan, so approving the plan approves the measurement and the platform.
"""

import re
from dataclasses import dataclass
from typing import Literal

from quorate.enclave.claims import Value
from quorate.enclave.evidence import Kind
from quorate.enclave.policy import Policy, Reference
from quorate.studies.schema import check_text, refuse

_KEYS = {"host", "platform", "measurement", "root"}
_DIGEST = re.compile("[0-9a-f]{64}")
_HINT = "quorate enclave prepare STUDY writes this section"


@dataclass(frozen=True, slots=True)
class Enclosed:
    """Who runs the enclave, on what, and which program it must be."""

    host: str
    platform: Literal["simulated"]
    measurement: bytes
    root: bytes

    @property
    def kind(self) -> Kind:
        return self.platform

    def policy(self) -> Policy:
        """Return the policy that follows: this program on this platform, and nothing else."""
        reference = Reference(self.kind, (Value("mrenclave", self.measurement),))
        return Policy((reference,), simulation_roots=(self.root,))


def read_enclosed(section: dict[str, object]) -> Enclosed:
    """Return what the section says. Raises `MalformedStudy`."""
    if section.keys() != _KEYS:
        refuse("enclave", f"must have {', '.join(sorted(_KEYS))}, and nothing else", _HINT)
    host, platform = section["host"], section["platform"]
    if platform != "simulated":
        refuse("enclave.platform", "there is a runner for simulated enclaves only", _HINT)
    if not isinstance(host, str):
        refuse("enclave.host", "not a member's name", _HINT)
    return Enclosed(host, "simulated", *(_digest(section, key) for key in ("measurement", "root")))


def check_enclosed(enclosed: Enclosed) -> None:
    """Refuse what no text could have said. Raises `MalformedStudy`."""
    check_text("enclave.host", enclosed.host, 32)
    if len(enclosed.measurement) != 32 or len(enclosed.root) != 32:
        refuse("enclave", "a measurement and a root are 32 bytes each", _HINT)


def _digest(section: dict[str, object], key: str) -> bytes:
    said = section[key]
    if not isinstance(said, str) or not _DIGEST.fullmatch(said):
        refuse(f"enclave.{key}", "not 64 digits of 0 to 9 and a to f", _HINT)
    return bytes.fromhex(said)
