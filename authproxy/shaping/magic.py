"""P: What a file is, by its first bytes. Never more than is plain; what is not recognised is None.

Sources: the formats' specifications, and the WHATWG MIME Sniffing Standard, section 6, for those that browsers know.
"""

import re
from collections.abc import Callable
from typing import Final, NamedTuple

BEGINNING: Final = 1024
"""How many bytes are enough to recognise every kind."""


class Kind(NamedTuple):
    """A kind of file, and the media types under which it may rightly go."""

    name: str
    names: frozenset[str]


def _kind(name: str, *others: str) -> Kind:
    return Kind(name, frozenset((name, *others)))


_OFFICE: Final = "application/vnd.openxmlformats-officedocument."
PNG: Final = _kind("image/png", "image/x-png", "image/apng")
JPEG: Final = _kind("image/jpeg", "image/jpg", "image/pjpeg")
GIF: Final = _kind("image/gif")
WEBP: Final = _kind("image/webp")
BMP: Final = _kind("image/bmp", "image/x-bmp", "image/x-ms-bmp")
TIFF: Final = _kind("image/tiff", "image/x-tiff")
ICON: Final = _kind("image/x-icon", "image/vnd.microsoft.icon")
AVIF: Final = _kind("image/avif", "image/avif-sequence")
HEIC: Final = _kind("image/heic", "image/heif", "image/heic-sequence", "image/heif-sequence")
SVG: Final = _kind("image/svg+xml")
PDF: Final = _kind("application/pdf", "application/x-pdf")
ZIP: Final = _kind("application/zip", "application/x-zip", "application/x-zip-compressed")
OFFICE: Final = _kind(
    f"{_OFFICE}wordprocessingml.document",
    f"{_OFFICE}spreadsheetml.sheet",
    f"{_OFFICE}presentationml.presentation",
    *ZIP.names,
)
DOCX: Final = Kind(f"{_OFFICE}wordprocessingml.document", OFFICE.names)
GZIP: Final = _kind("application/gzip", "application/x-gzip")
SEVEN_ZIP: Final = _kind("application/x-7z-compressed")
RAR: Final = _kind("application/vnd.rar", "application/x-rar-compressed")
MP4: Final = _kind("video/mp4", "audio/mp4", "audio/x-m4a", "audio/m4a", "video/x-m4v")
QUICKTIME: Final = _kind("video/quicktime")
WEBM: Final = _kind("video/webm", "audio/webm")
MATROSKA: Final = _kind("video/x-matroska", "audio/x-matroska")
AVI: Final = _kind("video/x-msvideo", "video/avi")
MP3: Final = _kind("audio/mpeg", "audio/mp3", "audio/x-mp3", "audio/x-mpeg")
WAV: Final = _kind("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave")
OGG: Final = _kind("audio/ogg", "video/ogg", "application/ogg", "audio/opus")
FLAC: Final = _kind("audio/flac", "audio/x-flac")
HTML: Final = _kind("text/html", "application/xhtml+xml")
XML: Final = _kind("application/xml", "text/xml")
PROGRAM: Final = _kind("application/x-executable", "application/x-msdownload")

_STARTS: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"\0\0\1\0", ICON),
    (b"%PDF-", PDF),
    (b"PK\5\6", ZIP),
    (b"\x1f\x8b\x08", GZIP),
    (b"7z\xbc\xaf\x27\x1c", SEVEN_ZIP),
    (b"Rar!\x1a\7", RAR),
    (b"OggS", OGG),
    (b"fLaC", FLAC),
    (b"ID3", MP3),
    (b"\x7fELF", PROGRAM),
)
_RIFF: Final = {b"WEBP": WEBP, b"WAVE": WAV, b"AVI ": AVI}
_BRANDS: Final = (
    (AVIF, frozenset({b"avif", b"avis"})),
    (HEIC, frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})),
    (QUICKTIME, frozenset({b"qt  "})),
)
_BMP_HEADERS: Final = frozenset({12, 40, 52, 56, 64, 108, 124})
_OFFICE_ENTRIES: Final = (b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/", b"ppt/")
_MARKUP: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?=<)")
_BEFORE_TAG: Final = re.compile(
    rb"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE\s+svg[^>\[]*(?:\[.*?\]\s*)?>)", re.DOTALL | re.I
)
_TAG: Final = re.compile(rb"\s*<(!DOCTYPE\s+html|[a-z][a-z0-9:_-]*)", re.IGNORECASE)
_HTML_TAGS: Final = frozenset(b"html head body script iframe style title table div font br p a img".split())


