"""PDFs of which nothing is kept but what the pages show.

A new document is made: each page's size and contents, and of what these need the parts
that are known here (`_KEYS`). What is not known is not copied. So what says who
made it goes (author, dates, programs, XMP, identifiers, names of layers, earlier
versions), and what could act or hide something (scripts, links, embedded files, notes,
thumbnails). Pictures inside lose their EXIF, and colour profiles become plain colours.

Refused: what is encrypted, has a form or layers, for a new document would show something
else; and pictures in JPEG 2000 or the codes of fax machines.

What stays: all that is to be seen, hidden text behind it, fonts with what these say of
themselves, the manner in which the program that wrote it sets text.
"""

import zlib
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pypdf import PageObject, PdfReader, PdfWriter
from pypdf import generic as pdf
from pypdf.errors import PyPdfError

from quorate.anonymous.attachments import MOST_BYTES, Attachment
from quorate.errors import Refused
from quorate.node.anonymous.jpeg import strip_jpeg

MOST_INPUT = 32 << 20
_DEEPEST = 24
_PRINT = "print it to a new PDF, look at that, and attach it"

_NAMED = ("/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading")
"""Resources, in dictionaries whose keys are names that the contents use."""

_KEYS = frozenset(
    f"/{key}"
    for key in (
        *("Type", "Subtype", "MediaBox", "CropBox", "Rotate", "UserUnit", "Resources", "Contents"),
        *("Font", "XObject", "ExtGState", "ColorSpace", "Pattern", "Shading", "CharProcs"),
        *("BaseFont", "FirstChar", "LastChar", "Widths", "FontDescriptor", "Encoding", "ToUnicode"),
        *("DescendantFonts", "CIDSystemInfo", "Registry", "Ordering", "Supplement", "CIDToGIDMap"),
        *("DW", "DW2", "W", "W2", "FontBBox", "FontMatrix", "FontName", "Flags", "ItalicAngle"),
        *("Ascent", "Descent", "Leading", "CapHeight", "XHeight", "StemV", "StemH", "AvgWidth"),
        *("MaxWidth", "MissingWidth", "FontFile", "FontFile2", "FontFile3", "CharSet", "CIDSet"),
        *("Length1", "Length2", "Length3", "BaseEncoding", "Differences", "UseCMap", "CMapName"),
        *("WMode", "Width", "Height", "BitsPerComponent", "ImageMask", "Mask", "SMask", "Decode"),
        *("Interpolate", "Intent", "Matte", "BBox", "Matrix", "FormType", "Group", "S", "CS", "I"),
        *("K", "G", "BC", "TR", "LW", "LC", "LJ", "ML", "D", "RI", "OP", "op", "OPM", "BG", "BG2"),
        *("UCR", "UCR2", "TR2", "HT", "FL", "SM", "SA", "BM", "CA", "ca", "AIS", "TK"),
        *("PatternType", "PaintType", "TilingType", "XStep", "YStep", "ShadingType", "Background"),
        *("AntiAlias", "Coords", "Domain", "Function", "Extend", "BitsPerCoordinate"),
        *("BitsPerFlag", "VerticesPerRow", "FunctionType", "Range", "C0", "C1", "N", "Functions"),
        *("Bounds", "Encode", "Size", "BitsPerSample", "Order", "Gamma", "WhitePoint"),
        *("BlackPoint", "ColorTransform"),
    )
)
_PLAIN = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}
_MARKS = frozenset((b"BMC", b"BDC", b"EMC", b"MP", b"DP"))
"""Operators that say what a part of the contents is, for programs and not for the eye."""

_STRINGS = frozenset(("/Registry", "/Ordering", "/CharSet"))
"""Where text stands that is no person's: names of character sets and of glyphs."""

_INLINE = frozenset(f"/{key}" for key in ("W", "H", "BPC", "CS", "IM", "D", "DP", "F", "I")) | _KEYS
_READABLE = frozenset(
    f"/{name}Decode" for name in ("Flate", "LZW", "ASCIIHex", "ASCII85", "RunLength")
)
_JPEG, _FLATE = "/DCTDecode", "/FlateDecode"


