"""Which coding a client gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.routes import RouteSpec
from routing.shapes.compress import ALL, Compress, chosen, compress_note, compress_of


@pytest.mark.parametrize(
    ("accepted", "algorithm"),
    [
        (b"gzip", "gzip"),
        (b"x-gzip", "gzip"),
        (b"GZIP ; Q=0.5", "gzip"),
        (b"gzip, zstd", "zstd"),
        (b"br;q=0.9, zstd;q=0.8", "br"),
        (b"*;q=0.5, zstd;q=0", "br"),
        (b"identity, gzip;q=0.5", None),
        (b"identity;q=0.5, gzip;q=0.5", "gzip"),
        (b"identity;q=0", None),
        (b"gzip;q=2", None),
        (b"gzip;q=x", None),
        (b"gzip;level=1", None),
        (b"", None),
        (b"deflate, compress", None),
        (b"a," * 200 + b"gzip", None),
    ],
)
def test_choices(accepted: bytes, algorithm: str | None) -> None:
    """RFC 9110 section 12.5.3."""
    assert chosen(accepted, ALL) == algorithm


@given(st.binary(max_size=60))
def test_any_field_is_read(accepted: bytes) -> None:
    """Nothing is ever raised, and nothing is chosen that is not named."""
    found = chosen(accepted, ALL)
    assert found is None or found.encode() in accepted.lower() or b"*" in accepted


@pytest.mark.parametrize(
    ("media_type", "takes"),
    [
        ("application/json", True),
        ("application/problem+json", True),
        ("text/html", True),
        ("image/svg+xml", True),
        ("text/event-stream", False),
        ("image/png", False),
        ("application/gzip", False),
        ("", False),
    ],
)
def test_types(media_type: str, takes: bool) -> None:
    """Texts get smaller; events must not wait."""
    assert Compress().takes(media_type) is takes


def test_settings() -> None:
    """None without compress; types of one's own replace the usual ones."""
    base = {"name": "r", "service": "s", "compression": {"types": ["image/x"], "except_with": ["cookies"]}}
    assert compress_of(RouteSpec.model_validate(base)) is None
    found = compress_of(RouteSpec.model_validate({**base, "compress": True}))
    assert found is not None
    assert (found.takes("image/x"), found.takes("application/a+json"), found.except_cookies) == (
        True,
        False,
        True,
    )


def test_notes() -> None:
    """What this client would get."""
    [note] = compress_note(Compress(), "route", [b"gzip"])
    assert note.details["client_gets"] == "gzip"
    assert list(compress_note(None, "route", [])) == []
