"""What the database itself guarantees about leases."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from routing.models import Lease, LeaseCount, LeaseState, Trust

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def lease(**more: Any) -> Lease:
    now = timezone.now()
    values: dict[str, Any] = {
        "service": "orders",
        "url": "http://orders:1",
        "check_endpoint": "/health",
        "check_interval_s": 30.0,
        "consumer": "orders",
        "state": LeaseState.APPROVED,
        "created_at": now,
        "renewed_at": now,
    }
    return Lease.objects.create(**{**values, **more})


def test_one_live_lease_for_an_address() -> None:
    """Of one service; ended ones are history."""
    for _ in range(2):
        lease(state=LeaseState.ENDED, ended_at=timezone.now())
    lease()
    lease(service="other")
    with pytest.raises(IntegrityError), transaction.atomic():
        lease()


@pytest.mark.parametrize(
    "wrong",
    [{"state": "ended"}, {"ended_at": timezone.now()}, {"state": "else"}, {"weight": 0}],
)
def test_what_cannot_be(wrong: dict[str, Any]) -> None:
    """Ended means since some time; states and weights are what they may be."""
    with pytest.raises(IntegrityError), transaction.atomic():
        lease(**wrong)


def test_one_count_and_one_word_about_an_account() -> None:
    """Of each there is one row."""
    LeaseCount.objects.create(pk=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        LeaseCount.objects.create(pk=2)
    word = {"service": "s", "consumer": "c", "is_trusted": True, "decided_by": "x"}
    Trust.objects.create(**word, decided_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Trust.objects.create(**word, decided_at=timezone.now())


def test_texts() -> None:
    """As admin shows them."""
    trust = Trust(service="orders", consumer="ada")
    assert [str(lease()), str(LeaseCount(number=3)), str(trust)] == [
        "http://orders:1 for orders",
        "3",
        "ada for orders",
    ]
