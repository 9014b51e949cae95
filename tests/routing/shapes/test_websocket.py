"""WebSocket connections through a route."""

from routing.document.answers import WebSocketSpec
from routing.shapes.websocket import SocketPolicy, socket_policy_of


def test_a_route_takes_none_unless_it_says_so() -> None:
    assert socket_policy_of(None) is None
    assert socket_policy_of(WebSocketSpec(enabled=False)) is None


def test_policy() -> None:
    assert socket_policy_of(WebSocketSpec()) == SocketPolicy(300.0, 1 << 20, "leave")
    spec = WebSocketSpec(idle_timeout="5s", max_message="1KB", on_change="drain")  # type: ignore[arg-type]
    assert socket_policy_of(spec) == SocketPolicy(5.0, 1024, "drain")
