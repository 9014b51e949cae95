"""What a file is, by its first bytes."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.shaping.magic import BEGINNING, RECOGNISED, is_text, sniff


def box(brand: bytes, *compatible: bytes) -> bytes:
    """The first box of an ISO base media file."""
    content = b"ftyp" + brand + b"\0\0\0\0" + b"".join(compatible)
    return struct.pack(">I", len(content) + 4) + content + b"\0\0\0\x08mdat"


def archive(name: bytes) -> bytes:
    """The first entry of a zip file."""
    return b"PK\3\4" + b"\0" * 22 + struct.pack("<H", len(name)) + b"\0\0" + name


@pytest.mark.parametrize(
    ("beginning", "name"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0", "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        (b"GIF89a\1\0", "image/gif"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
        (b"RIFF\x10\0\0\0XXXX", None),
        (b"BM" + b"\0" * 12 + b"\x28\0\0\0", "image/bmp"),
        (b"BMW is a maker of cars", None),
        (b"II*\0\x08", "image/tiff"),
        (b"MM\0*\0", "image/tiff"),
        (b"%PDF-1.7\n", "application/pdf"),
        (box(b"avif", b"mif1", b"avif"), "image/avif"),
        (box(b"mif1", b"mif1", b"avif"), "image/avif"),
        (box(b"heic", b"mif1"), "image/heic"),
        (box(b"isom", b"mp41"), "video/mp4"),
        (box(b"qt  "), "video/quicktime"),
        (archive(b"a.txt"), "application/zip"),
        (
            archive(b"[Content_Types].xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (b"\x1a\x45\xdf\xa3\x01\0\x42\x82\x84webm", "video/webm"),
        (b"\x1a\x45\xdf\xa3\x01\0\x42\x82\x88matroska", "video/x-matroska"),
        (b"OggS\0\2", "audio/ogg"),
        (b"ID3\4", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xff\xff\xff", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a > b --><svg:svg>", "image/svg+xml"),
        (b"<?xml version='1.0'?><!DOCTYPE svg PUBLIC 'a' 'b' [<!ENTITY x 'y'>]>\n<svg>", "image/svg+xml"),
        (b"<!doctype html><svg>", "text/html"),
        (b"  <script>alert(1)</script>", "text/html"),
        (b"<?xml version='1.0'?><feed>", "application/xml"),
        (b"<note>", None),
        (b"MZ\x90\0" + b"\0" * 60, "application/x-executable"),
        (b"\x7fELF\2", "application/x-executable"),
        (b"a,b,c\n1,2,3\n", None),
        (b"", None),
    ],
)
def test_recognised(beginning: bytes, name: str | None) -> None:
    """The kinds that are known, and what looks nearly like them."""
    found = sniff(beginning)

    assert (None if found is None else found.name) == name
    assert found is None or name in RECOGNISED


@given(st.binary(max_size=BEGINNING))
def test_anything_can_be_looked_at(beginning: bytes) -> None:
    """Noise is mostly nothing, and never an error; a text is not what has a NUL."""
    found = sniff(beginning)

    assert found is None or found.name in RECOGNISED
    assert not (is_text(beginning) and b"\0" in beginning)


@given(st.text(max_size=400).filter(lambda text: "\0" not in text))
def test_texts_are_texts_wherever_they_are_cut(text: str) -> None:
    """A character that is cut is no fault."""
    raw = text.encode("utf-8", "replace")
    for end in range(len(raw) + 1):
        assert is_text(raw[:end])


def test_what_is_no_text() -> None:
    """Zeros, and what is not UTF-8."""
    assert not is_text(b"a\0b")
    assert not is_text(b"\xffabc")
