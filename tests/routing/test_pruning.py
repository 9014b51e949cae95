"""History goes some at a time: what is old, and what is too much."""

from datetime import UTC, datetime, timedelta

import pytest

from resilience.models import TargetReadmission
from routing import pruning
from routing.pruning import KEPT_FOR, delete_some, prune_history

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def ago(*days: float) -> None:
    for each in days:
        at = NOW - timedelta(days=each)
        TargetReadmission.objects.create(service="shop", target="http://a:1", at=at, by="anna")


def left() -> list[float]:
    return [(NOW - row.at) / timedelta(days=1) for row in TargetReadmission.objects.order_by("pk")]


def test_what_is_old_goes() -> None:
    """And nothing where there is nothing."""
    assert not prune_history(TargetReadmission, NOW)
    ago(91, 89, 0)
    assert not prune_history(TargetReadmission, NOW)
    assert left() == [89, 0]
    assert timedelta(days=90) == KEPT_FOR


def test_what_is_too_much_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest first, some at a time."""
    monkeypatch.setattr(pruning, "AT_ONCE", 2)
    ago(5, 4, 3, 2, 1)
    assert prune_history(TargetReadmission, NOW, kept=1)
    assert left() == [3, 2, 1]
    assert prune_history(TargetReadmission, NOW, kept=1)
    assert not prune_history(TargetReadmission, NOW, kept=1)
    assert left() == [1]
    assert not delete_some(TargetReadmission.objects.order_by("pk"))
    assert left() == []
