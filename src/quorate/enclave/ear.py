"""An appraisal for other programs: EAR in JSON, with the trustworthiness vector of AR4SI [AR4SI25].

Numbers are the draft's: 0 no claim, 2 to 31 affirming, 32 to 95 warning, from
96 on contraindicated.
"""

import json
from dataclasses import asdict, dataclass

from quorate.enclave.appraise import Appraisal
from quorate.enclave.claims import Outcome

PROFILE = "tag:ietf.org,2026:rats/ear#05"
_CODE = frozenset({"measurement"})
_PLATFORM = frozenset(
    {"tcb-status", "advisories", "evaluation", "collateral-age", "second verifier", "window"}
)
_IDENTITY = frozenset({"hardware", "revocation"})


@dataclass(frozen=True, slots=True)
class TrustVector:
    """AR4SI's claims that an enclave can make."""

    instance_identity: int
    configuration: int
    executables: int
    hardware: int
    runtime_opaque: int

    @property
    def status(self) -> str:
        worst = max(asdict(self).values())
        if worst >= 96:
            return "contraindicated"
        return "warning" if worst >= 32 else "affirming"


def trust_vector(appraisal: Appraisal) -> TrustVector:
    """Return the vector. Configuration is all that no other claim is about."""
    failed = {each.name for each in appraisal.lacking}
    named = appraisal.outcome("hardware") is Outcome.PASS
    debug = "debug" in failed
    return TrustVector(
        instance_identity=97 if failed & _IDENTITY else 2 if named else 0,
        configuration=96 if failed - _CODE - _PLATFORM - _IDENTITY else 2,
        executables=33 if failed & _CODE else 2,
        hardware=96 if failed & _PLATFORM else 2,
        runtime_opaque=96 if debug or not appraisal.confidential else 2,
    )


def ear(appraisal: Appraisal) -> str:
    """Return the result as EAR's JSON claims, unsigned: each owner's own verifier made it."""
    vector = trust_vector(appraisal)
    accepted = appraisal.accepted
    status = vector.status if accepted or vector.status != "affirming" else "contraindicated"
    return json.dumps(
        {
            "eat_profile": PROFILE,
            "iat": int(appraisal.at.timestamp()),
            "ear.verifier-id": {"developer": "quorate", "build": "quorate.enclave"},
            "submods": {
                "enclave": {
                    "ear.status": status,
                    "ear.appraisal-policy-id": f"sha-256:{appraisal.policy.hex()}",
                    "ear.trustworthiness-vector": {
                        name.replace("_", "-"): value for name, value in asdict(vector).items()
                    },
                    "quorate.accepted": accepted,
                    "quorate.confidential": appraisal.confidential,
                    "quorate.checks": [
                        {"check": each.name, "outcome": each.outcome.value, "why": each.why}
                        for each in appraisal.checks
                    ],
                }
            },
        },
        indent=2,
    )
