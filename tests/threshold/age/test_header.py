"""The header of an age file: one encoding, and a MAC over all of it."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import MalformedMessage, VerificationFailed
from quorate.threshold.age import header
from quorate.threshold.age.header import Header, Stanza, make_header, read_header

FILE_KEY = bytes(range(16))
VERSION = "age-encryption.org/v1\n"
MAC = "--- " + "A" * 43 + "\n"
FULL = "A" * 64 + "\n"

arguments = st.lists(
    st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1), min_size=1
).map(tuple)
stanzas = st.lists(st.builds(Stanza, arguments, st.binary(max_size=200)), min_size=1).map(tuple)


def read(text: str | bytes) -> Header:
    return read_header(BytesIO(text.encode() if isinstance(text, str) else text).readline)


@given(stanzas)
def test_headers_return_and_are_read_to_their_end_only(some: tuple[Stanza, ...]) -> None:
    made = make_header(some, FILE_KEY)
    stream = BytesIO(made.encode() + b"payload")
    assert read_header(stream.readline) == made
    assert stream.read() == b"payload"
    made.verify(FILE_KEY)


@given(stanzas, st.data())
def test_no_bit_of_a_header_can_change(some: tuple[Stanza, ...], choose: st.DataObject) -> None:
    whole = bytearray(make_header(some, FILE_KEY).encode())
    place = choose.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= 1 << choose.draw(st.integers(0, 7))
    with pytest.raises((MalformedMessage, VerificationFailed)):
        read(bytes(whole)).verify(FILE_KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "age-encryption.org/v2\n-> X\n\n" + MAC,
        "-----BEGIN AGE ENCRYPTED FILE-----\n",
        VERSION + MAC,  # no stanza
        VERSION + "-> X\n\n",  # no end
        VERSION + "->\n\n" + MAC,
        VERSION + "-> \n\n" + MAC,
        VERSION + "-> a  b\n\n" + MAC,
        VERSION + "-> a \n\n" + MAC,
        VERSION + "-> ä\n\n" + MAC,
        VERSION + "-> a\r\n\n" + MAC,
        VERSION + "-> a\n" + FULL + MAC,  # the body has no short line
        VERSION + "-> a\n" + "A" * 65 + "\n\n" + MAC,
        VERSION + "-> a\nAA==\n" + MAC,
        VERSION + "-> a\nAB\n" + MAC,  # bits that are not there
        VERSION + "-> a\nA\n" + MAC,
        VERSION + "-> a\nA!AA\n" + MAC,
        VERSION + "-> a\n\xff\n" + MAC,
        VERSION + "-> a\n\n--- " + "A" * 42 + "B\n",
        VERSION + "-> a\n\n---" + "A" * 43 + "\n",
        VERSION + "-> a\n\n" + MAC[:-1],
        VERSION + "-> a\n\n" * (header.MAX_STANZAS + 1) + MAC,
        VERSION + "-> " + "a" * header.MAX_LINE + "\n\n" + MAC,
        VERSION + "-> a\n" + FULL * 600 + "\n" + MAC,
    ],
)
def test_what_is_no_header_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        read(text)


def test_an_endless_line_is_not_kept_in_memory() -> None:
    asked: list[int] = []

    def readline(size: int) -> bytes:
        asked.append(size)
        return VERSION.encode() if len(asked) == 1 else b"-> " + b"a" * (size - 3)

    with pytest.raises(MalformedMessage):
        read_header(readline)
    assert max(asked) <= header.MAX_LINE
