"""Which canaries a configuration asks for, and what makes one another."""

from typing import Any

from resilience.canaries import Wanted
from routing.canaries import wanted_canaries
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

SERVICES = {"old": "http://a", "new": "http://b"}
BACKENDS = [{"service": "old", "weight": 3}, {"service": "new"}]


def wanted(**keys: Any) -> dict[str, Wanted]:
    raw = document(route(**{"backends": BACKENDS, **keys}), services=SERVICES)
    return wanted_canaries(snapshot_of(raw).routes)


def test_the_last_backend_is_the_canary() -> None:
    """With its schedule."""
    found = wanted(canary={"steps": [5, 100], "every": "1m", "max_latency_ratio": 1.5})["r"]
    assert found.service == "new"
    assert (found.policy.steps, found.policy.every_s, found.policy.max_latency_ratio) == ((5, 100), 60, 1.5)
    assert wanted() == {}


def test_what_makes_it_another() -> None:
    """Its schedule and the services, not what else the route says."""
    mark = wanted(canary={})["r"].mark
    assert wanted(canary={}, timeout="3s")["r"].mark == mark
    assert wanted(canary={"every": "1s"})["r"].mark != mark
    assert wanted(canary={}, backends=BACKENDS[::-1])["r"].mark != mark
