"""Origins as CORS policies name them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from routing.document.origins import parse_origin


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://app.example.com",
        "http://localhost:3000",
        "https://*.example.com",
        "https://*.example.com:8443",
        "http://*.localhost:5173",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "capacitor://localhost",
        "https://xn--caf-dma.example",
    ],
)
def test_what_browsers_send_is_taken(origin: str) -> None:
    """As it is spelled."""
    assert parse_origin(origin) == origin


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("https://app.example.com/", 'is not an origin; say "https://app.example.com"'),
        ("HTTPS://App.Example.com", 'is not an origin; say "https://app.example.com"'),
        ("app.example.com", 'is not an origin; say "https://app.example.com"'),
        ("https://app.example.com:443", 'leave the usual port out; say "https://app.example.com"'),
        ("http://app.example.com:80", 'leave the usual port out; say "http://app.example.com"'),
        ("null", "stands for any sandboxed page"),
        ("https://*", "is not an origin such as"),
        ("https://*.com", "would let everybody in"),
        ("https://*.[::1]", "would let everybody in"),
        ("https://app.*.com", "is not an origin such as"),
        ("https://user@app.example.com", "is not an origin such as"),
        ("https://a.example.com, https://b.example.com", "is not an origin such as"),
        ("https://a.example.com\n", "is not an origin such as"),
        (f"https://{'a' * 400}.example.com", "is not an origin such as"),
        (7, "is not an origin such as"),
    ],
)
def test_other_spellings_say_what_is_meant(written: object, why: str) -> None:
    """A browser would never send them, so nobody would ever be let in."""
    with pytest.raises(PydanticCustomError) as refused:
        parse_origin(written)

    assert refused.value.type == "gateway.E040"
    assert why in refused.value.message()


@given(st.text(max_size=40))
def test_any_text_is_taken_as_it_is_or_refused(text: str) -> None:
    """What is taken is plain ASCII without anything that could end a header field."""
    try:
        origin = parse_origin(text)
    except PydanticCustomError:
        return
    assert origin == text
    assert origin.isascii()
    assert origin.isprintable()
