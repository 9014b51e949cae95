"""The services that share a route's requests, on the route's page."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from routing.admin.backends import backends_text
from routing.drafts import Actor
from routing.loader import read_rows
from routing.models import Destination, Owner, Route, Service
from routing.publishing import apply_document
from tests.support.adminpages import filled, page, signed_in, submit
from tests.support.configuration import route, service

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    return signed_in()


@pytest.fixture
def configured() -> None:
    split = {**route("split", "/split"), "backends": [{"service": "a", "weight": 9}, {"service": "b"}]}
    split.pop("service")
    services = [service(name) for name in ("a", "b", "c")]
    apply_document(
        {"version": 1, "services": services, "routes": [split, {**route("plain", "/plain"), "service": "a"}]},
        actor=Actor("first"),
    )


def rows(*pairs: tuple[str, str], initial: int = 0) -> dict[str, Any]:
    """What a browser sends for rows that were added."""
    data: dict[str, Any] = {"backends-TOTAL_FORMS": str(initial + len(pairs))}
    for number, (name, weight) in enumerate(pairs, start=initial):
        data[f"backends-{number}-service"] = str(Service.objects.get(name=name).pk)
        data[f"backends-{number}-weight"] = weight
    return data


def url(name: str) -> str:
    return page("route", "change", Route.objects.get(name=name).pk)


def backends(name: str) -> list[dict[str, Any]]:
    [found] = [each for each in read_rows()["routes"] if each["name"] == name]
    return list(found.get("backends", []))


def faults(response: Any) -> str:
    [formset] = [each.formset for each in response.context["inline_admin_formsets"]]
    return " ".join([*map(str, formset.non_form_errors()), *(str(form.errors) for form in formset.forms)])


def test_a_route_is_led_to_several_services(admin: Client, configured: None) -> None:
    """In the order in which they were added, with what else goes with them."""
    changes = {"destination": "backends", "sticky": "consumer", **rows(("c", "3"), ("b", ""))}
    assert submit(admin, url("plain"), changes).status_code == 302

    assert backends("plain") == [{"service": "c", "weight": 3}, {"service": "b"}]
    assert Route.objects.get(name="plain").sticky == "consumer"


def test_saving_without_a_change_keeps_them(admin: Client, configured: None) -> None:
    """And a row may be added behind them."""
    assert admin.post(url("split"), filled(admin, url("split"))).status_code == 302
    assert backends("split") == [{"service": "a", "weight": 9}, {"service": "b"}]
    submit(admin, url("split"), rows(("c", "0"), initial=2))
    assert backends("split")[2:] == [{"service": "c", "weight": 0}]


def test_a_route_that_leads_elsewhere_has_none(admin: Client, configured: None) -> None:
    """There is one destination."""
    data = {"destination": "service", "service": str(Service.objects.get(name="c").pk)}
    assert submit(admin, url("split"), data).status_code == 302

    assert backends("split") == []
    assert Route.objects.get(name="split").destination == Destination.SERVICE


def test_problems_are_told_at_the_rows(admin: Client, configured: None) -> None:
    """No services, the same one twice, no weight at all."""
    leads = {"destination": "backends"}

    assert "Name the services" in faults(submit(admin, url("plain"), leads))
    assert "there twice" in faults(submit(admin, url("plain"), {**leads, **rows(("a", "1"), ("a", "1"))}))
    assert "must be above 0" in faults(submit(admin, url("plain"), {**leads, **rows(("a", "0"))}))
    assert "less than or equal to 65535" in faults(
        submit(admin, url("plain"), {**leads, **rows(("a", "70000"))})
    )
    assert backends("plain") == []


def test_the_list_says_how_much_each_gets(configured: None) -> None:
    """In percent."""
    split = Route.objects.get(name="split")
    assert backends_text(split) == "a 90 %, b 10 %"
    split.canary = {"every": "1m"}
    assert backends_text(split) == "a; canary b"


def test_a_duplicate_begins_with_the_same_services(admin: Client, configured: None) -> None:
    """Filled in, and not saved."""
    there = f"{page('route', 'add')}?copy_of={Route.objects.get(name='split').pk}"
    [formset] = [each.formset for each in admin.get(there).context["inline_admin_formsets"]]

    assert [form.initial.get("weight") for form in formset.forms] == [9, None]


def test_an_owner_leads_its_route_to_its_services_only(configured: None) -> None:
    """And where it leads already."""
    client = signed_in("owen", permissions=())
    owen = User.objects.get(username="owen")
    Owner.objects.create(user=owen, route=Route.objects.get(name="split"))

    refused = submit(client, url("split"), rows(("c", "1"), initial=2))
    assert "valid choice" in faults(refused)
    Owner.objects.create(user=owen, service=Service.objects.get(name="c"))
    assert submit(client, url("split"), rows(("c", "1"), initial=2)).status_code == 302
    assert len(backends("split")) == 3
