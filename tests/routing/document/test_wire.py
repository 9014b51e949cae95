"""What goes on the wire: methods, headers, hosts and URLs."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from routing.document.wire import (
    OWNED_HEADERS,
    parse_authority,
    parse_header_name,
    parse_header_value,
    parse_host,
    parse_method,
    parse_server_name,
    parse_set_name,
    parse_target_url,
    parse_web_url,
)

PARSERS = [
    parse_method,
    parse_header_name,
    parse_set_name,
    parse_header_value,
    parse_host,
    parse_server_name,
    parse_authority,
    parse_target_url,
    parse_web_url,
]


@pytest.mark.parametrize(
    ("parse", "values"),
    [
        (parse_method, ["GET", "M-SEARCH", "X1"]),
        (parse_header_name, ["x-a", "Content-Length", "a!#$%&'*+.^_`|~1"]),
        (parse_set_name, ["X-A", "Host", "Set-Cookie"]),
        (parse_header_value, ["", "a b", "a\tb", 'W/"x"']),
        (
            parse_host,
            ["a", "api.example.com", "*.example.com", "127.0.0.1", "[::1]", "a_b.c-d", "xn--bcher-kva.de"],
        ),
        (parse_server_name, ["a.b", "[2001:db8::1]"]),
        (parse_authority, ["a.b", "a.b:80", "[::1]", "[::1]:8080", "127.0.0.1:1"]),
        (
            parse_target_url,
            [
                "http://a",
                "https://a.b:443/base/",
                "http://[::1]:80",
                "unix:///run/a.sock",
                "http://a/%C3%A9",
                "http://A",
            ],
        ),
        (parse_web_url, ["https://a/b?c", "http://a:1/"]),
    ],
)
def test_accepted_as_written(parse: Callable[[Any], str], values: list[str]) -> None:
    """Right values come back unchanged."""
    assert [parse(value) for value in values] == values


@pytest.mark.parametrize(
    ("parse", "value", "message"),
    [
        (parse_method, "get", 'methods are written in capitals; say "GET", not "get"'),
        (parse_method, "G T", '"G T" is not a method such as GET'),
        (parse_method, 5, "5 is not a method"),
        (parse_header_name, "a b", '"a b" is not a header name'),
        (parse_header_name, "", "is not a header name"),
        (parse_set_name, "Content-Length", "frames the message and belongs to the gateway"),
        (parse_header_value, "a\r\nb", "no line breaks"),
        (parse_header_value, "a\x00", "no line breaks"),
        (parse_header_value, "é", "visible ASCII"),
        (parse_header_value, " a", "neither begins nor ends with a space"),
        (parse_header_value, 5, "must be a text; put it in quotes"),
        (parse_header_value, None, "must be a text"),
        (parse_host, "API.Example.com", 'must be spelled "api.example.com"'),
        (parse_host, "bücher.de", 'must be spelled "xn--bcher-kva.de"'),
        (parse_host, "a.b.", 'must be spelled "a.b"'),
        (parse_host, "a.b:80", 'has a port; say "a.b"'),
        (parse_host, "*", "leave hosts out to match any host"),
        (parse_host, "", "leave hosts out to match any host"),
        (parse_host, "a.*.b", "a wildcard is the whole first label"),
        (parse_host, "http://a", "must be a host alone"),
        (parse_host, "::1", 'must be spelled "[::1]"'),
        (parse_host, "[0::1]", 'must be spelled "[::1]"'),
        (parse_host, "[::1]:80", "has a port; hosts are written without"),
        (parse_host, "[::g]", "is not a host"),
        (parse_host, "a..b", "is not a host"),
        (parse_host, "x" * 300, "is not a host"),
        (parse_host, ["a"], "must be a text, not a list"),
        (parse_server_name, "*.a", "must be one host, without a wildcard"),
        (parse_authority, "a:0", "has a port outside 1 to 65535"),
        (parse_authority, "a:99999", "has a port outside 1 to 65535"),
        (parse_authority, "::1:80", "must be spelled"),
        (parse_authority, 5, "must be a text, not 5"),
        (parse_target_url, "localhost:80", '; say "http://localhost:80"'),
        (parse_target_url, "htps://a", '(did you mean "https"?)'),
        (parse_target_url, "HTTP://a", "must begin with http://, https:// or unix://"),
        (parse_target_url, "http:a", "must begin with http://, https:// or unix://"),
        (parse_target_url, "http://u:p@a", "has no user name or password"),
        (parse_target_url, "http://a?b", "must not have a query or fragment"),
        (parse_target_url, "http://a/#", "must not have a query or fragment"),
        (parse_target_url, "http://a:0", "has no valid port"),
        (parse_target_url, "http://a:", "has no valid port"),
        (parse_target_url, "http://a:x", "has no valid host and port"),
        (parse_target_url, "http://a:99999", "has no valid host and port"),
        (parse_target_url, "http://[::1", "has no valid host and port"),
        (parse_target_url, "http://", "has no valid host"),
        (parse_target_url, "http://[v1.a:b]", "has no valid host"),
        (parse_target_url, "http://*.a", "has no valid host"),
        (parse_target_url, "http://a%41", "has no valid host"),
        (parse_target_url, "http://a/../b", "the path must be plain"),
        (parse_target_url, "http://a//b", "the path must be plain"),
        (parse_target_url, "http://a/%2F", "the path must be plain"),
        (parse_target_url, "http://a/%zz", "the path must be plain"),
        (parse_target_url, "http://a b", "spaces and non-ASCII characters must be encoded"),
        (parse_target_url, "unix://run/a.sock", "must name a socket by its absolute path"),
        (parse_target_url, "unix:///", "must name a socket by its absolute path"),
        (parse_target_url, 80, "must be a URL, not 80"),
        (parse_web_url, "ftp://a", "is not an http or https URL"),
        (parse_web_url, "https://u@a", "is not an http or https URL"),
        (parse_web_url, "https://[", "is not an http or https URL"),
        (parse_web_url, "a b", "is not a URL"),
    ],
)
def test_refused_with_a_suggestion(parse: Callable[[Any], str], value: object, message: str) -> None:
    """What cannot be meant is refused in words that lead to what is."""
    with pytest.raises(PydanticCustomError) as caught:
        parse(value)

    assert message in str(caught.value)


@pytest.mark.parametrize("name", sorted(OWNED_HEADERS))
def test_framing_belongs_to_the_gateway(name: str) -> None:
    """No route changes a header that frames the message or manages the connection, in any case."""
    for spelling in (name, name.upper(), name.title()):
        with pytest.raises(PydanticCustomError):
            parse_set_name(spelling)


@pytest.mark.parametrize("parse", PARSERS)
@given(
    value=st.text(max_size=30)
    | st.text("a.:/[]*@%?#-0", max_size=12)
    | st.integers()
    | st.none()
    | st.booleans()
)
def test_any_value_is_accepted_or_refused(parse: Callable[[Any], str], value: object) -> None:
    """Nothing but a refusal is ever raised, and what is accepted is harmless on the wire."""
    try:
        text = parse(value)
    except PydanticCustomError:
        return
    assert not set(text) & set("\r\n\0")
    assert parse(text) == text
