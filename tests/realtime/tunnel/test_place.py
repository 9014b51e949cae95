"""What a swap makes of connections."""

from typing import Any

import pytest

from realtime.tunnel.place import Place, fate_of
from tests.support.documents import document
from tests.support.snapshots import snapshot_of

URL = "http://127.0.0.1:9001"
HERE = Place("live", "chat", URL, False)


def fate(place: Place = HERE, *, target: str = URL, **keys: Any) -> str:
    route = {"name": "live", "match": {"path": "/"}, "service": "chat", "websocket": {}, **keys}
    service = {"name": "chat", "targets": [{"url": target}]}
    return fate_of(place, snapshot_of({"version": 1, "services": [service], "routes": [route]}))


@pytest.mark.parametrize(
    ("more", "answer"),
    [
        ({}, "stays"),
        ({"timeout": "9s"}, "stays"),
        ({"name": "other"}, "gone"),
        ({"enabled": False}, "gone"),
        ({"websocket": {"enabled": False}}, "gone"),
        ({"target": "http://127.0.0.1:9002"}, "elsewhere"),
    ],
)
def test_fates(more: dict[str, Any], answer: str) -> None:
    assert fate(**more) == answer


def test_registered_targets_come_and_go_without_a_revision() -> None:
    assert fate(HERE._replace(is_leased=True), target="http://127.0.0.1:9002") == "stays"


def test_another_service() -> None:
    assert fate(HERE._replace(service="old")) == "elsewhere"


def test_nothing_is_left() -> None:
    assert fate_of(HERE, snapshot_of(document())) == "gone"
