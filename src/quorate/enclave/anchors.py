"""Whom all is believed on: the makers' root certificates, by SHA-256 of their DER."""

from dataclasses import dataclass

INTEL = bytes.fromhex("44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3")
"""Intel SGX Root CA, of SGX and TDX alike."""

AMD = (
    bytes.fromhex("69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),  # ARK-Milan
    bytes.fromhex("4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),  # ARK-Genoa
    bytes.fromhex("1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),  # ARK-Turin
)

AWS = bytes.fromhex("641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b")
"""AWS Nitro Enclaves Root G1."""


@dataclass(frozen=True, slots=True)
class Anchors:
    """The roots a verifier knows. `simulation` and `keys` are empty unless a signed policy says."""

    intel: bytes = INTEL
    amd: tuple[bytes, ...] = AMD
    aws: bytes = AWS
    simulation: tuple[bytes, ...] = ()
    keys: tuple[bytes, ...] = ()  # SHA-256 of attestation keys of TPMs, in DER


PRODUCTION = Anchors()
