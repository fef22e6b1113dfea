"""Of a PDF nothing is kept but what its pages show; all else was really there before."""

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf import generic as pdf

from quorate.errors import Refused
from quorate.node.anonymous.documents import scrub_pdf
from tests.node.anonymous import files


def read(data: bytes) -> PdfReader:
    return PdfReader(BytesIO(data))


def written(writer: PdfWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def test_control_a_pdf_as_it_is_tells_its_author_and_holds_other_files() -> None:
    reader = read(files.document())
    assert reader.metadata is not None
    assert reader.metadata.author == files.AUTHOR
    assert reader.attachments["patients.csv"] == [files.AUTHOR.encode()]
    assert "/Metadata" in reader.root_object
    assert "/ID" in reader.trailer
    root, page = reader.root_object, reader.pages[0]
    assert "/OpenAction" in root
    assert {"/Thumb", "/PieceInfo", "/Annots"} <= page.keys()
    found = files.everything(files.document())
    assert found.count(files.AUTHOR.encode()) > 10
    assert b"Model 9" in found


def test_of_a_pdf_only_what_its_pages_show_remains() -> None:
    clean = scrub_pdf(files.document())
    reader = read(clean.data)
    assert reader.metadata is None
    assert reader.xmp_metadata is None
    assert reader.attachments == {}
    assert reader.trailer.keys() <= {"/Size", "/Root"}
    assert reader.root_object.keys() == {"/Type", "/Pages"}
    (page,) = reader.pages
    assert page.keys() <= {"/Type", "/Parent", "/MediaBox", "/CropBox", "/Rotate"} | {
        "/Resources",
        "/Contents",
    }
    found = files.everything(clean.data)
    for word in (files.AUTHOR.encode(), b"Model 9", b"Exif", b"ICCBased", b"MadeBy", b"acsp"):
        assert word in files.everything(files.document())
        assert word not in found
    assert b"pypdf" not in clean.data
    assert files.WORDS in page.extract_text()
    (picture,) = page.images
    assert picture.image is not None
    assert files.is_shown(picture.image)


def test_the_same_pages_give_the_same_bytes_whoever_wrote_them() -> None:
    changed = PdfWriter(clone_from=BytesIO(files.document()))
    changed.add_metadata({"/Author": "somebody else"})
    assert written(changed) != files.document()
    assert scrub_pdf(written(changed)) == scrub_pdf(files.document())


def test_earlier_versions_inside_the_file_are_gone() -> None:
    """A PDF may be changed by adding to it: what was there before is still in it."""
    later = PdfWriter(BytesIO(files.document()), incremental=True)
    fresh = pdf.StreamObject()
    fresh.set_data(b"BT /F1 12 Tf 20 100 Td (blacked out) Tj ET")
    later.pages[0][pdf.NameObject("/Contents")] = later._add_object(fresh)
    data = written(later)
    assert files.WORDS.encode() in data  # in the version before
    clean = scrub_pdf(data)
    assert files.WORDS.encode() not in files.everything(clean.data)
    assert "blacked out" in read(clean.data).pages[0].extract_text()


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=BytesIO(files.document()))
    writer.encrypt("", "owner", algorithm="RC4-128")
    return written(writer)


def with_root(key: str) -> bytes:
    writer = PdfWriter(clone_from=BytesIO(files.document()))
    writer.root_object[pdf.NameObject(key)] = pdf.DictionaryObject()
    return written(writer)


def with_filter(name: str) -> bytes:
    writer = PdfWriter(clone_from=BytesIO(files.document()))
    resources = writer.pages[0]["/Resources"].get_object()
    picture = resources["/XObject"]["/Im1"].get_object()  # type: ignore[index]
    picture[pdf.NameObject("/Filter")] = pdf.NameObject(name)
    return written(writer)


def with_a_circle() -> bytes:
    writer = PdfWriter(clone_from=BytesIO(files.document()))
    resources = writer.pages[0]["/Resources"].get_object()
    round_ = pdf.DictionaryObject()
    states = pdf.DictionaryObject()
    states[pdf.NameObject("/G1")] = there = writer._add_object(round_)
    round_[pdf.NameObject("/Group")] = there
    resources[pdf.NameObject("/ExtGState")] = states  # type: ignore[index]
    return written(writer)


def test_what_cannot_be_cleaned_is_refused() -> None:
    for data, why in (
        (encrypted(), "encrypted"),
        (with_root("/AcroForm"), "form"),
        (with_root("/OCProperties"), "layers"),
        (with_filter("/JPXDecode"), "JPXDecode"),
        (with_filter("/CCITTFaxDecode"), "CCITT"),
        (with_a_circle(), "circles"),
        (b"", "cannot be read"),
        (b"%PDF-1.7\nnothing", "cannot be read"),
    ):
        with pytest.raises(Refused, match=why):
            scrub_pdf(data)
    with pytest.raises(Refused, match="are the most"):
        scrub_pdf(files.document(), 500)


def test_a_form_drawn_on_the_page_is_cleaned_as_the_page_is() -> None:
    writer = PdfWriter(clone_from=BytesIO(files.document()))
    form = pdf.StreamObject()
    form.set_data(f"% {files.AUTHOR}\n0 0 10 10 re f\n".encode())
    form[pdf.NameObject("/Subtype")] = pdf.NameObject("/Form")
    form[pdf.NameObject("/Resources")] = pdf.DictionaryObject()
    resources = writer.pages[0]["/Resources"].get_object()
    resources["/XObject"][pdf.NameObject("/Fm1")] = writer._add_object(form)  # type: ignore[index]
    clean = scrub_pdf(written(writer))
    assert files.AUTHOR.encode() not in files.everything(clean.data)
    assert b"0 0 10 10 re" in files.everything(clean.data)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(files.document()) - 1), st.integers(1, 255))
def test_a_damaged_pdf_is_refused_or_clean(at: int, flip: int) -> None:
    data = bytearray(files.document())
    data[at % len(data)] ^= flip
    try:
        clean = scrub_pdf(bytes(data))
    except Refused:
        return
    assert read(clean.data).metadata is None
