"""Changes to fields, paths and hosts, compiled."""

from typing import Any

from routing.document.routes import RouteSpec
from routing.patterns import PathPattern, parse_pattern
from routing.rewrite import CompiledRewrite
from routing.shapes.changes import filled, header_ops_of, names_of, reads_answers, rendered, rewrite_of
from routing.snapshot import HeaderOps
from tests.routing.shapes.test_templates import facts


def spec(**keys: Any) -> RouteSpec:
    return RouteSpec.model_validate({"name": "r", "service": "s", **keys})


def pattern(path: str, kind: Any) -> PathPattern:
    found = parse_pattern(path, kind)
    assert isinstance(found, PathPattern)
    return found


ORDERS = pattern("/orders/{id}", "template")


def test_only_what_has_variables_is_filled_in() -> None:
    """What is set anew is removed first, even if there is nothing to set."""
    written = spec(request_headers={"set": {"X-A": "1", "X-B": "${path.id}"}, "add": {"X-C": "${user.id}"}})
    ops = header_ops_of(written.request_headers, names_of(ORDERS))
    assert ops is not None
    assert (ops.remove, ops.set) == (frozenset({b"x-b"}), ((b"x-a", b"1"),))
    assert rendered(ops.templates, facts()) == ((b"x-b", b"7"), (b"x-c", b"7"))
    assert rendered(ops.templates, facts(caller=None)) == ((b"x-b", b"7"),)


def test_what_a_route_knows_is_filled_in_once() -> None:
    """Its own name, and the service where it has one only: no request is asked for them."""
    written = spec(
        response_headers={"set": {"X-A": "${route.name}/${service.name}"}, "add": {"X-B": "${route.name}"}}
    )
    ops = header_ops_of(written.response_headers, (), route="r,1", service="s")
    assert ops == HeaderOps(set=((b"x-a", b"r,1/s"),), add=((b"x-b", b"r,1"),))
    split = header_ops_of(written.response_headers, (), route="r")
    assert split is not None
    assert [name for name, _ in split.templates] == [b"x-a"]


def test_routes_that_read_answers_ask_for_whole_ones() -> None:
    """Unless somebody wants it otherwise."""
    assert header_ops_of(None, ()) is None
    assert reads_answers(spec(envelope=True))
    assert reads_answers(spec(transform={"response": "@"}))
    assert not reads_answers(spec(transform={"request": "@"}))
    expected = HeaderOps(frozenset({b"range", b"if-range"}), ((b"accept-encoding", b"identity"),))
    assert header_ops_of(None, (), reads_answers=True) == expected
    own = spec(request_headers={"set": {"Accept-Encoding": "gzip"}}).request_headers
    assert header_ops_of(own, (), reads_answers=True) == HeaderOps(
        frozenset({b"range", b"if-range"}), ((b"accept-encoding", b"gzip"),)
    )


def test_rewrites() -> None:
    """Those without variables are as they were; the others are made for each request."""
    assert rewrite_of(None, ORDERS) is None
    assert rewrite_of(spec(rewrite={"path": "/x"}).rewrite, ORDERS) == CompiledRewrite("path", b"/x")
    made = rewrite_of(
        spec(rewrite={"path": "/v2/${path.id}", "host": "${request.method}.test"}).rewrite, ORDERS
    )
    assert made is not None
    assert made.is_templated
    assert filled(made, facts(), encoded_slashes=False) == CompiledRewrite("path", b"/v2/7", host=b"get.test")
    assert filled(made, facts(method="A/B"), encoded_slashes=False) == "host"
    assert filled(made, facts(b"/orders"), encoded_slashes=False) == "path"


def test_prefixes() -> None:
    """The rest of the path stays behind it."""
    prefix = pattern("/orders", "prefix")
    made = rewrite_of(spec(rewrite={"prefix": "/t/${consumer.name}"}).rewrite, prefix)
    assert made is not None
    found = filled(made, facts(), encoded_slashes=False)
    assert isinstance(found, CompiledRewrite)
    assert found.apply(b"/orders/7", b"/base") == b"/base/t/acme/7"
