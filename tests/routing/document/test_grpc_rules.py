"""Which routes and services go together by gRPC."""

from typing import Any

import pytest

from routing.columns import ROUTE
from routing.document.grpc_rules import check_grpc
from routing.validation import check_document
from tests.support.gateway import document, route

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


@pytest.mark.parametrize(
    ("keys", "place"), [({"tls": {"verify": False}}, ("tls", "verify")), ({"health": {}}, ("health",))]
)
def test_services(keys: dict[str, Any], place: tuple[Any, ...]) -> None:
    """What gRPC does not do is refused."""
    (finding,) = check_grpc([], [{"name": "s", "protocol": "grpc", **keys}], {})
    assert finding.location == ("services", 0, *place)


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
