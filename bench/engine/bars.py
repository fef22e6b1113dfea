"""What the engine is to reach, on two quiet cores; and where the time goes, from profiles.

The best elsewhere was measured on a machine of the same kind, quiet, each program with its
fastest options: MP-SPDZ's replicated ring of 64 bits, SPU's ABY3, ORQ with three parties.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """Most seconds over plain sockets and over TLS; most bytes each, of who sends most."""

    elsewhere: str
    sockets_s: float
    tls_s: float
    profile: str
    bytes_each: float | None = None


PRODUCTS = Bar(
    "ORQ 0.06 s, SPU 0.07, MP-SPDZ 0.08",
    0.02,
    0.04,
    "of what a party does, half is encryption, a tenth multiplying and masking, the rest copies",
    8,
)
COMPARISONS = Bar(
    "ORQ 0.38 s, MP-SPDZ 0.8 (TLS 1.1), SPU 1.9",
    0.12,
    0.17,
    "a third is encryption and sending, a tenth turning words into bit planes, the rest ANDs and "
    "their masks",
    21,
)
FIXED_PRODUCTS = Bar(
    "SPU 0.21 s, MP-SPDZ 0.41 (TLS)",
    0.06,
    0.11,
    "more than half is encryption and sending: there is little to compute",
    17,
)
MATRICES = Bar(
    "SPU 1.26 s",
    1.2,
    1.2,
    "nine tenths are the twelve products of doubles at each party: BLAS, for three processes on "
    "two cores",
)
REGRESSION = Bar(
    "MP-SPDZ 1.6 s (TLS), 93-96 % right",
    0.8,
    1.0,
    "29 rounds a step, of little data: seven tenths are sending and waiting for the others",
)
IN_TURN = Bar(
    "MP-SPDZ 0.13 s",
    0.2,
    0.25,
    "three quarters are sending and waiting, where three processes share two cores; the rest is "
    "the interpreter's way from one message to the next",
)
