"""The segments of a JPEG that say how to decode it, and no others [T81]."""

from quorate.errors import Refused

_START, _SCAN, _END = 0xD8, 0xDA, 0xD9
_ADOBE = 0xEE
"""Whether colours are RGB, YCbCr or CMYK: wrong without it."""

_SAID = {*range(0xE0, 0xF0), 0xFE}
"""Segments of applications, and comments."""


def strip_jpeg(data: bytes) -> bytes:
    """Return the picture without segments of applications and comments, its pixels untouched.

    What stands behind the picture's end goes as well. Raises `Refused` for what is no JPEG.
    """
    if data[:2] != bytes([0xFF, _START]):
        raise Refused("a picture in the file is no JPEG, as it says it is")
    kept, at = bytearray(data[:2]), 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        segment = data[at : at + 2 + length]
        if marker == _ADOBE and segment[4:9] == b"Adobe":
            kept += segment[:2] + (14).to_bytes(2) + segment[4:16]
        elif marker not in _SAID:
            kept += segment
        at += 2 + length
        if marker == _SCAN:
            end = _end_of_scan(data, at)
            kept += data[at:end]
            at = end
            if data[at : at + 2] == bytes([0xFF, _END]):
                return bytes(kept) + data[at : at + 2]
    raise Refused("a picture in the file is not whole")


def _end_of_scan(data: bytes, at: int) -> int:
    """Return where the next marker stands that is no part of a scan: no stuffing, no restart."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        marker = data[at + 1]
        if marker != 0 and not 0xD0 <= marker <= 0xD7:
            return at if marker != 0xFF else _end_of_scan(data, at + 1)
        at += 2
    raise Refused("a picture in the file is not whole")