def scrub_pdf(data: bytes, at_most: int = MOST_BYTES) -> Attachment:
    """Return a PDF whose pages show the same. Raises `Refused`."""
    if len(data) > MOST_INPUT:
        raise Refused(f"a PDF of {len(data)} bytes, and {MOST_INPUT} are the most that is read")
    try:
        reader = PdfReader(BytesIO(data))
        _check(reader)
        writer = PdfWriter()
        copy = _Copy(writer)
        for page in reader.pages:
            copy.page(page)
        writer.metadata = None
        out = BytesIO()
        writer.write(out)
    except (PyPdfError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as e:
        raise Refused(f"the PDF cannot be read: {type(e).__name__}", hint=_PRINT) from None
    size = out.tell()
    if size > at_most:
        raise Refused(
            f"the cleaned PDF takes {size} bytes, and {at_most} are the most", hint=_PRINT
        )
    return Attachment("pdf", out.getvalue())


def _check(reader: "PdfReader") -> None:
    """Refuse what a new document would not show as this one does."""
    if reader.is_encrypted:
        raise Refused("the PDF is encrypted", hint=_PRINT)
    if "/OCProperties" in reader.root_object:
        raise Refused("the PDF has layers: what is hidden now would be seen", hint=_PRINT)
    if "/AcroForm" in reader.root_object:
        raise Refused("the PDF has a form: what is filled in would be lost", hint=_PRINT)


@dataclass(slots=True)
class _Copy:
    """Pages on their way into a new document; a stream that they share is copied once."""

    writer: PdfWriter
    streams: dict[int, tuple[pdf.StreamObject, pdf.IndirectObject]] = field(default_factory=dict)
    """By identity; each is held, so that no other gets its place in memory."""

    def page(self, page: PageObject) -> None:
        box, rotate = page.mediabox, pdf.NumberObject(page.rotation)
        fresh = self.writer.add_blank_page(width=box.width, height=box.height)
        fresh[pdf.NameObject("/MediaBox")] = self._value(page.mediabox)
        fresh[pdf.NameObject("/CropBox")] = self._value(page.cropbox)
        fresh[pdf.NameObject("/Rotate")] = rotate
        if "/Resources" in page:
            fresh[pdf.NameObject("/Resources")] = self._resources(page["/Resources"], 0)
        contents = page.get_contents()
        if contents is not None:
            drawn = _filled(pdf.StreamObject(), _cleaned(contents.get_data()))
            fresh[pdf.NameObject("/Contents")] = self._added(drawn)

    def _value(self, value: Any, depth: int = 0, *, drawn: bool = False) -> pdf.PdfObject:
        """Return a copy of what is known; `drawn`: what pages draw, where nothing else says so."""
        value = None if value is None else value.get_object()
        if depth > _DEEPEST:
            raise Refused("the PDF goes round in circles", hint=_PRINT)
        match value:
            case pdf.StreamObject():
                return self._stream(value, depth, drawn=drawn)
            case pdf.DictionaryObject():
                return self._entries(value, depth)
            case pdf.ArrayObject():
                return self._array(value, depth)
            case pdf.NameObject() | pdf.NumberObject() | pdf.FloatObject() | pdf.BooleanObject():
                return value
            case _:
                return pdf.NullObject()  # strings among them: they are for readers, or programs

    def _entries(self, found: pdf.DictionaryObject, depth: int) -> pdf.DictionaryObject:
        fresh = pdf.DictionaryObject()
        for key in sorted(_KEYS.intersection(found)):
            value = found[key]
            if key == "/Resources":
                copied: pdf.PdfObject = self._resources(value, depth + 1)
            elif key == "/CharProcs":
                copied = self._each(value, depth + 1, drawn=True)
            elif key in _STRINGS:
                copied = _string(value)
            else:
                copied = self._value(value, depth + 1)
            fresh[pdf.NameObject(key)] = copied
        return fresh

    def _resources(self, found: Any, depth: int) -> pdf.DictionaryObject:
        kinds = (kind for kind in _NAMED if kind in found)
        return pdf.DictionaryObject(
            {pdf.NameObject(kind): self._each(found[kind], depth + 1) for kind in kinds}
        )

    def _each(self, found: Any, depth: int, *, drawn: bool = False) -> pdf.DictionaryObject:
        """Copy all entries: their keys are names in the contents."""
        return pdf.DictionaryObject(
            {
                pdf.NameObject(name): self._value(value, depth + 1, drawn=drawn)
                for name, value in found.get_object().items()
            }
        )

    def _array(self, found: pdf.ArrayObject, depth: int) -> pdf.PdfObject:
        """Copy an array; a colour profile, which may name a scanner, becomes plain colours."""
        kind = found[0].get_object() if found else None
        if kind == "/ICCBased":
            colours = found[1].get_object().get("/N")
            if colours not in _PLAIN:
                raise Refused("the PDF has a colour profile of an unknown kind", hint=_PRINT)
            return pdf.NameObject(_PLAIN[colours])
        copied = pdf.ArrayObject(self._value(one, depth + 1) for one in found)
        if kind in ("/Indexed", "/I") and isinstance(copied[-1], pdf.NullObject):
            copied[-1] = _string(found[-1])
        return copied

    def _stream(self, found: pdf.StreamObject, depth: int, *, drawn: bool) -> pdf.IndirectObject:
        """Copy a stream, cleaned of what its kind may hide, and packed anew."""
        if (known := self.streams.get(id(found))) is not None:
            return known[1]
        fresh = pdf.StreamObject()
        self.streams[id(found)] = found, (added := self._added(fresh))
        fresh.update(self._entries(found, depth))
        filters = _filters(found)
        if unread := [name for name in filters if name not in (*_READABLE, _JPEG)]:
            raise Refused(f"the PDF has parts in {unread[0][1:40]}", hint=_PRINT)
        data = found.get_data()
        if _JPEG in filters:
            _filled(fresh, strip_jpeg(data), _JPEG)
        elif drawn or found.get("/Subtype") == "/Form" or found.get("/PatternType") == 1:
            _filled(fresh, _cleaned(data))
        else:
            _filled(fresh, data)
        return added

    def _added(self, stream: pdf.StreamObject) -> pdf.IndirectObject:
        # The library's own manual adds objects so; it has no other way.
        return self.writer._add_object(stream)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def _cleaned(contents: bytes) -> bytes:
    """Return what draws, without comments, and without marks and their words for programs."""
    raw = pdf.DecodedStreamObject()
    raw.set_data(contents)
    stream = pdf.ContentStream(raw, None, "bytes")
    kept: list[tuple[Any, bytes]] = []
    for operands, operator in stream.operations:
        if operator == b"INLINE IMAGE":
            settings = operands["settings"]
            if any(str(settings.get(key, "")).find("DCT") >= 0 for key in ("/F", "/Filter")):
                raise Refused("the PDF has a JPEG among its lines", hint=_PRINT)
            for key in set(settings) - _INLINE:
                del settings[key]
        if operator not in _MARKS:
            kept.append((operands, operator))
    stream.operations = kept
    return stream.get_data()


def _filled(stream: pdf.StreamObject, data: bytes, encoding: str = _FLATE) -> pdf.StreamObject:
    """Put data into a stream; a JPEG is packed already."""
    stream.set_data(zlib.compress(data, 9) if encoding == _FLATE else data)
    stream[pdf.NameObject("/Filter")] = pdf.NameObject(encoding)
    return stream


def _filters(stream: pdf.StreamObject) -> list[str]:
    named = stream.get("/Filter")
    if named is None:
        return []
    found = named.get_object()
    return [str(one) for one in found] if isinstance(found, pdf.ArrayObject) else [str(found)]


def _string(value: Any) -> pdf.PdfObject:
    """Return a string's own bytes, or a copy of what stands in its place."""
    if isinstance(value, pdf.TextStringObject | pdf.ByteStringObject):
        return pdf.ByteStringObject(value.original_bytes)
    return pdf.NullObject()
