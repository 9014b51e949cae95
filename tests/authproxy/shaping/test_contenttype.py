"""What a request says of its body."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.shaping.contenttype import ContentType, Described, described, parse_content_type


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("text/html", ContentType("text/html", {})),
        (" Text/HTML ", ContentType("text/html", {})),
        ("a/b;c=d", ContentType("a/b", {"c": "d"})),
        ('a/b ; C="d;e\\"f" ;', ContentType("a/b", {"c": 'd;e"f'})),
        ("a/b;;c=d", ContentType("a/b", {"c": "d"})),
        ("", None),
        ("text", None),
        ("a/b/c", None),
        ("a/b, c/d", None),
        ("a/b; c", None),
        ('a/b; c="d', None),
        ("a/b; c=d e=f", None),
        ("a/b; c=d; C=e", None),
    ],
)
def test_values(value: str, found: ContentType | None) -> None:
    """Type and parameters; None for what is malformed or says something twice."""
    assert parse_content_type(value) == found


@given(st.text(alphabet='ab/;="\\ \t,*', max_size=40))
def test_any_text_is_read(value: str) -> None:
    """In little time, and without an error; what is found is a type and names in lower case."""
    found = parse_content_type(value)

    assert found is None or found.media_type.count("/") == 1
    assert found is None or all(name and name == name.lower() for name in found.parameters)


def test_charsets() -> None:
    """JSON is UTF-8, and so is ASCII."""
    assert ContentType("a/b", {}).is_utf8
    assert ContentType("a/b", {"charset": "US-ASCII"}).is_utf8
    assert not ContentType("a/b", {"charset": "latin-1"}).is_utf8


def test_fields_that_speak_of_a_body() -> None:
    """Whatever else is there."""
    assert described([(b"a", b"b")]) == Described(None, False, False)
    fields = [(b"content-type", b"a/b"), (b"content-encoding", b"identity")]
    assert described(fields) == Described(b"a/b", False, False)
    assert described([*fields, (b"content-encoding", b"br"), (b"content-type", b"c/d")]) == Described(
        b"c/d", True, True
    )
