"""Routes with WebSocket connections need services that speak HTTP/1.1."""

from typing import Any

import pytest

from routing.document.socket_rules import check_sockets
from routing.validation import check_document
from tests.support.gateway import document, route

SERVICES = [{"name": "new", "protocol": "h2c"}, {"name": "old"}, {"name": "safe", "protocol": "https"}, 7]


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ({"service": "new", "websocket": {}}, 1),
        ({"service": "new", "websocket": {"enabled": True}}, 1),
        ({"service": "new", "websocket": {"enabled": False}}, 0),
        ({"service": "new"}, 0),
        ({"service": "old", "websocket": {}}, 0),
        ({"service": "safe", "websocket": {}}, 0),
        ({"service": "unknown", "websocket": {}}, 0),
        ({"backends": [{"service": "old"}, {"service": "new"}, 3], "websocket": {}}, 1),
        ({"respond": {}, "websocket": {}}, 0),
        ({"publish": {"topic": "t"}, "websocket": {}}, 1),
        ({"grpc": {"service": "a.B", "method": "C"}, "service": "old", "websocket": {}}, 1),
        ({"publish": {"topic": "t"}, "websocket": {"enabled": False}}, 0),
        ({"service": ["x"], "websocket": 5}, 0),
    ],
)
def test_findings(keys: dict[str, Any], found: int) -> None:
    """By the service's protocol, wherever the route takes connections."""
    findings = list(check_sockets([keys, "x"], SERVICES, {}))
    assert [each.location for each in findings] == [("routes", 0, "websocket")] * found


def test_defaults_count() -> None:
    """For routes that say nothing else."""
    routes = [{"service": "new"}, {"service": "new", "websocket": {"enabled": False}}]
    assert len(list(check_sockets(routes, SERVICES, {"websocket": {}}))) == 1


def test_a_document_is_refused() -> None:
    """With the place, and what to do."""
    service = {"protocol": "h2c", "targets": [{"url": "http://127.0.0.1:1"}]}
    raw = document(route(service="new", websocket={}), services={"new": service})
    (problem,) = check_document(raw, env={}).problems
    assert (problem.id, problem.path) == ("gateway.E046", "routes[0].websocket")
    assert "speaks h2c" in problem.message