def sniff(beginning: bytes) -> Kind | None:
    """The kind of a file that begins so; `beginning` is all of it, or its first BEGINNING bytes."""
    for start, kind in _STARTS:
        if beginning.startswith(start):
            return kind
    for look in _LOOKS:
        found = look(beginning)
        if found is not None:
            return found
    return None


def _riff(data: bytes) -> Kind | None:
    return _RIFF.get(data[8:12]) if data.startswith(b"RIFF") else None


def _bmp(data: bytes) -> Kind | None:
    is_bmp = data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS
    return BMP if is_bmp else None


def _media(data: bytes) -> Kind | None:
    """ISO base media files (ISO/IEC 14496-12): the brands of the first box."""
    if data[4:8] != b"ftyp":
        return None
    end = min(int.from_bytes(data[:4], "big"), len(data))
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    return next((kind for kind, known in _BRANDS if known & brands), MP4)


def _zip(data: bytes) -> Kind | None:
    if not data.startswith(b"PK\3\4"):
        return None
    name = data[30 : 30 + int.from_bytes(data[26:28], "little")]
    return DOCX if name.startswith(_OFFICE_ENTRIES) else ZIP


def _matroska(data: bytes) -> Kind | None:
    if not data.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    return WEBM if b"webm" in data[:64] else MATROSKA


def _mpeg(data: bytes) -> Kind | None:
    """A frame of layer III whose bit rate and sampling rate exist (ISO/IEC 11172-3 section 2.4.1.3)."""
    if len(data) < 3 or data[0] != 0xFF or data[1] & 0xE6 != 0xE2 or data[1] & 0x18 == 0x08:
        return None
    return MP3 if data[2] >> 4 not in (0, 15) and data[2] & 0x0C != 0x0C else None


def _program(data: bytes) -> Kind | None:
    return PROGRAM if data.startswith(b"MZ") and len(data) >= 64 and b"\0" in data[:64] else None


def _markup(data: bytes) -> Kind | None:
    """By the first tag, behind declarations and comments."""
    found = _MARKUP.match(data)
    if found is None:
        return None
    at, is_xml = found.end(), data[found.end() :].startswith(b"<?xml")
    while (before := _BEFORE_TAG.match(data, at)) is not None:
        at = before.end()
    tag = _TAG.match(data, at)
    if tag is None:
        return XML if is_xml else None
    name = tag[1].lower()
    if name.rpartition(b":")[2] == b"svg":
        return SVG
    if name in _HTML_TAGS or name.startswith(b"!doctype"):
        return HTML
    return XML if is_xml else None


_LOOKS: Final[tuple[Callable[[bytes], Kind | None], ...]] = (
    _riff,
    _bmp,
    _media,
    _zip,
    _matroska,
    _mpeg,
    _program,
    _markup,
)
KINDS: Final = tuple(value for value in list(globals().values()) if isinstance(value, Kind))
RECOGNISED: Final = frozenset(name for kind in KINDS for name in kind.names)
"""The media types that a file does not have when nothing is recognised in it."""


def is_text(beginning: bytes) -> bool:
    """Whether this may be the beginning of a text in UTF-8."""
    if b"\0" in beginning:
        return False
    try:
        beginning.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and error.start >= len(beginning) - 3
    return True
