"""`gateway quota list` and `reset`."""

import pytest

from authproxy import quotaresets
from resilience.models import QuotaCount, QuotaReset
from tests.support.cli import gateway
from tests.support.counts import configured, counted

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotaresets, "_bound", [])
    configured()
    counted("d|free|consumer:ada", 4)
    counted("m|month|ip:192.0.2.1", 900, days=20)
    counted("d|gone|consumer:eve", 2)
    counted("d|free|consumer:old", 3, days=0)


def test_people_get_a_line_each_and_programs_json() -> None:
    """The highest first, of windows that go on."""
    month, ada, gone = gateway("quota", "list").out.splitlines()
    assert "900 of 1000, 100 left" in month
    assert ada.startswith("consumer:ada")
    assert "free by the day: 4 of 10, 6 left  until " in ada
    assert "gone by the day: 2  until" in gone
    data = gateway("quota", "list", "--quota", "free", "--key", "ada", "--json").data
    assert [(each["key"], each["left"]) for each in data] == [("consumer:ada", 6)]
    assert gateway("quota", "list", "--key", "nobody").out == ""


def test_support_resets_one() -> None:
    """With a reason; the history says who."""
    ran = gateway("quota", "reset", "free", "consumer:ada", "--reason", "sorry", "--as", "anna")
    assert (ran.code, ran.out) == (0, "consumer:ada of free: reset from 4\n")
    row = QuotaReset.objects.get()
    assert (row.by, row.reason, QuotaCount.objects.get(bucket=row.bucket).count) == ("anna", "sorry", 0)
    again = gateway("quota", "reset", "free", "consumer:ada", "--as", "bert", "--json").data
    assert again == {"quota": "free", "key": "consumer:ada", "forgotten": [0], "by": "bert"}


def test_what_cannot_be_is_refused_in_one_line() -> None:
    """And changes nothing."""
    for key in ("consumer:nobody", "\0"):
        ran = gateway("quota", "reset", "free", key)
        assert (ran.code, ran.out) == (1, "")
        assert "has counted nothing of" in ran.err
        assert ran.err.count("\n") == 1
    quotaresets.bind(lambda _bucket: "Redis does not answer")
    ran = gateway("quota", "reset", "free", "consumer:ada")
    assert (ran.code, ran.err) == (1, "nothing was reset: Redis does not answer\n")
    assert not QuotaReset.objects.exists()
