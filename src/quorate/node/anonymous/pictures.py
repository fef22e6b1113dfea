"""Pictures of which nothing is kept but what they show.

A picture is decoded, and a new one made of its pixels alone: of all else that a file
may hold (EXIF with place, time and camera, colour profiles, XMP, thumbnails, text, the
name of the program, the camera's own compression tables) nothing is looked for, and
nothing copied. Colours under transparent pixels go as well. What is seen stays, and so
does the noise of a camera's sensor, in part: a picture is made smaller, which blurs it,
and no promise is made.

The command line does this, before the node has the file: a node parses none.

Adversary: who gets the file, and compares it with other files of the same camera or person.
"""

from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from quorate.anonymous.attachments import MOST_BYTES, Attachment, Kind
from quorate.errors import Refused

LONGEST = 1600
"""Pixels of the longer side; a camera's are more, and are taken together."""

MOST_PIXELS = 64 << 20
_SMALLER, _SMALLEST, _QUALITY = 0.8, 200, 80
_FORMATS: dict[str, Kind] = {"JPEG": "jpeg", "PNG": "png"}


def scrub_picture(data: bytes, at_most: int = MOST_BYTES) -> Attachment:
    """Return a picture that shows the same, in `at_most` bytes. Raises `Refused`.

    A JPEG stays one; a PNG becomes one where it would be too long. Animations are refused.
    """
    kind, pixels = _read(data)
    ratio = min(1.0, LONGEST / max(pixels.size))
    while True:
        size = (max(1, round(pixels.width * ratio)), max(1, round(pixels.height * ratio)))
        fresh = pixels if size == pixels.size else pixels.resize(size)
        encoded = _write(fresh, kind)
        if len(encoded) <= at_most:
            return Attachment(kind, encoded)
        if kind == "png":
            kind = "jpeg"
            continue
        ratio *= _SMALLER
        if max(size) * _SMALLER < _SMALLEST:
            raise Refused(f"the picture does not fit into {at_most} bytes")


def _read(data: bytes) -> tuple[Kind, Image.Image]:
    """Return the format of a picture, and its pixels the way up they are to be seen."""
    try:
        with Image.open(BytesIO(data), formats=tuple(_FORMATS)) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Refused(f"the picture has more than {MOST_PIXELS} pixels")
            if getattr(opened, "n_frames", 1) > 1:
                raise Refused(
                    "the picture moves", hint="take one picture out of it, and attach that"
                )
            kind = _FORMATS[opened.format or ""]
            upright = ImageOps.exif_transpose(opened)
            seen = upright.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as e:
        raise Refused(f"the picture cannot be read: {type(e).__name__}") from None
    paper = Image.new("RGBA", seen.size, "white")
    shown = Image.alpha_composite(paper, seen).convert("RGB")
    return kind, Image.frombytes("RGB", shown.size, shown.tobytes())


def _write(pixels: Image.Image, kind: Kind) -> bytes:
    out = BytesIO()
    if kind == "png":
        pixels.save(out, "PNG", optimize=True)
    else:
        pixels.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()
