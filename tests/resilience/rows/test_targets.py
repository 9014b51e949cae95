"""Rows of targets and leases: one for each."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from resilience.models import LeaderLease, TargetEjection, TargetHealth, TargetReadmission

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def health(**changed: Any) -> TargetHealth:
    values = {"service": "shop", "target": "http://a:1", "ok": True, "node": "n"} | changed
    return TargetHealth.objects.create(checked_at=timezone.now(), **values)


def test_each_target_of_each_service_has_one_row() -> None:
    """Whichever program writes it."""
    assert str(health()) == "http://a:1 of shop"
    health(service="store")
    health(target="http://b:1")
    with pytest.raises(IntegrityError), transaction.atomic():
        health()


def test_each_worker_has_one_row_of_a_target_that_it_ejects() -> None:
    """And somebody may put a target back as often as they like."""
    now = timezone.now()
    known = {"service": "shop", "target": "http://a:1"}
    assert (
        str(TargetEjection.objects.create(**known, node="w", since=now, until=now))
        == "http://a:1 of shop by w"
    )
    for _ in range(2):
        assert str(TargetReadmission.objects.create(**known, at=now, by="anna")) == "http://a:1 of shop"
    with pytest.raises(IntegrityError), transaction.atomic():
        TargetEjection.objects.create(**known, node="w", since=now, until=now)


def test_each_lease_has_one_row() -> None:
    """So that one statement decides who holds it."""
    lease = {"name": "rollups", "until": timezone.now()}
    assert str(LeaderLease.objects.create(holder="a", **lease)) == "rollups"
    with pytest.raises(IntegrityError), transaction.atomic():
        LeaderLease.objects.create(holder="b", **lease)
