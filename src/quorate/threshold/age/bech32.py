"""Bech32 text [BIP173], as age writes its keys: without a limit of length.

All upper or all lower case; the checksum is that of the lower case.
"""

from collections.abc import Iterable

from quorate.errors import MalformedMessage

_CHARACTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {character: value for value, character in enumerate(_CHARACTERS)}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH = 6
_MAX_TEXT = 4096
"""Characters read at most: ten times what any text of ours needs."""


def encode(prefix: str, data: bytes) -> str:
    """Return `data` as text that begins with the lower-case `prefix`."""
    words = _regrouped(data, 8, 5)
    if padding := -len(data) * 8 % 5:
        words[-1] <<= padding
    mask = _polymod((*_expanded(prefix), *words, *[0] * _CHECKSUM_LENGTH)) ^ 1
    checksum = [mask >> 5 * (5 - i) & 31 for i in range(_CHECKSUM_LENGTH)]
    return f"{prefix}1" + "".join(_CHARACTERS[word] for word in (*words, *checksum))


def decode(text: str) -> tuple[str, bytes]:
    """Return the prefix, in lower case, and the data. Raises `MalformedMessage`."""
    one_case = text in (text.lower(), text.upper())
    if len(text) > _MAX_TEXT or not text.isascii() or not one_case:
        raise MalformedMessage("a key in text of mixed case, other letters, or too long")
    prefix, separator, rest = text.lower().rpartition("1")
    if not separator or not prefix or not all("!" <= character <= "~" for character in prefix):
        raise MalformedMessage("a key in text without its kind before a 1")
    if len(rest) < _CHECKSUM_LENGTH or not _VALUES.keys() >= set(rest):
        raise MalformedMessage("a key in text that is cut, or holds other characters")
    words = [_VALUES[character] for character in rest]
    if _polymod((*_expanded(prefix), *words)) != 1:
        raise MalformedMessage("a key in text that was mistyped: its checksum is wrong")
    data = words[:-_CHECKSUM_LENGTH]
    spare = len(data) * 5 % 8
    if spare > 4 or (spare and data[-1] & (1 << spare) - 1):
        raise MalformedMessage("a key in text that is not in its one encoding")
    return prefix, bytes(_regrouped(data, 5, 8)[: len(data) * 5 // 8])


def _regrouped(words: Iterable[int], width: int, other: int) -> list[int]:
    """Return the same bits in words of `other` bits; the last may hold fewer, low-aligned."""
    found: list[int] = []
    bits = held = 0
    for word in words:
        held = held << width | word
        bits += width
        while bits >= other:
            bits -= other
            found.append(held >> bits)
            held &= (1 << bits) - 1
    return [*found, held] if bits else found


def _expanded(prefix: str) -> tuple[int, ...]:
    codes = prefix.encode()
    return (*(code >> 5 for code in codes), 0, *(code & 31 for code in codes))


def _polymod(words: Iterable[int]) -> int:
    state = 1
    for word in words:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ word
        for i, factor in enumerate(_GENERATOR):
            state ^= factor if top >> i & 1 else 0
    return state
