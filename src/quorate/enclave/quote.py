"""Quotes of SGX (version 3) and TDX (versions 4, 5), taken apart as Intel lays them out [DCAP24].

Nothing is verified here. Bytes after the quote may only be zero: a machine's
buffer is longer than what it holds. They are no part of what is signed, so a
quote is named by what it says and never by a hash of all its bytes.
"""

from dataclasses import dataclass
from typing import Literal

from quorate.enclave.octets import Reader
from quorate.errors import MalformedMessage

MAX_QUOTE = 1 << 16
HEADER, SGX_BODY, TD_10, TD_15 = 48, 384, 584, 648
SGX, TDX = 0, 0x81
INTEL_QE = bytes.fromhex("939a7233f79c4ca9940a0db3957f0607")
_ECDSA_P256, _PEM_CHAIN, _QE_REPORT = 2, 5, 6
_BODY_TYPES = {1: (SGX, SGX_BODY), 2: (TDX, TD_10), 3: (TDX, TD_15)}


@dataclass(frozen=True, slots=True)
class SgxBody:
    """An enclave's report, 384 bytes."""

    cpu_svn: bytes
    miscselect: int
    attributes: bytes
    mrenclave: bytes
    mrsigner: bytes
    config_id: bytes
    isv_prod_id: int
    isv_svn: int
    config_svn: int
    report_data: bytes


@dataclass(frozen=True, slots=True)
class TdBody:
    """A trust domain's report, 584 bytes, or 648 from TDX 1.5 on."""

    tee_tcb_svn: bytes
    mrseam: bytes
    mrsignerseam: bytes
    seam_attributes: bytes
    td_attributes: bytes
    xfam: bytes
    mrtd: bytes
    mrconfigid: bytes
    mrowner: bytes
    mrownerconfig: bytes
    rtmr: tuple[bytes, bytes, bytes, bytes]
    report_data: bytes
    mrservicetd: bytes


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote taken apart."""

    version: int
    tee: Literal["sgx", "tdx"]
    body: SgxBody | TdBody
    signed: bytes  # what the attestation key signed
    signature: bytes
    attestation_key: bytes  # x and y on P-256
    qe_body: bytes
    qe: SgxBody
    qe_signature: bytes
    qe_auth: bytes
    chain: bytes  # PEM


@dataclass(frozen=True, slots=True)
class _Signature:
    signature: bytes
    attestation_key: bytes
    qe_body: bytes
    qe_signature: bytes
    qe_auth: bytes
    chain: bytes


def parse(data: bytes) -> Quote:
    """Take a quote apart. Raises `MalformedMessage` for an unknown version, length or trailer."""
    if len(data) > MAX_QUOTE:
        raise MalformedMessage(f"a quote of {len(data)} bytes")
    reader = Reader(data)
    version, key_type, tee = reader.number(2), reader.number(2), reader.number(4)
    if version not in {3, 4, 5} or key_type != _ECDSA_P256:
        raise MalformedMessage(f"a quote of version {version} with a key of type {key_type}")
    reader.take(4)
    if reader.take(16) != INTEL_QE:
        raise MalformedMessage("a quote that another than Intel's quoting enclave signed")
    reader.take(20)
    tee, size = _body_kind(version, tee, reader)
    body = reader.take(size)
    signed = data[: reader.at]
    parts = _signature(reader.sized(4), version)
    if any(reader.rest()):
        raise MalformedMessage("bytes after the quote")
    return Quote(
        version,
        "sgx" if tee == SGX else "tdx",
        sgx_body(body) if tee == SGX else td_body(body),
        signed,
        parts.signature,
        parts.attestation_key,
        parts.qe_body,
        sgx_body(parts.qe_body),
        parts.qe_signature,
        parts.qe_auth,
        parts.chain,
    )


def sgx_body(data: bytes) -> SgxBody:
    reader = Reader(data)
    cpu_svn, miscselect = reader.take(16), reader.number(4)
    reader.take(28)
    attributes, mrenclave = reader.take(16), reader.take(32)
    reader.take(32)
    mrsigner = reader.take(32)
    reader.take(32)
    config_id, product, svn = reader.take(64), reader.number(2), reader.number(2)
    config_svn = reader.number(2)
    reader.take(58)
    report_data = reader.take(64)
    reader.end()
    return SgxBody(
        cpu_svn,
        miscselect,
        attributes,
        mrenclave,
        mrsigner,
        config_id,
        product,
        svn,
        config_svn,
        report_data,
    )


def td_body(data: bytes) -> TdBody:
    at = Reader(data)
    return TdBody(
        tee_tcb_svn=at.take(16),
        mrseam=at.take(48),
        mrsignerseam=at.take(48),
        seam_attributes=at.take(8),
        td_attributes=at.take(8),
        xfam=at.take(8),
        mrtd=at.take(48),
        mrconfigid=at.take(48),
        mrowner=at.take(48),
        mrownerconfig=at.take(48),
        rtmr=(at.take(48), at.take(48), at.take(48), at.take(48)),
        report_data=at.take(64),
        mrservicetd=_service(at) if len(data) == TD_15 else bytes(48),
    )


def _service(at: Reader) -> bytes:
    at.take(16)  # tee_tcb_svn2: what a live update of the module would bring
    return at.take(48)


def _body_kind(version: int, tee: int, reader: Reader) -> tuple[int, int]:
    """Return what kind of body follows, and of how many bytes."""
    if version == 5:
        kind, size = reader.number(2), reader.number(4)
        known = _BODY_TYPES.get(kind, (tee, -1))
        if known != (tee, size):
            raise MalformedMessage(f"a quote with a body of type {kind} and {size} bytes")
        return known
    expected = SGX if version == 3 else tee
    if tee != expected or tee not in {SGX, TDX}:
        raise MalformedMessage(f"a quote of version {version} of a machine of type {tee}")
    return tee, SGX_BODY if tee == SGX else TD_10


def _signature(data: bytes, version: int) -> _Signature:
    reader = Reader(data)
    signature, key = reader.take(64), reader.take(64)
    if version != 3:
        if reader.number(2) != _QE_REPORT:
            raise MalformedMessage("a quote without its quoting enclave's report")
        inner = reader.sized(4)
        reader.end()
        reader = Reader(inner)
    qe_body, qe_signature, auth = reader.take(SGX_BODY), reader.take(64), reader.sized(2)
    if reader.number(2) != _PEM_CHAIN:
        raise MalformedMessage("a quote without the certificates of its platform")
    chain = reader.sized(4)
    reader.end()
    return _Signature(signature, key, qe_body, qe_signature, auth, chain)
