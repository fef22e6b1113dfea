"""Of a picture nothing is kept but what it shows; all else was really there before."""

from io import BytesIO

import pytest
from PIL import Image

from quorate.anonymous.attachments import MOST_BYTES, Attachment
from quorate.errors import Refused
from quorate.node.anonymous.jpeg import strip_jpeg
from quorate.node.anonymous.pictures import LONGEST, scrub_picture
from tests.node.anonymous import files

PLACE, CAMERA, TAKEN = 0x8825, 0x0110, 0x8769


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def segments(data: bytes) -> set[int]:
    """Return the markers of a JPEG's segments up to its first scan."""
    found, at = set[int](), 2
    while data[at + 1] != 0xDA:
        found.add(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return found


def test_control_a_picture_as_it_is_tells_where_when_and_by_whom_it_was_taken() -> None:
    """Whoever sends the file unchanged sends all that the next tests find gone."""
    picture = opened(files.jpeg())
    told = picture.getexif()
    assert told.get_ifd(PLACE)[2] == (47.0, 22.0, 1.0)
    assert told[CAMERA] == "Model 9"
    assert told.get_ifd(TAKEN)[0x9003] == "2030:01:01 12:00:00"
    assert files.AUTHOR.encode() in files.jpeg()
    assert {"icc_profile", "comment", "xmp", "exif"} <= picture.info.keys()
    assert opened(files.png()).info["Author"] == files.AUTHOR
    assert opened(files.png()).getpixel((60, 38)) == (1, 2, 3, 0)


def test_of_a_jpeg_only_its_pixels_remain() -> None:
    clean = scrub_picture(files.jpeg())
    assert clean.kind == "jpeg"
    picture = opened(clean.data)
    assert dict(picture.getexif()) == {}
    assert picture.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert segments(clean.data) == {0xE0, 0xDB, 0xC0, 0xC4}  # JFIF's own head, no other
    for word in (files.AUTHOR.encode(), b"Model 9", b"Exif", b"xmpmeta", b"ICC_PROFILE"):
        assert word in files.jpeg()
        assert word not in clean.data
    assert picture.size == (64, 40)
    assert files.is_shown(picture)


def test_of_a_png_only_its_pixels_remain_and_not_those_that_nobody_sees() -> None:
    clean = scrub_picture(files.png())
    assert clean.kind == "png"
    picture = opened(clean.data)
    assert picture.info == {}
    assert files.AUTHOR.encode() not in clean.data
    assert picture.mode == "RGB"
    assert picture.getpixel((60, 38)) == (255, 255, 255)  # paper, and not what lay under it
    assert picture.getpixel((50, 30)) == files.SHOWN


def test_two_cameras_compress_alike_after_it() -> None:
    """The tables a JPEG is packed with tell the camera, or the program, that wrote it."""
    out = BytesIO()
    files.pixels().save(out, "JPEG", quality=37, subsampling=0)
    one, other = scrub_picture(out.getvalue()), scrub_picture(files.jpeg())
    assert opened(out.getvalue()).quantization != opened(files.jpeg()).quantization  # type: ignore[attr-defined]
    assert opened(one.data).quantization == opened(other.data).quantization  # type: ignore[attr-defined]


def test_a_picture_keeps_its_way_up() -> None:
    turned = opened(scrub_picture(files.jpeg(orientation=6)).data)
    assert turned.size == (40, 64)
    assert turned.getpixel((36, 3))[2] > 200  # type: ignore[index]


@pytest.mark.slow
def test_a_large_picture_is_made_to_fit() -> None:
    noise = Image.effect_noise((2400, 1800), 90).convert("RGB")
    out = BytesIO()
    noise.save(out, "PNG")
    clean = scrub_picture(out.getvalue(), 50_000)
    assert clean.kind == "jpeg"  # a PNG of noise would not fit
    assert len(clean.data) <= 50_000
    assert max(opened(clean.data).size) < LONGEST
    with pytest.raises(Refused, match="does not fit"):
        scrub_picture(out.getvalue(), 500)


def test_what_is_no_still_picture_is_refused() -> None:
    out = BytesIO()
    files.pixels().save(out, "PNG", save_all=True, append_images=[Image.new("RGB", (64, 40))])
    for data in (b"", b"GIF89a", files.jpeg()[:200], files.png()[:60], out.getvalue()):
        with pytest.raises(Refused, match="picture"):
            scrub_picture(data)


def test_segments_that_say_nothing_of_the_pixels_are_cut_out() -> None:
    whole = files.jpeg()
    cut = strip_jpeg(whole)
    assert segments(cut) == {0xDB, 0xC0, 0xC4}
    assert files.AUTHOR.encode() not in cut
    assert opened(cut).tobytes() == opened(whole).tobytes()
    for length in range(0, len(cut) - 2, 7):
        with pytest.raises(Refused):
            strip_jpeg(cut[:length])


def test_segments_of_a_progressive_picture_are_cut_out() -> None:
    out = BytesIO()
    files.pixels((200, 120)).save(
        out, "JPEG", progressive=True, comment=b"mine", exif=files.exif(), restart_marker_blocks=2
    )
    cut = strip_jpeg(out.getvalue() + files.BEHIND)
    assert b"mine" not in cut
    assert opened(cut).tobytes() == opened(out.getvalue()).tobytes()


def test_a_readers_file_is_named_by_what_it_begins_with() -> None:
    thread = bytes(32)
    assert Attachment("jpeg", files.jpeg()).name(thread, 3) == "000000000000-3.jpg"
    assert Attachment("pdf", b"#!/bin/sh").name(thread, 1) == "000000000000-1.bin"
    assert MOST_BYTES == 114_688
