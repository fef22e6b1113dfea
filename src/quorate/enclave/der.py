"""DER [X690]: as much of it as two vendors' extensions and AMD's certificates need.

AMD's certificates have the serial number 0, which X.509 libraries begin to
refuse [RFC5280]; they are read here. Everything else of X.509 is read by the
library.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from quorate.enclave.octets import Reader
from quorate.errors import MalformedMessage

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, OID, ENUMERATED = 1, 2, 3, 4, 6, 10
UTC_TIME, GENERALIZED_TIME, SEQUENCE, IA5_STRING = 0x17, 0x18, 0x30, 0x16


@dataclass(frozen=True, slots=True)
class Element:
    """One value: its tag, its content, and all its bytes."""

    tag: int
    content: bytes
    whole: bytes

    def of(self, tag: int) -> bytes:
        """Return the content. Raises `MalformedMessage` unless the tag is `tag`."""
        if self.tag != tag:
            raise MalformedMessage(f"a value of type {self.tag} where {tag} is due")
        return self.content


def elements(data: bytes) -> tuple[Element, ...]:
    """Return the values that `data` is a row of."""
    reader = Reader(data)
    found: list[Element] = []
    while reader.at < len(data):
        begin = reader.at
        tag = reader.number(1)
        if tag & 0x1F == 0x1F:
            raise MalformedMessage("a type of more than one byte")
        content = reader.take(_length(reader))
        found.append(Element(tag, content, data[begin : reader.at]))
    return tuple(found)


def one(data: bytes) -> Element:
    """Return the only value in `data`."""
    found = elements(data)
    if len(found) != 1:
        raise MalformedMessage(f"{len(found)} values where one is due")
    return found[0]


def fields(data: bytes, at_least: int) -> tuple[Element, ...]:
    """Return the values inside the sequence that `data` is."""
    found = elements(one(data).of(SEQUENCE))
    if len(found) < at_least:
        raise MalformedMessage(f"a sequence of {len(found)} where {at_least} are due")
    return found


def integer(data: bytes) -> int:
    """Return a number of the content `data`, not negative."""
    padded = len(data) > 1 and data[0] == 0 and data[1] < 0x80
    if not data or data[0] >= 0x80 or padded:
        raise MalformedMessage("a number that is negative or longer than it need be")
    return int.from_bytes(data)


def dotted(data: bytes) -> str:
    """Return an object identifier in dots."""
    if not data or data[-1] >= 0x80:
        raise MalformedMessage("an object identifier that does not end")
    arcs: list[int] = []
    value = 0
    for byte in data:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def time(element: Element) -> datetime:
    """Return a time in UTC, to the second."""
    text = element.content.decode("ascii", "replace")
    try:
        if element.tag == UTC_TIME and len(text) == 13:  # two digits: 1950 to 2049
            text = ("19" if text >= "50" else "20") + text
        elif element.tag != GENERALIZED_TIME:
            raise MalformedMessage("not a time")
        return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise MalformedMessage("not a time") from None


def encode(tag: int, content: bytes) -> bytes:
    """Return one value."""
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 0x80 | len(length)]) + length + content


def encode_oid(text: str) -> bytes:
    """Return the object identifier written in dots."""
    first, second, *rest = map(int, text.split("."))
    content = b""
    for arc in (40 * first + second, *rest):
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(arc & 0x7F | 0x80)
        content += bytes(reversed(groups))
    return encode(OID, content)


def _length(reader: Reader) -> int:
    first = reader.number(1)
    if first < 0x80:
        return first
    if not 1 <= first & 0x7F <= 4:
        raise MalformedMessage("a length that is not definite, or too long")
    length = reader.take(first & 0x7F)
    value = int.from_bytes(length)
    if length[0] == 0 or value < 0x80:
        raise MalformedMessage("a length that is longer than it need be")
    return value
