"""The page of purges, and the actions on the pages of routes."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from resilience.models import CachePurge
from routing import purging
from routing.locking import StoreUnavailable
from routing.models import Route
from tests.support.accesspages import choose, dialog, listed
from tests.support.adminpages import messages, signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/resilience/cachepurge/"
ROUTES = "/admin/routing/route/"


@pytest.fixture
def operator() -> Client:
    return signed_in("anna", permissions=("routing.operate", "routing.view_route"))


@pytest.fixture(autouse=True)
def world() -> None:
    for name in ("shop", "blog"):
        Route.objects.create(name=name, destination="respond", respond={"status": 200})


def orders() -> list[tuple[str, str, str, str]]:
    return list(CachePurge.objects.order_by("pk").values_list("kind", "value", "by", "reason"))


def of_route(name: str) -> str:
    return reverse("admin:routing_route_purge", args=[Route.objects.get(name=name).pk])


def test_an_operator_purges_a_route_in_a_dialog(operator: Client) -> None:
    """With a reason, which the page of purges shows."""
    dialog(operator, of_route("shop"), reason="wrong price")

    assert orders() == [("route", "shop", "anna", "wrong price")]
    assert [row.value for row in listed(operator, LIST)] == ["shop"]


def test_an_operator_purges_many_routes(operator: Client) -> None:
    """After a page that asks."""
    choose(operator, ROUTES, "purge_selected", list(Route.objects.all()), confirmed="1", reason="why")

    assert {(kind, value) for kind, value, *_ in orders()} == {("route", "shop"), ("route", "blog")}


@pytest.mark.parametrize(
    ("given", "order"),
    [
        ({"kind": "url", "value": "https://A.test/x"}, ("url", "https://a.test/x")),
        ({"kind": "tag", "value": "Sale"}, ("tag", "sale")),
        ({"kind": "all", "value": ""}, ("all", "")),
    ],
)
def test_an_operator_purges_by_url_or_tag(
    operator: Client, given: dict[str, str], order: tuple[str, str]
) -> None:
    """On the page of purges."""
    dialog(operator, reverse("admin:resilience_cachepurge_purge"), **given)

    assert [(kind, value) for kind, value, *_ in orders()] == [order]


def test_what_is_refused_is_told(operator: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tag that is none; a database that is away."""
    there = reverse("admin:resilience_cachepurge_purge")
    sent = {"_form_submitted": "True", "kind": "tag", "value": "a b"}
    response = operator.post(there, sent, follow=True)
    assert messages(response) == [
        "Nothing was changed: a tag has 1 to 200 characters, and neither spaces nor commas"
    ]

    def fail(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("not now")

    monkeypatch.setattr(purging, "purge", fail)
    response = operator.post(of_route("shop"), {"_form_submitted": "True"}, follow=True)
    assert messages(response) == ["Nothing was purged: not now"]
    assert not orders()


def test_purging_opens_no_way_to_other_actions(operator: Client) -> None:
    """Whatever else is named beside it."""
    rows = [row.pk for row in Route.objects.all()]
    sent = {"action": ["disable_selected", "purge_selected"], "_selected_action": rows, "confirmed": "1"}
    operator.post(ROUTES, sent, follow=True)

    assert not Route.objects.filter(enabled=False).exists()


def test_who_may_only_look_does_not_purge() -> None:
    """Neither here nor there."""
    viewer = signed_in("vera", permissions=("routing.view_service", "routing.view_route"))
    for there in (of_route("shop"), reverse("admin:resilience_cachepurge_purge")):
        assert viewer.post(there, {"_form_submitted": "True", "kind": "all"}).status_code == 403
    assert viewer.get(LIST).status_code == 200
    assert not orders()
