"""Bech32 against the texts of BIP 173, and against typing errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.errors import MalformedMessage
from quorate.threshold.age import bech32

CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

# Those valid texts of BIP 173 whose data is a whole number of bytes.
PUBLISHED = {
    "A12UEL5L": ("a", b""),
    "a12uel5l": ("a", b""),
    "?1ezyfcl": ("?", b""),
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw": (
        "abcdef",
        bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df"),
    ),
}
REFUSED = (
    *("\x201nwldj5", "\x7f1axkwrx", "pzry9x0s0muk", "1pzry9x0s0muk", "x1b4n0q5v", "li1dgmt3"),
    *("de1lg7wt\xff", "A1G7SGD8", "10a06t8", "1qzzfhee", "A12uEL5L", "", "1"),
)


@pytest.mark.parametrize("text", PUBLISHED)
def test_published_texts_are_read_and_written(text: str) -> None:
    prefix, data = bech32.decode(text)
    assert (prefix, data) == PUBLISHED[text]
    assert bech32.encode(prefix, data) == text.lower()


@pytest.mark.parametrize("text", REFUSED)
def test_published_mistakes_are_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        bech32.decode(text)


def test_a_letter_that_looks_like_another_is_no_letter() -> None:
    text = bech32.encode("age", bytes(range(32)))
    assert "k" in text
    for other in ("\u212a", "\uff4b"):  # the sign of kelvin becomes a k in lower case
        with pytest.raises(MalformedMessage):
            bech32.decode(text.replace("k", other))
        with pytest.raises(MalformedMessage):
            bech32.decode(text.upper().replace("K", other))


def test_data_that_is_no_whole_number_of_bytes_is_refused() -> None:
    # A valid checksum, but five bits of which none belongs to a byte.
    words = [31]
    mask = bech32._polymod((*bech32._expanded("a"), *words, *[0] * 6)) ^ 1
    text = "a1" + "".join(
        CHARACTERS[w] for w in (*words, *(mask >> 5 * (5 - i) & 31 for i in range(6)))
    )
    with pytest.raises(MalformedMessage, match="one encoding"):
        bech32.decode(text)


@given(st.binary(max_size=400), st.sampled_from(["age", "age1quorate", "age-secret-key-"]))
def test_all_data_returns_in_either_case(data: bytes, prefix: str) -> None:
    text = bech32.encode(prefix, data)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (prefix, data)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_mistyped_letter_is_noticed(data: bytes, choose: st.DataObject) -> None:
    text = bech32.encode("age", data)
    place = choose.draw(st.integers(4, len(text) - 1))
    other = choose.draw(st.sampled_from(CHARACTERS.replace(text[place], "")))
    with pytest.raises(MalformedMessage):
        bech32.decode(text[:place] + other + text[place + 1 :])
