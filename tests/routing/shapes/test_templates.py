"""Texts that are filled in for each request."""

import re
from dataclasses import dataclass, field
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.variables import PLAIN_NAMES
from routing.paths import NormalPath, normalise
from routing.shapes.templates import LONGEST, Facts, template_of


@dataclass
class Somebody:
    """A caller."""

    consumer: str = "acme"
    kind: str = "user"
    name: str = "Ada"
    plan: str = "gold"
    user_id: str = "7"
    roles: frozenset[str] = field(default_factory=lambda: frozenset({"b", "a,c"}))


def facts(path: bytes = b"/orders/7", **given: object) -> Facts:
    found = {
        "method": "GET",
        "scheme": "https",
        "host": b"api.example.com",
        "path": cast(NormalPath, normalise(path)),
        "query": b"a=1&b=x+y%0D%0Az&%63=3&a=2",
        "headers": ((b"x-tenant", b"one"), (b"x-tenant", b"two")),
        "client_ip": "192.0.2.1",
        "request_id": b"id-1",
        "caller": Somebody(),
        "route": "r",
        "service": "s",
    }
    return Facts(**{**found, **given})  # type: ignore[arg-type]


def value(text: str, names: tuple[str | None, ...] = (), **given: object) -> bytes:
    template = template_of(text, names)
    assert template is not None
    return template.field_value(facts(**given))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${consumer.id}", b"7"),
        ("${consumer.name}", b"acme"),
        ("${consumer.plan}", b"gold"),
        ("${user.roles}", b"a%2Cc,b"),
        ("${request.header.X-Tenant}", b"one, two"),
        ("${request.query.a}", b"1"),
        ("${request.query.c}", b"3"),
        ("${request.query.b}", b"x y%0D%0Az"),
        ("${request.query.no}", b""),
        ("${request.query.no:-none}", b"none"),
        ("a ${request.query.no} b", b""),
        ("${request.scheme}://${request.host}${request.path}", b"https://api.example.com/orders/7"),
        ("${request.id}/${request.method}/${route.name}/${service.name}", b"id-1/GET/r/s"),
        ("${request.client_ip} $${request.id} ${HOME}", b"192.0.2.1 ${request.id} ${HOME}"),
        ("${response.status}", b""),
        ("${path.id}", b"7"),
    ],
)
def test_values(text: str, expected: bytes) -> None:
    """Each name stands for its part of the request; what is absent leaves the field out."""
    assert value(text, (None, "id")) == expected


def test_nobody_has_no_name() -> None:
    """Nor has an answer a status before there is one."""
    assert value("${consumer.id}", caller=None) == b""
    assert value("${consumer.plan:-free}", caller=None) == b"free"
    assert value("${response.status}", status=204) == b"204"


@pytest.mark.parametrize("name", PLAIN_NAMES)
def test_the_whole_list_is_known(name: str) -> None:
    """Each plain name of the list has a value."""
    assert value(f"${{{name}}}", status=200)


def test_plain_texts_are_no_templates() -> None:
    """They cost nothing for a request."""
    assert template_of("a ${VAR} $ {consumer.id}") is None


def test_what_is_too_long_is_absent() -> None:
    """Nobody sends a value of megabytes on."""
    assert value("${request.query.a}", query=b"a=" + b"x" * (LONGEST + 1)) == b""
    assert value("${request.query.a}${request.query.a}", query=b"a=" + b"x" * LONGEST) == b""


@given(raw=st.binary(max_size=40))
def test_no_value_breaks_a_field(raw: bytes) -> None:
    """Whatever a client sends, a field is visible ASCII (RFC 9110 section 5.5)."""
    found = value("<${request.header.h}>", headers=((b"h", raw),))
    assert found == b"" or re.fullmatch(rb"[\x20-\x7e]+", found)


@given(raw=st.binary(max_size=20), slashes=st.booleans())
def test_no_value_changes_a_path(raw: bytes, slashes: bool) -> None:
    """A path has the segments that were written, no query, and reads back to the value."""
    template = template_of("/a/${request.header.h}/b", of_path=True)
    assert template is not None
    made = template.path(facts(headers=((b"h", raw),)), encoded_slashes=slashes)
    if made is None:
        assert not raw or raw in (b".", b"..") or re.search(rb"[\x00-\x1f\x7f/\\;]", raw)
        return
    first, last, value, end = made.split(b"/")
    assert (first, last, end) == (b"", b"a", b"b")
    assert value.translate(None, b"?#") == value
    assert normalise(made).forward == made  # type: ignore[union-attr]


@pytest.mark.parametrize("raw", [b".", b"..", b"%2e%2e", b"a/b", b"a%2Fb"])
def test_dots_and_slashes_make_no_path(raw: bytes) -> None:
    """They would lead somewhere else."""
    template = template_of("/users/${request.query.u}", of_path=True)
    assert template is not None
    assert template.path(facts(query=b"u=" + raw), encoded_slashes=False) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"Acme", b"acme.internal:80"),
        (b"a.b", b"a.b.internal:80"),
        (b"a/b", None),
        (b"a b", None),
        (b"", None),
    ],
)
def test_hosts(value: bytes, expected: bytes | None) -> None:
    """Labels and nothing else."""
    template = template_of("${request.header.t}.internal:80")
    assert template is not None
    assert template.host(facts(headers=((b"t", value),))) == expected


def test_groups_of_a_regex_have_names() -> None:
    """As placeholders of a template have."""
    template = template_of("${path.id}", re.compile("/orders/(?P<id>[0-9]+)"))
    assert template is not None
    assert template.field_value(facts()) == b"7"
