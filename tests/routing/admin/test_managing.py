"""Rows that belong to a source of documents: seen, found, edited with a warning; the trail says whose they became."""

from typing import Any

import pytest
from django.test import Client

from observability.audit.finding import Wanted, as_json, find
from routing.drafts import Actor
from routing.models import Plan, Route
from routing.publishing import apply_document
from tests.support.adminpages import filled, messages, page, signed_in, submit
from tests.support.configuration import route, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST = "/admin/routing/route/"


@pytest.fixture
def admin() -> Client:
    apply_document(small(), actor=Actor("anna"))
    apply_document({"version": 1, "routes": [route("b", "/b")]}, actor=Actor("ci"), managed_by="ci")
    return signed_in("otto")


def shown(response: Any) -> list[str]:
    return [row.name for row in response.context["cl"].result_list]


def test_a_list_says_whose_rows_are(admin: Client) -> None:
    """And finds them; a list of rows that all belong to nobody has no column for it."""
    response = admin.get(LIST)
    assert "managed_by" in response.context["cl"].list_display
    assert shown(admin.get(f"{LIST}?managed_by=ci")) == ["b"]
    assert shown(admin.get(f"{LIST}?managed_by=-")) == ["orders"]
    Plan.objects.create(name="gold")
    assert "managed_by" not in admin.get("/admin/routing/plan/").context["cl"].list_display


def test_a_page_warns_before_and_after(admin: Client) -> None:
    """The row keeps its mark, unless whoever edits it takes it away."""
    row = Route.objects.get(name="b")
    url = page("route", "change", row.pk)
    assert "Managed by <b>ci</b>" in admin.get(url).content.decode()
    assert (
        "Managed by <b>"
        not in admin.get(page("route", "change", Route.objects.get(name="orders").pk)).content.decode()
    )
    saved = admin.post(url, {**filled(admin, url), "match__path": "/c"}, follow=True)
    assert any("Managed by" in text for text in messages(saved))
    assert (Route.objects.get(name="b").path, Route.objects.get(name="b").managed_by) == ("/c", "ci")
    submit(admin, url, {"managed_by": ""})
    assert Route.objects.get(name="b").managed_by is None


def test_a_copy_belongs_to_nobody(admin: Client) -> None:
    """Whoever made the row did not make its copy."""
    row = Route.objects.get(name="b")
    fields = filled(admin, f"{page('route', 'add')}?copy_of={row.pk}")
    assert (fields["name"], fields["managed_by"]) == ("b-copy", "")


def test_the_trail_says_whose_it_became(admin: Client) -> None:
    """As of any other change."""
    apply_document({"version": 1, "routes": [route()]}, actor=Actor("ci"), managed_by="ci", take_over=True)
    event = as_json(find(Wanted(name="orders")).defer(None)[0])
    (change,) = event["changes"]
    assert change["fields"] == [{"path": "managed_by", "after": "ci"}]
