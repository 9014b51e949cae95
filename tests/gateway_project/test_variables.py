"""The parsers of environment texts."""

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_project import variables
from gateway_project.variables import Secret, Variable

GOOD: list[tuple[variables.Parse, str, Any]] = [
    (variables.boolean, "True", True),
    (variables.boolean, "on", True),
    (variables.boolean, "0", False),
    (variables.boolean, "NO", False),
    (variables.integer(1, 10), "10", 10),
    (variables.integer(-5), "-5", -5),
    (variables.one_of("auto", "review"), "Review", "review"),
    (variables.one_of("INFO", upper=True), "info", "INFO"),
    (variables.one_of("HS256", "EdDSA"), "eddsa", "EdDSA"),
    (variables.duration_s, "250ms", 0.25),
    (variables.duration_s, "2s", 2.0),
    (variables.duration_s, "1.5m", 90.0),
    (variables.duration_s, "1h", 3600.0),
    (variables.duration_s, "1d", 86400.0),
    (variables.duration_s, "30", 30.0),
    (variables.items(variables.text), " a , ,b ", ("a", "b")),
    (variables.items(variables.text), '["a", "b,c"]', ("a", "b,c")),
    (variables.items(variables.allowed_host), "[::1],LOCALHOST", ("[::1]", "localhost")),
    (variables.items(variables.text), "[1, 2]", ("1", "2")),
    (variables.allowed_host, "*.Example.com", ".example.com"),
    (variables.allowed_host, ".example.com", ".example.com"),
    (variables.allowed_host, "*", "*"),
    (variables.network, "10.1.2.3/8", ip_network("10.0.0.0/8")),
    (variables.network, "::1", ip_network("::1/128")),
    (variables.origin, "https://App.example.com:8443", "https://app.example.com:8443"),
    (variables.origin, "*", "*"),
    (variables.origin, "https://*.example.com", "https://*.example.com"),
    (variables.path_prefix, "/api/v1/", "/api/v1"),
    (variables.host, "[::1]", "::1"),
    (variables.host, "::", "::"),
    (variables.host, "gateway.internal", "gateway.internal"),
    (variables.label, "My Gateway", "My Gateway"),
    (variables.azure_tenant, "contoso.onmicrosoft.com", "contoso.onmicrosoft.com"),
    (variables.url_of("http"), "http://h:1/p", "http://h:1/p"),
    (variables.url_of("unix"), "unix:///run/redis.sock", "unix:///run/redis.sock"),
]

BAD: list[tuple[variables.Parse, str, str]] = [
    (variables.boolean, "maybe", "neither true nor false"),
    (variables.azure_tenant, "Common", "'Common' stands for many tenants; name one"),
    (variables.azure_tenant, "a/b", "neither a tenant's id nor its domain"),
    (variables.integer(1), "1.5", "not a whole number"),
    (variables.integer(1), "٣", "not a whole number"),
    (variables.integer(1), "9" * 30, "not a whole number"),
    (variables.integer(1, 10), "11", "11 is not between 1 and 10"),
    (variables.one_of("auto", "review"), "never", "none of auto, review"),
    (variables.duration_s, "2 weeks", "not a duration"),
    (variables.duration_s, "-1s", "not a duration"),
    (variables.duration_s, "0s", "not a duration"),
    (variables.items(variables.network), "10.0.0.0/8,x", "'x' is not an address"),
    (variables.allowed_host, "http://a", "not a host name"),
    (variables.allowed_host, "a:80", "not a host name"),
    (variables.origin, "https://a/path", "not an origin"),
    (variables.origin, "a.example.com", "not an origin"),
    (variables.origin, "https://a.example.com:443", "usual port"),
    (variables.origin, "null", "sandboxed page"),
    (variables.path_prefix, "api", "not a path prefix"),
    (variables.path_prefix, "/", "not a path prefix"),
    (variables.path_prefix, "/a//b", "not a path prefix"),
    (variables.path_prefix, "/../a", "not a path prefix"),
    (variables.host, "a b", "not an address"),
    (variables.label, "two\nlines", "printable"),
    (variables.url_of("http"), "ftp://h", "none of http"),
    (variables.url_of("http"), "http:///path", "names no host"),
    (variables.url_of("unix"), "unix://", "names no path"),
    (variables.url_of("http"), "http://h:port", "malformed"),
    (variables.url_of("http"), "http://[::1", "malformed"),
    (variables.url_of("http"), "http://a b", "white space"),
]


@pytest.mark.parametrize(("parse", "text", "expected"), GOOD)
def test_good_text_becomes_a_value(parse: variables.Parse, text: str, expected: Any) -> None:
    """Each parser reads the spellings that people use."""
    assert parse(text) == expected


@pytest.mark.parametrize(("parse", "text", "message"), BAD)
def test_bad_text_is_refused_with_a_reason(parse: variables.Parse, text: str, message: str) -> None:
    """A refusal says what is wrong."""
    with pytest.raises(ValueError, match=message):
        parse(text)


@pytest.mark.parametrize("url", ["http://me:hunter2@h:port", "ftp://me:hunter2@h", "http://me:hunter2@"])
def test_refused_url_does_not_show_its_password(url: str) -> None:
    """URLs may hold passwords, so their refusals never repeat them."""
    with pytest.raises(ValueError) as refused:
        variables.url_of("http")(url)

    assert "hunter2" not in str(refused.value)


def refusal(parse: variables.Parse, text: str) -> ValueError | None:
    try:
        parse(text)
    except ValueError as error:
        return error
    return None


@given(st.text())
def test_parsers_raise_nothing_but_value_errors(text: str) -> None:
    """Whatever the environment holds, a parser answers with a value or a ValueError."""
    for parse in {parse for parse, _, _ in [*GOOD, *BAD]}:
        if (refused := refusal(parse, text)) is not None:
            assert str(refused)


def test_secret_hides_itself_from_repr() -> None:
    """Printing a structure that holds a secret does not show it; it still is a string."""
    secret = Secret("hunter2")

    assert "hunter2" not in repr([secret])
    assert secret == "hunter2"
    assert repr(Secret("")) == "Secret('')"


def test_first_name_that_is_set_wins() -> None:
    """Later names are read when earlier ones are missing or empty."""
    row = Variable(("A", "B"), variables.text, default="", default_in={"production": "p"}, absent=None)

    assert row.given({"A": "1", "B": "2"}) == ("A", "1")
    assert row.given({"A": " ", "B": "2"}) == ("B", "2")
    assert row.given({}) is None
    assert (row.default_for("production"), row.default_for("testing")) == ("p", "")
