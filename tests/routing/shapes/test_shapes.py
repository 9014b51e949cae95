"""The policies of a route that read or change requests and answers."""

from routing.shapes.shapes import PLAIN
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of


def test_plain_routes_share_one_value() -> None:
    """Ten thousand of them hold nothing of their own."""
    raw = document(route("a", path="/a", service="s"), services={"s": "http://127.0.0.1:1"})

    assert snapshot_of(raw).routes["a"].shapes is PLAIN
