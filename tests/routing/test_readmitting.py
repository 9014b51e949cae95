"""Operators put targets back: one order, whichever door it came through, and what pages show says so at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from resilience.models import TargetEjection, TargetHealth, TargetReadmission
from routing import readmitting
from routing.ordering import OrderRefused
from routing.readmitting import is_out, readmit, readmit_all, standings
from tests.support.leases import registered
from tests.support.standings import A, B, C, checked, ejected, shop

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def world() -> None:
    shop()


def out() -> list[str]:
    return [row.target for row in standings().filter(is_out())]


def test_a_target_is_put_back() -> None:
    """With who, when and why; no page says any more that it is out."""
    checked(A)
    ejected(A)
    ejected(A, "w2")
    ejected(B)
    assert out() == [A, B]
    row = readmit("shop", A, by="anna", reason="fixed\0")
    assert (row.service, row.target, row.by, row.reason) == (
        "shop",
        A,
        "anna",
        "fixed\N{REPLACEMENT CHARACTER}",
    )
    assert timezone.now() - row.at < timedelta(minutes=1)
    assert out() == [B]
    health = TargetHealth.objects.get(target=A)
    assert (health.healthy, health.since, health.why, health.checked_at is not None) == (None, None, "", True)
    assert [each.by for each in readmitting.history("shop", A)] == ["anna"]


def test_standings_sum_up_workers() -> None:
    """Over those at which it is ejected now."""
    ejected(A, "w1", for_s=20, errors=5, times=1)
    ejected(A, "w2", for_s=90, errors=7, times=3)
    ejected(B, for_s=-1)
    checked(C, True)
    found = {row.target: row for row in standings()}
    row: Any = found[A]
    assert (row.ejected_by, row.ejected_errors, row.ejected_times) == (2, 7, 3)
    assert row.ejected_until - row.ejected_since > timedelta(seconds=80)
    assert [found[url].ejected_by for url in (B, C)] == [None, None]  # type: ignore[attr-defined]
    assert out() == [A]


def test_targets_that_no_row_configures() -> None:
    """Discovered ones, and those that the environment names once they were checked or ejected."""
    lease = registered("shop").lease
    checked(C)
    for url in (C, lease.url):
        readmit("shop", url, by="anna")
    assert TargetReadmission.objects.count() == 2


@pytest.mark.parametrize(
    ("service", "url", "field", "why"),
    [
        ("shpo", A, "service", 'there is no service "shpo" (did you mean "shop"?)'),
        ("sh\0p", A, "service", "there is no service"),
        ("shop", "http://a:2", "url", '"shop" has no target "http://a:2" (did you mean "http://a:1"?)'),
        ("shop", "\0", "url", "has no target"),
    ],
)
def test_what_is_not_there_is_refused(service: str, url: str, field: str, why: str) -> None:
    """With the field, and all or nothing."""
    with pytest.raises(OrderRefused) as refused:
        readmit_all([("shop", B), (service, url)], by="anna")
    assert refused.value.field == field
    assert why in str(refused.value)
    assert not TargetReadmission.objects.exists()


def test_rows_of_ejections_alone_go() -> None:
    """Once nobody ejects it any more; what was checked stays."""
    ejected(A)
    checked(B)
    readmitting.forget_unchecked()
    assert TargetHealth.objects.count() == 2
    TargetEjection.objects.all().delete()
    readmitting.forget_unchecked()
    assert [row.target for row in TargetHealth.objects.all()] == [B]
