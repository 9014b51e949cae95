"""The page of calendar counts: whose, how much is left, and an operator's reset."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from authproxy.admin import counts as page_of
from resilience.models import QuotaCount, QuotaReset
from routing.locking import StoreUnavailable
from tests.support.accesspages import dialog, listed
from tests.support.adminpages import messages, signed_in
from tests.support.counts import configured, counted

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/resilience/quotacount/"
HISTORY = "/admin/resilience/quotareset/"
ADA = "d|free|consumer:ada"


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Client:
    from authproxy import quotaresets

    monkeypatch.setattr(quotaresets, "_bound", [])
    return signed_in("anna", permissions=("routing.operate",))


@pytest.fixture(autouse=True)
def rows() -> None:
    configured()
    counted(ADA, 10)
    counted("m|month|header:x=<b>", 4, days=20)
    counted("d|free|consumer:eve", 3, days=0)


def shown(client: Client, query: str = "") -> list[str]:
    return [row.bucket for row in listed(client, LIST, query)]


def path(what: str) -> str:
    return reverse(f"admin:resilience_quotacount_{what}", args=[QuotaCount.objects.get(bucket=ADA).pk])


def test_the_list_says_whose_and_how_much_is_left(operator: Client) -> None:
    """The highest first; in words, without letting callers write HTML."""
    text = operator.get(LIST).content.decode()
    for part in ("consumer ada", "free, by the day (UTC)", "used up", "has room", "over", "996", "&lt;b&gt;"):
        assert part in text
    assert "<b>" not in text
    assert [bucket[0] for bucket in shown(operator)] == ["d", "m", "d"]
    assert shown(operator, "quota=free&window=current") == [ADA]
    assert shown(operator, "period=month") == ["m|month|header:x=<b>"]
    assert shown(operator, "window=over") == ["d|free|consumer:eve"]
    assert shown(operator, "q=ada") == [ADA]


def test_an_operator_resets_one_in_a_dialog(operator: Client) -> None:
    """With a reason, which the page shows; it says from what."""
    dialog(operator, path("reset"), reason="their loop is mended")
    assert QuotaCount.objects.get(bucket=ADA).count == 0
    assert [(each.by, each.count) for each in listed(operator, HISTORY)] == [("anna", 10)]
    text = operator.get(path("change")).content.decode()
    assert "their loop is mended" in text
    answer = operator.post(path("reset"), {"_form_submitted": "True"}, follow=True)
    assert messages(answer) == ["consumer ada of free: reset from 0, live everywhere within a second."]


def test_what_is_refused_is_told(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database or Redis may be away just then."""

    def fail(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("not now")

    monkeypatch.setattr(page_of, "reset", fail)
    answer = operator.post(path("reset"), {"_form_submitted": "True"}, follow=True)
    assert messages(answer) == ["Nothing was changed: not now"]


def test_who_may_see_limited_callers_may_look_and_not_steer() -> None:
    """Others see nothing."""
    viewer = signed_in("vera", permissions=("authproxy.view_limitedcaller",))
    assert viewer.get(LIST).status_code == 200
    assert viewer.get(HISTORY).status_code == 200
    assert viewer.get(path("change")).status_code == 200
    assert viewer.post(path("reset"), {"_form_submitted": "True"}).status_code == 403
    assert signed_in("olga", permissions=("routing.view_service",)).get(LIST).status_code == 403
    assert not QuotaReset.objects.exists()


def test_a_page_costs_few_queries(operator: Client, django_assert_max_num_queries: Any) -> None:
    """However many rows it has."""
    for number in range(60):
        counted(f"d|free|consumer:c{number}", 1)
    with django_assert_max_num_queries(20):
        assert len(shown(operator)) == 50
