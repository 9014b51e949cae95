"""What is wrong, by the rows that workers write."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.utils import timezone

from observability.alerts import gathering
from observability.alerts.certificates import Certificates
from observability.alerts.conditions import BURN
from observability.rollups.tiers import MINUTE
from observability.slo.counting import counts
from resilience.models import BreakerState, BreakerTransition, TargetHealth
from routing.compiler import CompileOptions, compile_snapshot
from routing.models import Node, Schedule
from tests.support.gateway import document, route
from tests.support.traffic_rows import AT, Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
SERVICES = {"orders": object()}


def test_breakers_and_targets() -> None:
    """Open or half open, and down; not what nobody serves any more."""
    now = timezone.now()
    for service, state in (("orders", "half_open"), ("gone", "open"), ("well", "closed")):
        BreakerState.objects.create(service=service, state=state, cause="reset")
    for target, healthy in (("http://a", False), ("http://b", True), ("http://c", None)):
        TargetHealth.objects.create(
            service="orders",
            target=target,
            healthy=healthy,
            ok=True,
            node="w",
            checked_at=now,
            why="status 500",
        )
    assert [each.key for each in gathering.breakers(SERVICES)] == ["orders"]
    assert [each.key for each in gathering.targets(SERVICES)] == ["orders http://a"]


def test_a_breaker_is_told_of_with_what_opened_it() -> None:
    """Not with what was counted since: while it is open nothing is."""
    now = timezone.now()
    BreakerState.objects.create(service="orders", state="half_open", cause="recovery")
    for minutes, after, requests, failures in ((3, "open", 9, 8), (2, "open", 7, 5), (1, "half_open", 0, 0)):
        BreakerTransition.objects.create(
            service="orders",
            at=now - timedelta(minutes=minutes),
            before="closed",
            after=after,
            cause="reset",
            requests=requests,
            failures=failures,
        )
    (found,) = gathering.breakers(SERVICES)
    assert found.details == {"cause": "recovery", "failures": 5, "requests": 7}


def test_nodes_that_refused_a_revision() -> None:
    """As long as they say so."""
    now = timezone.now()
    node = partial(Node.objects.create, pid=1, role="all", revision=3)
    node(name="well", heartbeat=now)
    node(name="bad", heartbeat=now, error="routes[0]: no such file")
    node(name="left", heartbeat=now - timedelta(minutes=5), error="x")
    (found,) = gathering.nodes(now)
    assert (found.key, "no such file" in found.summary) == ("bad", True)


def test_schedules_in_conflict() -> None:
    """For a day."""
    now = timezone.now()
    for state, ago in (("conflict", 1), ("conflict", 48), ("done", 1)):
        Schedule.objects.create(
            author="ada", zone="UTC", starts_at=now - timedelta(hours=ago), edits="[]", summary="s", state=state,
            note="orders was changed meanwhile",
        )  # fmt: skip
    (found,) = gathering.schedules(now)
    assert "orders was changed meanwhile" in found.summary


def test_budgets_by_the_rows_of_all_workers() -> None:
    """Of two workers that each failed some."""
    raw = document(route("orders", path="/a", respond={}, slo={"availability": 99}))
    snapshot = compile_snapshot(raw, revision=1, options=CompileOptions())
    (source,) = (
        each for each in gathering.sources(lambda: snapshot, counts, Certificates()) if each.kind == BURN
    )
    now = datetime.fromtimestamp(AT + MINUTE, UTC)
    assert source.look(now) == []
    for name in ("w1", "w2"):
        worker = Worker(name)
        worker.serve(10, status=500)
        worker.serve(10)
        worker.write()
    found = source.look(now)
    assert [(each.subject, each.severity) for each in found] == [
        ("orders", "critical"),
        ("orders", "warning"),
    ]
    assert found[0].details["bad"] == 20
