"""Which files may come."""

import pytest

from authproxy.shaping.filetypes import UNRECOGNISED, Mismatch, judge_type
from routing.mediatypes import MediaTypes

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff\xe0"
ZIP = b"PK\3\4" + b"\0" * 22 + b"\5\0\0\0a.txt"
DOCX = b"PK\3\4" + b"\0" * 22 + b"\x13\0\0\0[Content_Types].xml"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.mark.parametrize(
    ("types", "declared", "beginning", "mismatch"),
    [
        ([], "text/html", b"<html>", None),
        (["image/png"], "image/png", PNG, None),
        (["image/png"], "IMAGE/PNG; q=1", PNG, None),
        (["image/*"], "image/png", PNG, None),
        (["image/jpeg"], "image/jpg", JPEG, None),
        (["image/png"], "", PNG, None),
        (["image/png"], "application/octet-stream", PNG, None),
        (["image/png"], "image/png", JPEG, Mismatch("image/jpeg", False)),
        (["image/*"], "image/png", JPEG, Mismatch("image/jpeg", False)),
        (["image/png"], "image/png", b"GET me", Mismatch(UNRECOGNISED, False)),
        (["image/png"], "image/png", b"", Mismatch(UNRECOGNISED, False)),
        (["image/png"], "image/jpeg", PNG, Mismatch("image/png", False)),
        (["image/png"], "text/html", b"plain", Mismatch("text/html", True)),
        (["image/png"], "nonsense", PNG, Mismatch("nonsense", True)),
        (["image/png"], "", b"plain", Mismatch(UNRECOGNISED, False)),
        (["text/csv"], "text/csv", b"a,b\n", None),
        (["text/csv"], "text/csv", b"\0\1", Mismatch(UNRECOGNISED, False)),
        (["text/*"], "text/plain", b"<script>", Mismatch("text/html", False)),
        (["text/csv"], "", b"a,b\n", Mismatch(UNRECOGNISED, False)),
        ([WORD], WORD, DOCX, None),
        ([WORD], WORD, ZIP, Mismatch("application/zip", False)),
        (["application/zip"], "application/zip", DOCX, None),
        (["audio/*"], "audio/mpeg", b"ID3\4", None),
    ],
)
def test_verdicts(types: list[str], declared: str, beginning: bytes, mismatch: Mismatch | None) -> None:
    """By what a file says that it is, and by what it is."""
    assert judge_type(MediaTypes(tuple(types)), declared, beginning) == mismatch
