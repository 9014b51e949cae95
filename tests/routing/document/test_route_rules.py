"""What the keys of a route must be to each other."""

from typing import Any

import pytest
from hypothesis import given

from routing.document.interpolation import fill
from routing.document.route_rules import check_route_rules
from tests.support.documents import anything, lines


def to_service(**more: Any) -> dict[str, Any]:
    return {"name": "r", "service": "s", **more}


@pytest.mark.parametrize(
    "raw",
    [
        to_service(),
        to_service(rewrite={"prefix": "/b"}, match={"path": "/a"}),
        to_service(rewrite={"strip_prefix": True}, match={"path": "/a", "path_type": "exact"}),
        to_service(rewrite={"strip_prefix": False, "path": "/x", "host": "h", "preserve_host": False}),
        to_service(backends=[]),
        {"backends": [{"service": "a"}, {"service": "b", "weight": 0}], "sticky": "consumer"},
        {"redirect": {"query": ""}},
        {"redirect": {"path": {"prefix": "/b"}}, "match": {"path": "/a"}},
        {"respond": {}},
        {"respond": {"status": 204, "body": ""}, "response_headers": {"set": {"Host": "x"}}},
        to_service(match={"headers": {"x-a": {}, "x-b": {"regex": "b"}}, "hosts": ["a", "b"]}),
        to_service(request_headers={"set": {"X-Host": "a"}, "remove": ["X-Host"]}),
    ],
)
def test_accepted(raw: dict[str, Any]) -> None:
    """Keys that go together."""
    assert lines(check_route_rules(raw)) == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({}, "E012 needs one destination: service, backends, redirect, respond, aggregate, publish"),
        ({"service": None, "backends": []}, "E012 needs one destination"),
        (to_service(redirect={"port": 1}), "E012 has 2 destinations (service, redirect); keep one"),
        (to_service(sticky="consumer"), "E036 sticky: needs backends"),
        (to_service(canary={}), "E036 canary: needs backends"),
        ({"respond": {}, "rewrite": {"path": "/"}}, "W005 rewrite: has no effect: respond asks no service"),
        ({"redirect": {"port": 1}, "timeout": "1s"}, "W005 timeout: has no effect: redirect asks no service"),
        (to_service(match={"path": "a"}), "E013 match.path"),
        (to_service(match={"hosts": ["a", "b", "a"]}), 'E032 match.hosts[2]: "a" is there twice'),
        (to_service(match={"methods": ["GET", "GET"]}), 'E032 match.methods[1]: "GET" is there twice'),
        (to_service(match={"headers": {"x": {"regex": "("}}}), "E015 match.headers.x.regex"),
        (
            to_service(match={"query": {"x": {"regex": "a", "exact": "b"}}}),
            "E022 match.query.x: has both exact and regex",
        ),
        (
            to_service(match={"headers": {"X-A": "1", "x-a": "2"}}),
            'E032 match.headers.x-a: is the same header as "X-A"',
        ),
        ({"backends": [{"service": "a", "weight": 0}]}, "E036 backends: at least one weight must be above 0"),
        ({"backends": [{"service": "a"}, {"service": "a"}]}, 'E032 backends[1].service: "a" is there twice'),
        ({"redirect": {"status": 302}}, "E023 redirect: leads back to the same URL"),
        ({"redirect": {"path": {}}}, "E003 redirect.path: is empty"),
        (
            {"redirect": {"path": {"exact": "/a", "prefix": "/b"}}},
            "E022 redirect.path: has both exact and prefix",
        ),
        ({"redirect": {"path": {"prefix": "/b"}}}, "E036 redirect.path.prefix: needs match.path"),
        (
            {"respond": {"status": 204, "body": "x"}},
            "E024 respond.body: an answer with status 204 has no body",
        ),
        ({"respond": {"headers": {"A": "1", "a": "2"}}}, "E032 respond.headers.a"),
        (
            to_service(rewrite={"path": "/a", "regex": {}}),
            "E022 rewrite: path, regex exclude each other; keep one",
        ),
        (to_service(rewrite={"host": "a", "preserve_host": True}), "E022 rewrite: host and preserve_host"),
        (to_service(rewrite={"strip_prefix": True}), "E036 rewrite.strip_prefix: needs match.path"),
        (
            to_service(rewrite={"prefix": "/b"}, match={"path": "/{a}", "path_type": "template"}),
            "E036 rewrite.prefix: needs match.path_type prefix or exact, not template; rewrite by regex instead",
        ),
        (to_service(rewrite={"regex": {"pattern": "(", "to": ""}}), "E015 rewrite.regex.pattern"),
        (to_service(rewrite={"regex": {"pattern": "a", "to": "\\1"}}), "E015 rewrite.regex.to"),
        (
            to_service(request_headers={"set": {"HOST": "a"}}),
            "E018 request_headers.set.HOST: the Host header",
        ),
        (
            to_service(request_headers={"remove": ["x", "Host"]}),
            "E018 request_headers.remove[1]: the Host header",
        ),
        (to_service(response_headers={"add": {"A": "1", "a": "1"}}), "E032 response_headers.add.a"),
        (to_service(require_headers={"x": {"regex": "(a+)+"}}), "E015 require_headers.x.regex"),
        (to_service(require_headers={"a b": {}}), 'E018 require_headers["a b"]: "a b" is not a header name'),
        (to_service(require_headers={"x": {}, "X": {}}), "E032 require_headers.X"),
    ],
)
def test_reported(raw: dict[str, Any], message: str) -> None:
    """Keys that do not go together, each at its place."""
    assert message in lines(check_route_rules(raw))[0]


def test_defaults_need_no_destination() -> None:
    """Only what is said twice is wrong there."""
    assert lines(check_route_rules({}, is_defaults=True)) == []
    assert "E012" in lines(check_route_rules({"service": "a", "respond": {}}, is_defaults=True))[0]


def test_wrong_kinds_of_values_are_reported_elsewhere() -> None:
    """A rule has nothing to say of a section that is none."""
    names = ("match", "redirect", "respond", "rewrite", "request_headers", "require_headers", "backends")

    for name in names:
        found = list(check_route_rules({name: "nonsense"}, is_defaults=True))
        assert [finding.id for finding in found] == []


@given(anything)
def test_any_value_is_read(raw: Any) -> None:
    """No value of a wrong type breaks a rule."""
    value = fill(raw, {}).value
    if isinstance(value, dict):
        assert all(finding.id for finding in check_route_rules(value))
