"""The way from a row to its dashboard."""

import pytest
from django.urls import reverse

from routing.drafts import Actor
from routing.models import Service
from routing.publishing import apply_document
from tests.support.adminpages import signed_in
from tests.support.configuration import service

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_it_leads_to_the_rows_own() -> None:
    """Of a row that is gone, to that of everything."""
    apply_document({"version": 1, "services": [service("s", 8001)]}, actor=Actor("ada"))
    key = Service.objects.get().pk
    client = signed_in()
    there = client.get(reverse("admin:routing_service_traffic", args=[key]))["Location"]
    assert there == f"{reverse('admin:traffic')}?service=s"
    gone = client.get(reverse("admin:routing_service_traffic", args=[key + 1]))["Location"]
    assert gone == reverse("admin:traffic")


def test_only_for_those_who_may_see_dashboards() -> None:
    apply_document({"version": 1, "services": [service("s", 8001)]}, actor=Actor("ada"))
    key = Service.objects.get().pk
    client = signed_in("eve", permissions=("routing.view_plan",))
    assert client.get(reverse("admin:routing_service_traffic", args=[key])).status_code == 403
