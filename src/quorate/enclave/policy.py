"""What owners accept as an enclave: reference values and limits [RFC9334], signed as one digest.

Nothing is accepted that is not named. Defaults are the strict ones; whoever
wants less writes it into the policy, where every owner reads it.
"""

from dataclasses import dataclass, replace

from quorate import wire
from quorate.enclave.anchors import PRODUCTION, Anchors
from quorate.enclave.claims import Flag, Value
from quorate.enclave.evidence import KINDS, Kind
from quorate.enclave.nitro import PCR
from quorate.enclave.tcb import STATUSES
from quorate.enclave.tpm import RESETTABLE
from quorate.errors import Refused

_PROGRAM: dict[Kind, tuple[str, ...]] = {
    "sgx": ("mrenclave",),  # the signer alone would be: any program of this signer
    "simulated": ("mrenclave",),
    "tdx": ("mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"),
    "snp": ("measurement",),
    "nitro": ("pcr0", "pcr1", "pcr2"),
    "tpm": (),
}
_FIRMWARE = ("bootloader", "tee", "snp", "microcode")
"""AMD gives no status: how old the firmware of SEV-SNP may be is for the policy to say."""

NO_CONFIDENTIALITY: frozenset[Kind] = frozenset({"tpm", "simulated"})
"""Platforms that keep nothing from whoever runs the machine."""


@dataclass(frozen=True, slots=True)
class Limit:
    """Between what a number must lie, both ends included."""

    name: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Reference:
    """One program on one kind of platform, and what its platform must be like."""

    kind: Kind
    measurements: tuple[Value, ...]
    limits: tuple[Limit, ...] = ()
    flags: tuple[Flag, ...] = ()  # where another value than the safe one is accepted
    statuses: tuple[str, ...] = ("UpToDate",)
    advisories_mitigated: tuple[str, ...] = ()  # of this very program
    min_evaluation: int = 0
    collateral_max_age_days: int = 7
    hardware: tuple[bytes, ...] = ()  # none: any genuine machine, and the check is not assessed


@dataclass(frozen=True, slots=True)
class Policy:
    """The enclaves that owners accept. What is simulated counts only under roots named here."""

    references: tuple[Reference, ...]
    simulation_roots: tuple[bytes, ...] = ()  # one of each simulated machine
    attestation_keys: tuple[bytes, ...] = ()  # of TPMs, by SHA-256

    def digest(self) -> bytes:
        return wire.digest("enclave-policy", self)

    def anchors(self) -> Anchors:
        """Return the makers' roots, and those that this policy adds."""
        return replace(PRODUCTION, simulation=self.simulation_roots, keys=self.attestation_keys)

    @property
    def confidential(self) -> bool:
        """Whether every platform it accepts keeps data from whoever runs the machine."""
        return not any(each.kind in NO_CONFIDENTIALITY for each in self.references)


def check_policy(policy: Policy) -> None:
    """Refuse a policy that would accept more than a person reading it thinks. Raises `Refused`."""
    _require(bool(policy.references), "a policy that accepts nothing")
    for reference in policy.references:
        _check_reference(reference)
    kinds = {reference.kind for reference in policy.references}
    roots = (*policy.simulation_roots, *policy.attestation_keys)
    _require(all(len(each) == 32 for each in roots), "an anchor is not a SHA-256")
    simulated = "simulated" in kinds
    _require(
        simulated == bool(policy.simulation_roots),
        "simulated enclaves need their root, and only they",
    )
    _require(("tpm" in kinds) == bool(policy.attestation_keys), "a TPM needs its key, and only it")


def _check_reference(reference: Reference) -> None:
    _require(reference.kind in KINDS, "a kind of platform that is not known")
    named = {each.name: each.value for each in reference.measurements}
    _require(len(named) == len(reference.measurements), "a measurement is named twice")
    missing = [name for name in _PROGRAM[reference.kind] if name not in named]
    _require(not missing, f"{reference.kind} is named without {', '.join(missing)}")
    for name, value in named.items():
        _require(len(value) in {8, 32, PCR, 64}, f"{name} has a length that no measurement has")
    if reference.kind == "nitro":
        _require(any(named["pcr0"]), "pcr0 of zero is an enclave in debug mode")
    if reference.kind == "tpm":
        fixed = [name for name in named if name not in {f"pcr{n}" for n in RESETTABLE}]
        _require(bool(fixed), "a TPM is named by registers that any program may set back")
    limited = {limit.name for limit in reference.limits}
    lacking = [name for name in _FIRMWARE if name not in limited]
    _require(
        reference.kind != "snp" or not lacking,
        f"snp is named without limits of {', '.join(lacking)}",
    )
    unknown = set(reference.statuses) - (STATUSES - {"Revoked"})
    _require(not unknown, f"no TCB status to accept: {', '.join(sorted(unknown))}")
    _require(1 <= reference.collateral_max_age_days <= 30, "collateral may be 1 to 30 days old")


def _require(fine: bool, otherwise: str) -> None:
    if not fine:
        raise Refused(f"not usable as a policy for enclaves: {otherwise}")
