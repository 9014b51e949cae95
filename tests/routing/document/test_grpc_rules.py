"""Which routes and services go together by gRPC."""

from typing import Any

import pytest

from routing.columns import ROUTE
from routing.descriptortexts import packed
from routing.document.grpc_rules import check_grpc
from routing.validation import check_document
from tests.support.gateway import document, route
from tests.support.grpcserver import echo_set

SERVICES = [{"name": "calls", "protocol": "grpc"}, {"name": "plain"}, 7]
CALL = {"service": "a.B", "method": "C"}


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({"service": "calls", "grpc": CALL}, None),
        ({"service": "plain"}, None),
        ({"service": "unknown", "grpc": CALL}, None),
        ({"service": "plain", "grpc": CALL}, ("grpc",)),
        ({"service": "calls"}, ("service",)),
        ({"backends": [{"service": "plain"}, {"service": "calls"}]}, ("backends", 1, "service")),
        ({"service": "plain", "mirror": {"service": "calls"}}, ("mirror", "service")),
        (
            {"aggregate": {"parts": {"p": {"service": "calls"}}}},
            ("aggregate", "parts", "p", "service"),
        ),
        ({"backends": 5, "mirror": "x", "aggregate": {"parts": 3}}, None),
    ],
)
def test_routes(keys: dict[str, Any], place: tuple[Any, ...] | None) -> None:
    """One that calls, and a service that is called."""
    findings = list(check_grpc([keys, "x"], SERVICES, {}))
    assert [each.location for each in findings] == ([] if place is None else [("routes", 0, *place)])


GRPC = {"protocol": "grpc"}


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ({**GRPC, "tls": {"verify": False}}, ("tls", "verify")),
        ({**GRPC, "health": {"path": "/health"}}, ("health", "path")),
        ({**GRPC, "health": {"expect": [200]}}, ("health", "expect")),
        ({**GRPC, "health": {"service": "a.B", "interval": "1s"}}, None),
        ({**GRPC, "targets": [{"url": "http://a:1/"}, {"url": "http://a:2/x"}]}, ("targets", 1, "url")),
        ({**GRPC, "targets": [{"url": "unix:///run/a.sock"}]}, None),
        ({**GRPC, "descriptors": "!"}, ("descriptors",)),
        ({**GRPC, "descriptors": packed(echo_set())}, None),
        ({"descriptors": packed(echo_set())}, ("descriptors",)),
        ({"health": {"service": "a.B"}}, ("health", "service")),
    ],
)
def test_services(keys: dict[str, Any], place: tuple[Any, ...] | None) -> None:
    """What gRPC does not do is refused, and what only gRPC does."""
    findings = list(check_grpc([], [{"name": "s", **keys}], {}))
    assert [each.location for each in findings] == ([] if place is None else [("services", 0, *place)])


@pytest.mark.parametrize(
    ("call", "place", "said"),
    [
        ({"service": "echo.Echo", "method": "Say"}, None, ""),
        ({"service": "echo.Ech", "method": "Say"}, "service", "there are echo.Echo"),
        ({"service": "echo.Echo", "method": "Sya"}, "method", "there are Collect, Count, Say, Talk"),
        ({"service": "echo.Echo", "method": "Talk"}, "method", "takes a stream"),
    ],
)
def test_methods_of_a_set(call: dict[str, str], place: str | None, said: str) -> None:
    """What is not in the set is refused before anybody calls it."""
    services = [{"name": "calls", **GRPC, "descriptors": packed(echo_set())}]
    findings = list(check_grpc([{"service": "calls", "grpc": call}], services, {}))
    assert [each.location for each in findings] == ([] if place is None else [("routes", 0, "grpc", place)])
    assert all(said in each.message for each in findings)


def test_rewriting() -> None:
    """An error where the route says so itself, a warning where the defaults do."""
    rewrite = {"rewrite": {"strip_prefix": True}}
    keys = {"service": "calls", "grpc": CALL}
    (own,) = check_grpc([{**keys, **rewrite}], SERVICES, {})
    (inherited,) = check_grpc([keys, {"service": "plain"}], SERVICES, rewrite)
    assert (own.id, own.location) == ("gateway.E047", ("routes", 0, "rewrite"))
    assert (inherited.id, inherited.location) == ("gateway.W005", ("routes", 0, "rewrite"))


def test_a_document_says_the_place() -> None:
    """And a call without a service is none."""
    service = {"protocol": "grpc", "targets": [{"url": "http://127.0.0.1:1"}]}
    raw = document(
        route("a", path="/a", service="calls", grpc=CALL),
        route("b", path="/b", service="calls"),
        route("c", path="/c", respond={}, grpc=CALL),
        services={"calls": service},
    )
    problems = check_document(raw, env={}).problems
    assert [(each.id, each.path) for each in problems] == [
        ("gateway.E036", "routes[2].grpc"),
        ("gateway.E047", "routes[1].service"),
    ]


def test_rows_keep_both() -> None:
    """The service as the destination, the call beside it."""
    entry = {"name": "r", "service": "calls", "grpc": CALL}
    row = ROUTE.row(entry)
    assert (row["destination"], row["grpc"]) == ("service", CALL)
    assert ROUTE.entry(row) == entry
