"""An operator has a quota counted anew: one row, and nothing of it where the store cannot be told."""

import pytest

from authproxy import quotaresets
from authproxy.quotacounts import history
from authproxy.quotaresets import ResetRefused, StoreAway, reset
from resilience.models import QuotaCount, QuotaReset
from tests.support.counts import counted

pytestmark = [pytest.mark.store, pytest.mark.django_db]
BUCKET = "d|free|consumer:ada"


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    found: list[str] = []
    monkeypatch.setattr(quotaresets, "_bound", [lambda bucket: found.append(bucket) or ""])
    return found


def test_a_count_is_reset(forgotten: list[str]) -> None:
    """With who, when and why; each one has a number."""
    counted(BUCKET, 7)
    first = reset(BUCKET, by="anna", reason="sorry\0")
    assert (first.number, first.count, first.by, first.reason) == (
        1,
        7,
        "anna",
        "sorry\N{REPLACEMENT CHARACTER}",
    )
    QuotaCount.objects.update(count=3)
    assert reset(BUCKET, by="bert").number == 2
    row = QuotaCount.objects.get()
    assert (row.count, row.resets, forgotten) == (0, 2, [BUCKET, BUCKET])
    assert [(each.by, each.count) for each in history(BUCKET)] == [("bert", 3), ("anna", 7)]


def test_what_is_not_there_is_refused(forgotten: list[str]) -> None:
    """And nothing is told."""
    with pytest.raises(ResetRefused, match="no such count"):
        reset(BUCKET, by="anna")
    assert forgotten == []


def test_a_store_that_is_away_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else pages would say what does not hold."""
    monkeypatch.setattr(quotaresets, "_bound", [])
    quotaresets.bind(lambda _bucket: "Redis does not answer")
    counted(BUCKET, 7)
    with pytest.raises(StoreAway, match="Redis does not answer"):
        reset(BUCKET, by="anna")
    assert QuotaCount.objects.get().count == 7
    assert not QuotaReset.objects.exists()
