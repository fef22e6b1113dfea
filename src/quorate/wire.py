"""The one canonical encoding of everything that is sent, signed, hashed or stored.

Records are frozen dataclasses in deterministic CBOR (RFC 8949 §4.2 [RFC8949]):
maps with text keys, integers of 64 bits, text, bytes, lists, true, false and
null; no floats, no tags. One value has one encoding, and `decode` accepts no
other bytes for it. Arrays travel as raw little-endian words: their type and
shape are known to the receiver and never sent.
"""

import hashlib
from typing import TYPE_CHECKING, TypeVar, cast

import cbor2
import msgspec

from quorate.errors import MalformedMessage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

T = TypeVar("T")
A = TypeVar("A", bound="np.generic")

ABSENT = msgspec.UNSET
Absent = msgspec.UnsetType
"""A field that is not there has no bytes, so records made before it was thought of keep theirs."""

MAX_RECORD = 4 << 20
"""Bytes in the largest record accepted from anybody: 4 MiB, a release of 10,000 values. Arrays are
not records."""

MAX_DEPTH = 24


def encode(message: object) -> bytes:
    """Return the one encoding of `message`: a frozen dataclass, or plain values of one."""
    plain = msgspec.to_builtins(message, builtin_types=(bytes,))
    _refuse_what_has_no_encoding(plain)
    return cbor2.dumps(plain, canonical=True)


def decode(data: bytes | bytearray | memoryview, kind: type[T]) -> T:
    """Return the `kind` that `data` encodes. Raises `MalformedMessage` for any other bytes."""
    if len(data) > MAX_RECORD:
        raise MalformedMessage(f"a record of {len(data)} bytes; the most is {MAX_RECORD}")
    data = bytes(data)
    try:
        plain = cbor2.loads(
            data,
            semantic_decoders=NO_TAGS,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
        message = msgspec.convert(plain, kind)
        same = encode(message)
    except (cbor2.CBORDecodeError, msgspec.ValidationError, TypeError, ValueError) as e:
        raise MalformedMessage(f"not a {_name(kind)}") from e
    if same != data:
        raise MalformedMessage(f"not the canonical encoding of a {_name(kind)}")
    return message


def signing_input(domain: str, message: object) -> bytes:
    """Return what is hashed or signed for `message`: no two domains share an input."""
    return b"quorate/v1/" + domain.encode() + b"\0" + encode(message)


def digest(domain: str, message: object) -> bytes:
    """Return SHA-256 (32 bytes) of `signing_input(domain, message)`."""
    return hashlib.sha256(signing_input(domain, message)).digest()


def array_frame(array: "NDArray[A]") -> memoryview:
    """Return the bytes of `array`, little-endian, without copying where the machine agrees."""
    import numpy as np  # only here: programs that send records alone start in half the time

    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return little.reshape(-1).view(np.uint8).data


def array_from_frame(data: bytes | bytearray | memoryview, like: "NDArray[A]") -> "NDArray[A]":
    """Return an array of the shape and type of `like` over `data`, which must fit exactly."""
    if len(data) != like.nbytes:
        raise MalformedMessage(f"{len(data)} bytes where {like.nbytes} were due")
    import numpy as np

    little = np.frombuffer(data, dtype=like.dtype.newbyteorder("<")).reshape(like.shape)
    return cast("NDArray[A]", little.astype(like.dtype, copy=False))


def _name(kind: object) -> str:
    return getattr(kind, "__name__", str(kind))


def _refuse_what_has_no_encoding(plain: object) -> None:
    match plain:
        case None | bool() | str() | bytes():
            return
        case int():
            if not -(1 << 63) <= plain < 1 << 64:
                raise ValueError("integers of more than 64 bits have no encoding; use bytes")
        case list() | tuple():
            for item in plain:
                _refuse_what_has_no_encoding(item)
        case dict():
            for key, value in plain.items():
                if not isinstance(key, str):
                    raise TypeError("only text may be a key")
                _refuse_what_has_no_encoding(value)
        case _:
            raise TypeError(f"no encoding for {type(plain).__name__}")


def _refuse_tag(*_: object) -> object:
    raise cbor2.CBORDecodeError("tags are not part of the encoding")


# Every tag cbor2 would turn into an object by itself. Other tags become
# `CBORTag`, which no record holds.
_KNOWN_TAGS = (*range(6), 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004)
NO_TAGS = dict.fromkeys((*_KNOWN_TAGS, 43000, 55799), _refuse_tag)
"""Decoders for `cbor2` that refuse tags."""
