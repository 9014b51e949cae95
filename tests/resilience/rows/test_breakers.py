"""Rows of breakers: one for each service, and a history whose newest comes first."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from resilience.models import BreakerState, BreakerTransition

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_what_is_forced_wins() -> None:
    """As in the workers."""
    assert BreakerState(service="shop", state="half_open").effective == "half_open"
    assert BreakerState(service="shop", state="open", forced="closed").effective == "closed"


@pytest.mark.parametrize(
    "wrong",
    [{"state": "ajar"}, {"forced": "half_open"}, {"service": "shop"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_the_database_refuses_what_cannot_be(wrong: dict[str, str]) -> None:
    """Whichever program writes it."""
    BreakerState.objects.create(service="shop")
    with pytest.raises(IntegrityError), transaction.atomic():
        BreakerState.objects.create(**{"service": "other", **wrong})


def test_the_newest_transition_comes_first() -> None:
    """Of one moment, the one that was written last."""
    for second, after in ((1, "open"), (0, "half_open"), (1, "closed")):
        BreakerTransition.objects.create(
            service="shop", at=datetime(2030, 1, 1, 0, 0, second, tzinfo=UTC), before="closed", after=after
        )
    assert list(map(str, BreakerTransition.objects.all())) == [
        "shop: closed → closed",
        "shop: closed → open",
        "shop: closed → half_open",
    ]
