"""Bodies of requests: what is read, and what is refused."""

import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from authproxy.parsing import MAX_BODY, FormParser, JsonParser
from authproxy.refusing import Refused

BAD_JSON = [
    b"{",
    b"[]",
    b'"text"',
    b"1",
    b"null",
    b"\xff",
    b'{"a": NaN}',
    b'{"a": "\\ud800"}',
    b"[" * 50_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    b'{"a": 1} x',
    b"\xef\xbb\xbf{}",
]
BAD_FORMS = [b"a=%ff", b"a=\xc3\xa9", b"a=1&a=2", b"&".join(b"f%d=1" % number for number in range(100))]


def test_json_object() -> None:
    """An empty body is an empty object."""
    assert JsonParser().parse(io.BytesIO(b'{"a": [1, "b"]}')) == {"a": [1, "b"]}
    assert JsonParser().parse(io.BytesIO(b"")) == {}


@pytest.mark.parametrize("body", BAD_JSON, ids=lambda body: repr(body[:12]))
def test_what_is_no_json_object(body: bytes) -> None:
    """Broken, of another type, in another encoding, or nested without end."""
    with pytest.raises(ParseError):
        JsonParser().parse(io.BytesIO(body))


def test_form() -> None:
    """Plus signs are spaces; empty values are values."""
    assert FormParser().parse(io.BytesIO(b"a=1+%C3%A9&b=")) == {"a": "1 \u00e9", "b": ""}


@pytest.mark.parametrize("body", BAD_FORMS, ids=lambda body: repr(body[:12]))
def test_what_is_no_form(body: bytes) -> None:
    """Not UTF-8, a field twice, or too many of them."""
    with pytest.raises(ParseError):
        FormParser().parse(io.BytesIO(body))


@pytest.mark.parametrize("parser", [JsonParser, FormParser])
def test_large_bodies(parser: type[JsonParser | FormParser]) -> None:
    """64 KiB are enough for any of these."""
    with pytest.raises(Refused) as refused:
        parser().parse(io.BytesIO(b"x" * (MAX_BODY + 1)))

    assert refused.value.rejection.status == 413


@given(st.binary(max_size=200))
def test_whatever_comes(body: bytes) -> None:
    """An object of texts, or a refusal."""
    for parser in (JsonParser(), FormParser()):
        with suppress(ParseError):
            assert isinstance(parser.parse(io.BytesIO(body)), dict)
