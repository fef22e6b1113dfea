"""One value has one encoding, and nothing else decodes to it."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import cbor2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from quorate import wire
from quorate.errors import MalformedMessage

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
WORD = st.integers(-(2**63), 2**64 - 1)


@dataclass(frozen=True, slots=True)
class Inner:
    label: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outer:
    """One field of each kind there is."""

    a: int
    bb: str
    c: bytes
    flag: bool
    kind: Literal["ask", "answer"]
    many: tuple[Inner, ...]
    maybe: int | None


INNER = st.builds(Inner, TEXT, st.binary(max_size=40))
OUTER = st.builds(
    Outer,
    WORD,
    TEXT,
    st.binary(max_size=300),
    st.booleans(),
    st.sampled_from(["ask", "answer"]),
    st.lists(INNER, max_size=4).map(tuple),
    st.none() | WORD,
)
ONE = Outer(1, "b", b"c", flag=True, kind="ask", many=(Inner("l", b"d"),), maybe=None)


@given(OUTER)
def test_what_is_encoded_comes_back(message: Outer) -> None:
    assert wire.decode(wire.encode(message), Outer) == message


@given(OUTER, OUTER)
def test_two_values_have_two_encodings(one: Outer, other: Outer) -> None:
    assert (wire.encode(one) == wire.encode(other)) == (one == other)


@given(OUTER, st.data())
def test_every_changed_byte_is_refused_or_another_value(
    message: Outer, data: st.DataObject
) -> None:
    encoded = bytearray(wire.encode(message))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    try:
        decoded = wire.decode(encoded, Outer)
    except MalformedMessage:
        return
    assert decoded != message
    assert wire.encode(decoded) == encoded


@given(st.binary(max_size=64))
def test_any_bytes_are_canonical_or_refused(data: bytes) -> None:
    for kind in (Inner, Outer, int, str, bytes, bool, tuple[int, ...], dict[str, int]):
        try:
            decoded = wire.decode(data, kind)
        except MalformedMessage:
            continue
        assert wire.encode(decoded) == data


@given(OUTER, st.binary(min_size=1, max_size=9))
def test_nothing_may_follow(message: Outer, more: bytes) -> None:
    with pytest.raises(MalformedMessage):
        wire.decode(wire.encode(message) + more, Outer)


@given(OUTER, st.data())
def test_nothing_may_be_missing(message: Outer, data: st.DataObject) -> None:
    encoded = wire.encode(message)
    with pytest.raises(MalformedMessage):
        wire.decode(encoded[: data.draw(st.integers(0, len(encoded) - 1))], Outer)


KEYS_OUT_OF_ORDER = b"\xa2\x65label\x61l\x64data\x41d"
KEYS_IN_ORDER = b"\xa2\x64data\x41d\x65label\x61l"
NOT_AN_INNER = {
    "keys out of order": KEYS_OUT_OF_ORDER,
    "a key twice": b"\xa3\x64data\x41d\x64data\x41d\x65label\x61l",
    "a key too many": b"\xa3\x61x\x01\x64data\x41d\x65label\x61l",
    "a key too few": b"\xa1\x64data\x41d",
    "a key that is no text": b"\xa3\x01\x01\x64data\x41d\x65label\x61l",
    "a map without length": b"\xbf\x64data\x41d\x65label\x61l\xff",
    "text without length": b"\xa2\x64data\x41d\x65label\x7f\x61l\xff",
    "bytes without length": b"\xa2\x64data\x5f\x41d\xff\x65label\x61l",
    "a long form of a length": b"\xa2\x64data\x58\x01d\x65label\x61l",
    "a long form of the map": b"\xb8\x02\x64data\x41d\x65label\x61l",
    "text for bytes": b"\xa2\x64data\x61d\x65label\x61l",
    "base64 for bytes": b"\xa2\x64data\x64ZA==\x65label\x61l",
    "bytes for text": b"\xa2\x64data\x41d\x65label\x41l",
    "text that is not UTF-8": b"\xa2\x64data\x41d\x65label\x61\xff",
    "half a character": b"\xa2\x64data\x41d\x65label\x63\xed\xa0\x80",
    "null": b"\xf6",
    "a list": b"\x82\x41d\x61l",
    "a break": b"\xff",
    "nothing": b"",
    "a shared value": b"\xd8\x1c" + KEYS_IN_ORDER,
    "self-described CBOR": b"\xd9\xd9\xf7" + KEYS_IN_ORDER,
    "an unknown tag": b"\xda\x00\x01\x86\xa0" + KEYS_IN_ORDER,
}
NOT_A_NUMBER = {
    "true": b"\xf5",
    "a float": b"\xfb\x3f\xf0" + bytes(6),
    "half a float": b"\xf9\x3c\x00",
    "NaN": b"\xf9\x7e\x00",
    "text": b"\x611",
    "one in two bytes": b"\x18\x01",
    "one in nine bytes": b"\x1b" + bytes(7) + b"\x01",
    "minus one in two bytes": b"\x38\x00",
    "a big number": b"\xc2\x49\x01" + bytes(8),
    "a small big number": b"\xc2\x41\x01",
    "a time": b"\xc1\x01",
    "a decimal fraction": b"\xc4\x82\x00\x01",
    "a rational number": b"\xd8\x1e\x82\x01\x01",
    "undefined": b"\xf7",
    "a simple value": b"\xf8\x20",
    "less than a signed word": b"\x3b" + b"\xff" * 8,
}


def test_the_canonical_form_is_taken() -> None:
    assert wire.encode(Inner("l", b"d")) == KEYS_IN_ORDER
    assert wire.decode(KEYS_IN_ORDER, Inner) == Inner("l", b"d")
    assert wire.decode(b"\x01", int) == 1


@pytest.mark.parametrize("data", NOT_AN_INNER.values(), ids=NOT_AN_INNER.keys())
def test_every_other_form_of_a_record_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage, match="Inner"):
        wire.decode(data, Inner)


@pytest.mark.parametrize("data", NOT_A_NUMBER.values(), ids=NOT_A_NUMBER.keys())
def test_every_other_form_of_a_number_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage, match="int"):
        wire.decode(data, int)


def test_one_is_not_true() -> None:
    with pytest.raises(MalformedMessage):
        wire.decode(b"\x01", bool)


@pytest.mark.parametrize("opening", [b"\x81", b"\xa1\x61a", b"\xc1", b"\xd8\x1c", b"\xd8\x64"])
def test_deep_nesting_is_refused_and_harmless(opening: bytes) -> None:
    with pytest.raises(MalformedMessage):
        wire.decode(opening * 100_000 + b"\x01", tuple[int, ...])


@pytest.mark.parametrize("major", [0x5B, 0x7B, 0x9B, 0xBB])
@pytest.mark.parametrize("size", [2**31, 2**40, 2**63 - 1, 2**63, 2**64 - 1])
def test_a_length_beyond_all_bytes_is_refused(major: int, size: int) -> None:
    with pytest.raises(MalformedMessage):
        wire.decode(bytes([major]) + size.to_bytes(8, "big") + b"xx", Outer)


def test_a_record_has_a_largest_size() -> None:
    body = bytes(wire.MAX_RECORD - 5)
    assert wire.decode(wire.encode(body), bytes) == body
    with pytest.raises(MalformedMessage, match="the most is"):
        wire.decode(wire.encode(body + b"x"), bytes)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 1.0, float("nan"), {1: 2}, {"a": 1.5}])
def test_what_has_no_encoding_is_not_sent(value: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        wire.encode(value)


def test_a_decimal_travels_as_text_and_nothing_else() -> None:
    assert wire.encode(Decimal("1.50")) == b"\x641.50"
    with pytest.raises(MalformedMessage):
        wire.decode(b"\xf9\x3e\x00", Decimal)


@given(OUTER)
def test_an_independent_decoder_reads_the_same(message: Outer) -> None:
    plain = cbor2.loads(wire.encode(message))
    assert plain["a"] == message.a
    assert plain["many"] == [{"label": i.label, "data": i.data} for i in message.many]
    assert list(plain) == sorted(plain, key=lambda key: (len(key), key))


@given(TEXT, TEXT, OUTER)
def test_domains_keep_digests_apart(one: str, other: str, message: Outer) -> None:
    if "\0" not in one + other:
        same = wire.digest(one, message) == wire.digest(other, message)
        assert same == (one == other)


def test_a_digest_is_what_the_specification_says() -> None:
    said = hashlib.sha256(b"quorate/v1/plan\0" + KEYS_IN_ORDER).digest()
    assert wire.digest("plan", Inner("l", b"d")) == said


@pytest.mark.parametrize("kind", ["u1", "<u8", ">u8", "<i4", ">f8"])
@given(values=st.lists(st.integers(0, 255), max_size=12))
def test_arrays_come_back_whatever_their_byte_order(kind: str, values: list[int]) -> None:
    array = np.array(values, dtype=np.dtype(kind))
    frame = wire.array_frame(array)
    assert frame.tobytes() == array.astype(array.dtype.newbyteorder("<")).tobytes()
    back = wire.array_from_frame(frame, array)
    assert back.dtype == array.dtype
    assert_array_equal(back, array)


def test_arrays_that_are_not_contiguous_come_back() -> None:
    array = np.arange(24, dtype=np.uint64).reshape(4, 6)[::2, ::3]
    assert_array_equal(wire.array_from_frame(wire.array_frame(array), array), array)


@pytest.mark.parametrize("size", [0, 7, 9, 16])
def test_an_array_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(MalformedMessage, match=f"{size} bytes where 8 were due"):
        wire.array_from_frame(bytes(size), np.zeros(1, np.uint64))
