"""What may be said of a body that is another one now."""

import pytest

from authproxy.shaping.mending import field, has_body, is_plain_json, media_type, mended, weak

KEPT = (b"last-modified", b"x")


def test_what_was_true_of_the_old_bytes_goes() -> None:
    """The rest stays in its order; a strong validator becomes weak."""
    pairs = [
        (b"etag", b'"a"'),
        (b"digest", b"d"),
        KEPT,
        (b"content-length", b"9"),
        (b"accept-ranges", b"bytes"),
    ]
    assert mended(pairs, 3) == [(b"etag", b'W/"a"'), KEPT, (b"content-length", b"3")]
    assert mended(pairs, None) == [(b"etag", b'W/"a"'), KEPT]
    assert weak(b'W/"a"') == b'W/"a"'


@pytest.mark.parametrize(
    ("pairs", "is_so"),
    [
        ([(b"content-type", b"application/json")], True),
        ([(b"content-type", b"Application/Problem+JSON; charset=utf-8")], True),
        ([(b"content-type", b"application/json"), (b"content-encoding", b"identity")], True),
        ([(b"content-type", b"application/json"), (b"content-encoding", b"gzip")], False),
        ([(b"content-type", b"application/json"), (b"content-range", b"bytes 0-1/2")], False),
        ([(b"content-type", b"application/jsonx")], False),
        ([], False),
    ],
)
def test_json(pairs: list[tuple[bytes, bytes]], is_so: bool) -> None:
    """By its media type; whole, and without a coding."""
    assert is_plain_json(pairs) is is_so


def test_bodies() -> None:
    """RFC 9110 section 6.4.1."""
    assert has_body("GET", 200)
    assert not has_body("HEAD", 200)
    assert not has_body("GET", 304)
    assert media_type(b" Text/HTML ; x") == "text/html"
    assert field([KEPT], b"etag") == b""
