"""What the database says of breakers and targets, and what this process knows better."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models.query import QuerySet
from django.utils import timezone

from resilience.canaries import Wanted
from resilience.canary import CanaryPolicy
from resilience.models import BreakerState, TargetEjection, TargetHealth
from resilience.policies import QuotaPolicy
from resilience.state import StateTable
from routing import livestates, quotasleft
from routing.canarying import begin, steer
from routing.knowing import knowledge, left_out
from routing.knowledge import Counted
from routing.snapshot import CompiledService
from tests.support.documents import document
from tests.support.leases import registered
from tests.support.snapshots import snapshot_of

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def service(**more: Any) -> CompiledService:
    raw = {"name": "s", "targets": [{"url": "http://a"}, {"url": "http://b"}], **more}
    return snapshot_of({"version": 1, "services": [raw]}).services["s"]


def checked(url: str, healthy: bool | None, age_s: float = 0.0) -> None:
    at = timezone.now() - timedelta(seconds=age_s)
    TargetHealth.objects.create(
        service="s", target=url, healthy=healthy, checked_at=at, ok=bool(healthy), node="n"
    )


@pytest.fixture
def states() -> Iterator[StateTable]:
    table = StateTable()
    livestates.bind(table)
    yield table
    livestates.unbind(table)


def test_a_breaker_as_it_was_recorded() -> None:
    """And what somebody forced."""
    assert knowledge().breaker("s") is None
    now = timezone.now()
    BreakerState.objects.create(
        service="s",
        state="open",
        since=now,
        forced="closed",
        forced_by="anna",
        reason="drill",
        forced_until=now,
    )
    assert knowledge().breaker("s") == {
        "state": "open",
        "since": now.timestamp(),
        "forced": "closed",
        "forced_by": "anna",
        "reason": "drill",
        "until": now.timestamp(),
    }
    BreakerState.objects.update(forced="", forced_by="", reason="", forced_until=None, since=None)
    found = knowledge().breaker("s")
    assert found is not None
    assert {name: value for name, value in found.items() if value} == {"state": "open"}


def test_targets_as_they_were_checked() -> None:
    """Not too long ago; where nobody checks, nothing is known."""
    checked("http://a", healthy=True)
    checked("http://b", healthy=False, age_s=50.0)
    checked("http://c", healthy=False, age_s=70.0)
    assert knowledge().targets(service(health={"interval": "5s"})) == {
        "http://a": "healthy",
        "http://b": "unhealthy",
    }
    assert len(knowledge().targets(service(health={"interval": "25s"}))) == 3
    assert knowledge().targets(service()) == {}


def test_targets_that_are_left_out(states: StateTable) -> None:
    """The same in one look at all services: fresh checks, ejections, and what this process sees itself."""
    now = timezone.now()
    for url, healthy, age_s in (("http://a", False, 0.0), ("http://b", False, 70.0), ("http://c", True, 0.0)):
        checked(url, healthy=healthy, age_s=age_s)
    checks = service(health={"interval": "5s"})
    ejects = service(ejection={})
    assert left_out([checks]) == {"s": {"http://a"}}
    assert left_out([service()]) == left_out([ejects]) == {"s": frozenset()}
    TargetEjection.objects.create(
        service="s", target="http://b", node="n", since=now, until=now + timedelta(seconds=30)
    )
    TargetHealth.objects.filter(target="http://b").update(healthy=None, checked_at=None)
    assert left_out([ejects]) == {"s": {"http://b"}}
    assert left_out([checks]) == {"s": {"http://a"}}
    assert left_out([]) == {}
    states.get("s").target("http://a").healthy = True
    states.get("s").target("http://d").healthy = False
    assert left_out([checks]) == {"s": {"http://d"}}


def test_registered_targets_are_checked_where_the_service_says_nothing_of_it() -> None:
    """As often as their registration says."""
    checked("http://r:1", healthy=True, age_s=80.0)
    assert knowledge().targets(service()) == {}
    registered("s", host="r", check_interval_s=30.0)
    assert knowledge().targets(service()) == {"http://r:1": "healthy"}
    assert [each.target.url for each in knowledge().discovered(service())] == ["http://r:1"]


def test_quotas_are_asked_of_whoever_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """By way of the port."""
    monkeypatch.setattr(quotasleft, "_bound", [])
    request = Counted(snapshot_of(document({})).routes["r0"])
    assert knowledge().quotas([QuotaPolicy("q", 1, 1.0)], request) == (quotasleft.NOBODY,)


def test_what_this_process_sees_counts_more(states: StateTable) -> None:
    """It is newer, and knows of ejections."""
    checked("http://a", healthy=True)
    checked("http://b", healthy=True)
    states.get("s").target("http://b").ejected_until = time.monotonic() + 60.0
    assert knowledge().targets(service(health={})) == {"http://a": "healthy", "http://b": "ejected"}


def test_without_a_database_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """And explaining goes on."""

    def fail(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(QuerySet, "_fetch_all", fail)
    assert knowledge().breaker("s") is None
    assert knowledge().targets(service(health={})) == {}
    assert abs(knowledge().now - time.time()) < 60.0


def test_who_is_ejected_at_some_worker() -> None:
    """As workers wrote it down, where the service ejects at all; not for longer than it holds."""
    now = timezone.now()
    for url, seconds in (("http://a", 30), ("http://b", -1)):
        until = now + timedelta(seconds=seconds)
        TargetEjection.objects.create(service="s", target=url, node="w", since=now, until=until)
    assert knowledge().targets(service(ejection={})) == {"http://a": "ejected"}
    assert knowledge().targets(service()) == {}


def test_how_a_canary_stands() -> None:
    """As its row says; of others nothing is known."""
    begin("r", Wanted(CanaryPolicy(every_s=60.0), "new", "m"), 1, 1_700_000_000.0)
    found = knowledge().canary("r")
    assert found is not None
    assert (found.step, found.steps, found.percent, found.by) == (1, 4, 5.0, "system")
    assert (found.since, found.next_at) == (1_700_000_000.0, 1_700_000_060.0)
    steer("r", "roll_back", by="anna")
    found = knowledge().canary("r")
    assert found is not None
    assert (found.state, found.percent, found.next_at) == ("rolled back", 0.0, None)
    assert knowledge().canary("x") is None
