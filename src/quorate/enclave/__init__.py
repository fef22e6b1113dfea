"""Attested enclaves: which program runs on which genuine hardware, checked before rows leave.

`verify` reads evidence and gives claims, `appraise` holds them against a policy
that every owner signed, `require` raises what it found. What the quote is bound
to, and what hangs on it, is in `binding`, `rows`, `channel`, `receipt`, `state`.
"""

from quorate.enclave.appraise import Appraisal, appraise, require
from quorate.enclave.claims import Claims
from quorate.enclave.evidence import Evidence
from quorate.enclave.policy import Policy
from quorate.enclave.verify import verify

__all__ = ["Appraisal", "Claims", "Evidence", "Policy", "appraise", "require", "verify"]
