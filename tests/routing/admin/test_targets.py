"""The page of targets: which are left out and since when, and an operator's word to put them back."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from resilience.models import TargetHealth, TargetReadmission
from routing.admin import targets as page_of
from routing.locking import StoreUnavailable
from tests.support.accesspages import choose, dialog, listed
from tests.support.adminpages import messages, signed_in
from tests.support.standings import A, B, C, checked, ejected, shop

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/resilience/targethealth/"
HISTORY = "/admin/resilience/targetreadmission/"
OPERATOR = ("routing.operate", "routing.view_service")


@pytest.fixture
def operator() -> Client:
    return signed_in("anna", permissions=OPERATOR)


@pytest.fixture(autouse=True)
def world() -> None:
    shop()
    checked(A, why="<b>status 500</b>")
    ejected(B)
    ejected(B, "w2")
    checked(C, True, why="")


def row(url: str) -> TargetHealth:
    return TargetHealth.objects.get(target=url)


def readmit(url: str) -> str:
    return reverse("admin:resilience_targethealth_readmit", args=[row(url).pk])


def shown(client: Client, query: str = "") -> list[str]:
    return [each.target for each in listed(client, LIST, query)]


def test_list_shows_how_they_are(operator: Client) -> None:
    """And why; it can be narrowed down to those that are left out."""
    text = operator.get(LIST).content.decode()
    for part in (
        "unhealthy",
        "ejected",
        "healthy",
        "5 requests in a row failed, at 2 workers",
        "&lt;b&gt;status",
    ):
        assert part in text
    assert shown(operator) == [A, B, C]
    assert shown(operator, "standing=out") == [A, B]
    assert shown(operator, "standing=ejected") == [B]
    assert shown(operator, "standing=unhealthy") == [A]
    assert shown(operator, "q=status") == [A]


def test_an_operator_puts_one_back_in_a_dialog(operator: Client) -> None:
    """With a reason, which the page of the target shows."""
    for url in (A, B):
        dialog(operator, readmit(url), reason="fixed")
    assert shown(operator, "standing=out") == []
    assert [(each.target, each.by, each.reason) for each in listed(operator, HISTORY)] == [
        (B, "anna", "fixed"),
        (A, "anna", "fixed"),
    ]
    text = operator.get(reverse("admin:resilience_targethealth_change", args=[row(A).pk])).content.decode()
    assert "fixed" in text
    text = operator.get(reverse("admin:resilience_targethealth_change", args=[row(C).pk])).content.decode()
    assert "Nobody ever has." in text


def test_an_operator_puts_many_back(operator: Client) -> None:
    """After a page that asks."""
    answer = choose(operator, LIST, "readmit_selected", [row(A), row(B)], confirmed="1", reason="fixed")
    assert messages(operator.get(LIST)) or answer.status_code in (200, 302)
    assert TargetReadmission.objects.filter(reason="fixed").count() == 2


def test_what_is_refused_is_told(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database may be away just then, or the row may be gone."""

    def fail(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("not now")

    monkeypatch.setattr(page_of, "readmit_all", fail)
    response = operator.post(readmit(A), {"_form_submitted": "True"}, follow=True)
    assert messages(response) == ["Nothing was changed: not now"]
    gone = reverse("admin:resilience_targethealth_readmit", args=[999])
    assert operator.post(gone, {"_form_submitted": "True"}).status_code == 404


def test_who_may_see_services_may_look_and_not_steer() -> None:
    """Others see nothing."""
    viewer = signed_in("vera", permissions=("routing.view_service",))
    assert viewer.get(LIST).status_code == 200
    assert viewer.get(HISTORY).status_code == 200
    assert viewer.post(readmit(A), {"_form_submitted": "True"}).status_code == 403
    assert signed_in("olga", permissions=("routing.view_route",)).get(LIST).status_code == 403
    assert not TargetReadmission.objects.exists()
