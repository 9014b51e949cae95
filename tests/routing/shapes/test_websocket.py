"""WebSocket connections through a route."""

from routing.document.answers import WebSocketSpec
from routing.shapes.websocket import SocketPolicy, socket_note, socket_policy_of


def test_a_route_takes_none_unless_it_says_so() -> None:
    assert socket_policy_of(None) is None
    assert socket_policy_of(WebSocketSpec(enabled=False)) is None


def test_policy() -> None:
    assert socket_policy_of(WebSocketSpec()) == SocketPolicy(300.0, 1 << 20, "leave")
    spec = WebSocketSpec(idle_timeout="5s", max_message="1KB", on_change="drain")  # type: ignore[arg-type]
    assert socket_policy_of(spec) == SocketPolicy(5.0, 1024, "drain")


def test_note() -> None:
    """Explain says whether the request would become a connection."""
    policy = SocketPolicy(5.0, 1024, "drain")
    (plain,) = socket_note(policy, "route", ())
    (asked,) = socket_note(policy, "defaults", ((b"upgrade", b"WebSocket"),))
    assert (plain.name, plain.outcome, asked.outcome, asked.source) == (
        "websocket",
        "pass",
        "applies",
        "defaults",
    )
    assert asked.details == {"idle_timeout_s": 5.0, "max_message": 1024, "on_change": "drain"}
    assert list(socket_note(None, "route", ())) == []
