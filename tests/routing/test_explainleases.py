"""Targets that registered themselves, as explaining finds them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.models.query import QuerySet

from routing import explainleases, leases
from routing.explainleases import discovered
from routing.knowledge import Discovered
from routing.leasing import LeasedTarget
from routing.models import Lease
from routing.snapshot import CompiledService
from tests.support.leases import grow_old, registered
from tests.support.snapshots import snapshot_of

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def service(**more: Any) -> CompiledService:
    raw = {"name": "orders", "targets": [{"url": "http://a"}], **more}
    return snapshot_of({"version": 1, "services": [raw]}).services["orders"]


def found() -> list[tuple[str, str, bool]]:
    return [(each.target.url, each.state, each.is_stale) for each in discovered(service())]


@pytest.fixture
def auto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, discovery_approval="auto"))
    return


def test_approved_ones_first_then_those_in_quarantine() -> None:
    """By URL; other services' are not among them."""
    registered(host="c", weight=3)
    lease = registered(host="b", ttl_s=30.0).lease
    registered(host="a", by="stranger", approves=False)
    registered("other", host="x")
    assert found() == [
        ("http://b:1", "approved", False),
        ("http://c:1", "approved", False),
        ("http://a:1", "quarantined", False),
    ]
    b, c, _ = discovered(service())
    assert (c.target.weight, c.target.host, c.expires_at) == (3, "c", None)
    assert (b.registered_by, b.expires_at) == ("robot", lease.expires_at and lease.expires_at.timestamp())


def test_one_that_was_not_renewed_is_stale_until_somebody_ends_it() -> None:
    """Workers have it for the time being."""
    grow_old(registered(host="b", ttl_s=30.0).lease, 31.0)
    assert found() == [("http://b:1", "approved", True)]


def test_one_that_left_drains_while_a_request_may_be_under_way(auto: None) -> None:
    """As long as the service's timeout; not if the address is there again."""
    lease = registered(host="b").lease
    leases.end([lease.pk], by="robot", why=leases.LEFT)
    assert found() == [("http://b:1", "draining", False)]
    ended = Lease.objects.filter(pk=lease.pk)
    ended.update(ended_at=leases.database_now() - timedelta(seconds=service().total_timeout_s + 1))
    assert found() == []
    ended.update(ended_at=leases.database_now())
    registered(host="b")
    assert found() == [("http://b:1", "approved", False)]


def test_what_never_took_traffic_does_not_drain() -> None:
    """It waited in quarantine; once approved, it does."""
    lease = registered(host="b", approves=False).lease
    leases.end([lease.pk], by="robot", why=leases.LEFT)
    assert found() == []
    lease = registered(host="b", approves=False).lease
    leases.approve([lease.pk], by="anna")
    leases.reject([lease.pk], by="anna")
    assert found() == [("http://b:1", "draining", False)]


def test_without_a_database_what_this_process_knew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stale, all of it; where nothing watches, nothing is known."""

    def fail(*_: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(QuerySet, "_fetch_all", fail)
    assert discovered(service()) == []
    targets = {"orders": (LeasedTarget("1", "http://b:1", 2, "/health", 5.0, None),)}
    watch = SimpleNamespace(standing=SimpleNamespace(targets=targets))
    monkeypatch.setattr(explainleases, "running", lambda: watch)
    [known] = discovered(service())
    assert (known.target.url, known.target.weight) == ("http://b:1", 2)
    assert known == Discovered(known.target, is_stale=True)
