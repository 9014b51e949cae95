"""Examples: a request that a route should take."""

from typing import Any

import pytest

from routing.admin.examples import example
from routing.compiler import CompileOptions, compile_snapshot
from routing.curl import Request
from routing.explain import explain, request_to


@pytest.mark.parametrize(
    ("match", "request_"),
    [
        ({}, Request("GET", "http://example.com/", ())),
        ({"path": "/a", "methods": ["POST", "PUT"]}, Request("POST", "http://example.com/a", ())),
        ({"path": "/a", "hosts": ["*.b.test"]}, Request("GET", "http://any.b.test/a", ())),
        ({"path": "/o/{id}/x", "path_type": "template"}, Request("GET", "http://example.com/o/id/x", ())),
        ({"path": "^/a$", "path_type": "regex"}, Request("GET", "http://example.com/a", ())),
        (
            {"path": "/", "headers": {"x-a": "b", "x-r": {"regex": "c"}}, "query": {"v": "2 3"}},
            Request("GET", "http://example.com/?v=2+3", (("x-a", "b"), ("x-r", "c"))),
        ),
    ],
)
def test_example(match: dict[str, Any], request_: Request) -> None:
    """Host, path, method, headers and query are such that the route matches."""
    entry = {"name": "r", "match": match, "respond": {"status": 204}, "auth": {"level": "public"}}
    found = example(entry)
    assert found == request_
    snapshot = compile_snapshot({"version": 1, "routes": [entry]}, revision=1, options=CompileOptions())
    matched = explain(snapshot, request_to(found.method, found.url, found.headers)).matched
    assert matched is not None
    assert matched.route == "r"
