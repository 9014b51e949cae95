"""Orders are carried out once, in their order, by readers that were there."""

import pytest
from django.db import transaction
from django.utils import timezone

from resilience.models import TargetReadmission
from routing import orderfeed
from routing.orderfeed import OrderFeed, hold_orders

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def order(*targets: str) -> None:
    for target in targets:
        TargetReadmission.objects.create(service="shop", target=target, at=timezone.now(), by="anna")


def feed() -> OrderFeed:
    return OrderFeed(TargetReadmission, "target")


def test_each_once_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those of before; of many, some at a time."""
    order("old")
    reader, other = feed(), feed()
    assert (reader.unseen(), other.unseen()) == ((), ())
    order("a", "b", "c")
    monkeypatch.setattr(orderfeed, "AT_ONCE", 2)
    assert reader.unseen() == [("a",), ("b",)]
    assert reader.unseen() == [("c",)]
    assert reader.unseen() == ()
    assert other.unseen() == [("a",), ("b",)]


def test_nothing_there_at_first() -> None:
    """The first order of all is seen."""
    reader = feed()
    assert reader.unseen() == ()
    order("a")
    assert reader.unseen() == [("a",)]


def test_an_older_database_takes_the_place() -> None:
    """What it holds was ordered long ago; what is ordered from now on counts."""
    order("a", "b")
    reader = feed()
    assert reader.unseen() == ()
    TargetReadmission.objects.order_by("-pk").first().delete()  # type: ignore[union-attr]
    assert reader.unseen() == ()
    order("c")
    assert reader.unseen() == [("c",)]


def test_numbers_are_held_in_a_transaction(transactional_db: None) -> None:
    """Else they would not become visible in their order."""
    with pytest.raises(RuntimeError):
        hold_orders()
    with transaction.atomic():
        hold_orders()
