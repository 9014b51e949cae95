"""For whom a CORS preflight asks."""

from typing import Any

import pytest

from routing.matching import index_of
from routing.preflights import Preflight, asked_method, preflight_for
from routing.reserved import reserved_routes
from routing.shapes.cors import default_cors
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

ORIGIN = (b"origin", b"https://app.test")
CORS = {"origins": ["https://app.test"]}
SERVICES = {"s": "http://127.0.0.1:1"}


def asking(method: str) -> list[tuple[bytes, bytes]]:
    return [ORIGIN, (b"access-control-request-method", method.encode())]


def found(
    *routes: dict[str, Any], path: str = "/x", method: str = "PUT", default: bool = False
) -> Preflight | None:
    snapshot = snapshot_of(document(*routes, services=SERVICES))
    usual = default_cors(["https://app.test"]) if default else None
    return preflight_for(snapshot.index, b"h", path, asking(method), b"", default=usual)


@pytest.mark.parametrize(
    ("headers", "method"),
    [
        (asking("PUT"), "PUT"),
        ([ORIGIN], ""),
        ([(b"access-control-request-method", b"PUT")], ""),
        ([ORIGIN, (b"access-control-request-method", b"P UT")], ""),
        ([ORIGIN, (b"access-control-request-method", b"\xff")], ""),
        ([ORIGIN, (b"access-control-request-method", b"A" * 300)], ""),
        ([], ""),
    ],
)
def test_what_makes_a_preflight(headers: list[tuple[bytes, bytes]], method: str) -> None:
    """It says where it comes from and what is to come; anything else is a plain OPTIONS."""
    assert asked_method(headers) == method


def test_the_route_of_the_method_to_come_is_asked() -> None:
    """Not another one, which takes any OPTIONS."""
    everything = route("all", path="/", service="s", cors=CORS)
    put = route("put", path="/x", service="s", cors=CORS, match={"methods": ["PUT"]})
    asked = found(everything, put)
    other = found(everything, put, method="DELETE")

    assert asked is not None
    assert (asked.found.name, asked.method) == ("put", "PUT")
    assert other is not None
    assert other.found.name == "all"


def test_a_route_without_policy_is_not_answered_for() -> None:
    """Even where a route that takes any OPTIONS has one: it is not that route's to say."""
    everything = route("all", path="/", service="s", cors=CORS)
    put = route("put", path="/x", service="s", match={"methods": ["PUT"]})

    assert found(everything, put) is None
    assert found(put, method="DELETE") is None


@pytest.mark.parametrize(
    ("path", "answered"), [("/api/auth/login", True), ("/admin/", False), ("/control/v1", False)]
)
def test_own_endpoints_have_the_default_policy(path: str, answered: bool) -> None:
    """Those for users; what staff use is for no other origin."""
    index = index_of([], reserved_routes("/api/v1"))
    usual = default_cors(["https://app.test"])

    assert (preflight_for(index, b"h", path, asking("POST"), b"", default=usual) is not None) is answered
    assert preflight_for(index, b"h", path, asking("POST"), b"", default=None) is None
