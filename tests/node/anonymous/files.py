"""Files that tell who made them, and what they tell: made here, so that it is really in them."""

from io import BytesIO

from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo
from pypdf import PdfReader, PdfWriter
from pypdf import generic as pdf

AUTHOR = "Dr Eve Example"
"""Written into every corner where a file may say something of its author."""

BEHIND = b"Dr Eve Example behind the end"
WORDS = "the dose was doubled"
SHOWN = (200, 30, 40)


def exif() -> bytes:
    """Return EXIF with a place, a camera, an author and a thumbnail's worth of bytes."""
    made = Image.Exif()
    made[0x010F], made[0x0110], made[0x013B] = "Camera works", "Model 9", AUTHOR
    made.get_ifd(0x8825).update(
        {1: "N", 2: (47.0, 22.0, 1.0), 3: "E", 4: (8.0, 32.0, 1.0)}  # latitude, longitude
    )
    made.get_ifd(0x8769)[0x9003] = "2030:01:01 12:00:00"
    return made.tobytes()


def profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pixels(size: tuple[int, int] = (64, 40)) -> Image.Image:
    """Return a picture of one colour with another corner, so that it has an up and a left."""
    picture = Image.new("RGB", size, SHOWN)
    picture.paste((0, 0, 255), (0, 0, size[0] // 4, size[1] // 4))
    return picture


def is_shown(picture: Image.Image, at: tuple[int, int] = (50, 30)) -> bool:
    """Return whether a picture has the colour there that it was made with, or nearly."""
    pixel = picture.convert("RGB").crop((*at, at[0] + 1, at[1] + 1)).tobytes()
    return all(abs(a - b) < 4 for a, b in zip(pixel, SHOWN, strict=True))


def jpeg(picture: Image.Image | None = None, orientation: int = 1) -> bytes:
    """Return a JPEG with EXIF, XMP, a colour profile, a comment, and something behind its end."""
    out, made = BytesIO(), Image.Exif()
    made.load(exif())
    made[0x0112] = orientation
    (picture or pixels()).save(
        out,
        "JPEG",
        exif=made.tobytes(),
        icc_profile=profile(),
        comment=AUTHOR.encode(),
        xmp=f"<x:xmpmeta>{AUTHOR}</x:xmpmeta>".encode(),
    )
    return out.getvalue() + BEHIND


def png() -> bytes:
    """Return a PNG with text chunks, EXIF, and words under pixels that nobody sees."""
    out, text = BytesIO(), PngInfo()
    text.add_text("Author", AUTHOR)
    text.add_itxt("XML:com.adobe.xmp", f"<x:xmpmeta>{AUTHOR}</x:xmpmeta>")
    picture = pixels().convert("RGBA")
    picture.putpixel((60, 38), (1, 2, 3, 0))
    picture.save(out, "PNG", pnginfo=text, exif=exif(), icc_profile=profile())
    return out.getvalue()


def document() -> bytes:
    """Return a PDF of one page that says `WORDS`, and says `AUTHOR` in many other places."""
    writer = PdfWriter()
    page = writer.add_blank_page(300, 200)
    page[pdf.NameObject("/Contents")] = _add(
        writer,
        f"% {AUTHOR}\n/Span <</ActualText ({AUTHOR})>> BDC\n"
        f"BT /F1 12 Tf 20 100 Td ({WORDS}) Tj ET\nEMC\nq 50 0 0 40 20 20 cm /Im1 Do Q\n",
    )
    page[pdf.NameObject("/Resources")] = _resources(writer)
    page[pdf.NameObject("/Thumb")] = _add(writer, AUTHOR)
    page[pdf.NameObject("/PieceInfo")] = _dictionary({"/Maker": pdf.TextStringObject(AUTHOR)})
    writer.add_metadata({"/Author": AUTHOR, "/Producer": "Printer works", "/Title": AUTHOR})
    writer.add_attachment("patients.csv", AUTHOR.encode())
    _open_with_a_script(writer)
    writer.add_uri(0, f"https://example.org/{AUTHOR}", pdf.RectangleObject((0, 0, 50, 50)))
    writer.xmp_metadata = f"<x:xmpmeta>{AUTHOR}</x:xmpmeta>".encode()
    writer.generate_file_identifiers()
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _open_with_a_script(writer: PdfWriter) -> None:
    text = pdf.TextStringObject(f"app.alert('{AUTHOR}')")
    script = _dictionary({"/S": "/JavaScript", "/JS": text})
    writer.root_object[pdf.NameObject("/OpenAction")] = script


def _resources(writer: PdfWriter) -> pdf.DictionaryObject:
    font = _dictionary({"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"})
    icc = pdf.StreamObject()
    icc.set_data(profile() + AUTHOR.encode())
    icc[pdf.NameObject("/N")] = pdf.NumberObject(3)
    picture = pdf.StreamObject()
    picture.set_data(jpeg())
    size = {"/Width": pdf.NumberObject(64), "/Height": pdf.NumberObject(40)}
    space = pdf.ArrayObject([pdf.NameObject("/ICCBased"), writer._add_object(icc)])
    kind = {"/Type": "/XObject", "/Subtype": "/Image", "/Filter": "/DCTDecode"}
    more = {"/BitsPerComponent": pdf.NumberObject(8), "/ColorSpace": space}
    own = {"/MadeBy": pdf.TextStringObject(AUTHOR)}
    picture.update(_dictionary({**kind, **size, **more, **own}))
    return _dictionary(
        {
            "/Font": _dictionary({"/F1": font}),
            "/XObject": _dictionary({"/Im1": writer._add_object(picture)}),
        }
    )


def _dictionary(entries: dict[str, object]) -> pdf.DictionaryObject:
    """Return a dictionary; plain text stands for a name."""
    return pdf.DictionaryObject(
        {pdf.NameObject(k): pdf.NameObject(v) if type(v) is str else v for k, v in entries.items()}
    )


def _add(writer: PdfWriter, contents: str) -> pdf.IndirectObject:
    stream = pdf.StreamObject()
    stream.set_data(contents.encode())
    return writer._add_object(stream)


def everything(data: bytes) -> bytes:
    """Return a PDF's bytes, and all its streams unpacked: what who searches it can find."""
    found = [data]
    reader = PdfReader(BytesIO(data))
    size = reader.trailer["/Size"]
    assert isinstance(size, int)
    for number in range(len(reader.xref_objStm) + size):
        one = reader.get_object(number)
        if isinstance(one, pdf.StreamObject):
            found.append(one.get_data())
        if one is not None:
            found.append(repr(one).encode())
    return b"\n".join(found)
