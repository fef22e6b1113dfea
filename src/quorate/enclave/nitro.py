"""Attestation documents of AWS Nitro Enclaves: COSE under certificates that live three hours.

A document is one COSE_Sign1 [RFC9052] with ES384; its layout is the maker's
[NitroEnclaves25]. An enclave in debug mode gives a document with a good
signature whose first register is all zero.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import cbor2
import msgspec
from cryptography.hazmat.primitives import hashes

from quorate.enclave.certificates import from_der, public_key, verify_chain, verify_ecdsa
from quorate.enclave.claims import Claims, Flag, Number, Value
from quorate.enclave.octets import Reader
from quorate.errors import MalformedMessage, VerificationFailed
from quorate.wire import NO_TAGS

MAX_DOCUMENT = 1 << 16
_COSE_SIGN1, _TAGGED = b"\x84", b"\xd2"
_ES384 = b"\x44\xa1\x01\x38\x22"  # the protected header {1: -35}, and its length
_NO_HEADER, _BYTES_16, _SIGNATURE_96 = b"\xa0", 0x59, b"\x58\x60"
PCR = 48

Digest = Annotated[bytes, msgspec.Meta(min_length=PCR, max_length=PCR)]
Der = Annotated[bytes, msgspec.Meta(min_length=1, max_length=1024)]


@dataclass(frozen=True, slots=True)
class Document:
    """What is signed."""

    module_id: str
    timestamp: int  # milliseconds since 1970
    digest: str
    pcrs: dict[int, Digest]
    certificate: Der
    cabundle: Annotated[list[Der], msgspec.Meta(min_length=1, max_length=7)]
    public_key: bytes | None = None
    user_data: bytes | None = None
    nonce: bytes | None = None


def verify_nitro(data: bytes, now: datetime, root: bytes) -> Claims:
    """Return the claims of a document. `report_data` is its `user_data`.

    Raises `VerificationFailed` and `MalformedMessage`.
    """
    payload, signature = _cose(data)
    document = _document(payload)
    above = (from_der(each) for each in reversed(document.cabundle))
    chain = verify_chain(
        (from_der(document.certificate), *above), root, now, "the attestation document"
    )
    signed = b"\x84\x6aSignature1" + _ES384 + b"\x40" + cbor2.dumps(payload)
    key = public_key(chain.leaf, "the document")
    verify_ecdsa(key, signature, signed, hashes.SHA384(), "the document")
    made = datetime.fromtimestamp(document.timestamp // 1000, UTC)
    if made > now:
        raise VerificationFailed("the attestation document is of a later time")
    first = document.pcrs.get(0)
    return Claims(
        kind="nitro",
        report_data=document.user_data or b"",
        debug=first is None or not any(first),
        values=tuple(Value(f"pcr{n}", value) for n, value in sorted(document.pcrs.items())),
        numbers=(Number("made", document.timestamp // 1000),),
        flags=(Flag("nonce", document.nonce is not None),),
        hardware=document.module_id.encode(),
        anchor=root,
        not_before=chain.window.begin,
        not_after=chain.window.end,
        issued=made,
    )


def _cose(data: bytes) -> tuple[bytes, bytes]:
    """Return payload and signature of the one form that documents have, and nothing after it."""
    if len(data) > MAX_DOCUMENT:
        raise MalformedMessage(f"an attestation document of {len(data)} bytes")
    reader = Reader(data.removeprefix(_TAGGED))
    due = _COSE_SIGN1 + _ES384 + _NO_HEADER
    if reader.take(len(due)) != due or reader.number(1) != _BYTES_16:
        raise MalformedMessage("not an attestation document")
    payload = reader.sized(2, "big")
    if reader.take(2) != _SIGNATURE_96:
        raise MalformedMessage("an attestation document without its signature")
    signature = reader.take(96)
    reader.end()
    return payload, signature


def _document(payload: bytes) -> Document:
    try:
        plain = cbor2.loads(
            payload, semantic_decoders=NO_TAGS, max_depth=4, allow_duplicate_keys=False
        )
        document = msgspec.convert(plain, Document)
        known = set(plain) <= set(Document.__dataclass_fields__)
        whole = cbor2.dumps(plain) == payload
    except (cbor2.CBORDecodeError, msgspec.ValidationError, TypeError, ValueError) as error:
        raise MalformedMessage("not an attestation document") from error
    # Definite lengths, nothing after the map, nothing this program would read past.
    if not (known and whole) or document.digest != "SHA384":
        raise MalformedMessage("an attestation document of another form")
    if not all(0 <= n < 32 for n in document.pcrs) or not 0 < document.timestamp < 1 << 48:
        raise MalformedMessage("an attestation document with an impossible number")
    return document
