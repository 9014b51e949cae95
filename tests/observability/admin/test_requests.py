"""The pages of kept requests."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from observability.models import KeptRequest
from resilience.models import BreakerTransition
from tests.support.adminpages import signed_in
from tests.support.kept import AT, kept, refused

pytestmark = pytest.mark.django_db
URL = "/admin/observability/keptrequest/"


def text(client: Client, url: str, **headers: str) -> str:
    response = client.get(url, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_is_narrowed_and_goes_on() -> None:
    """Older ones are a link away; a wrong status is told at its field."""
    KeptRequest.objects.bulk_create(kept(f"/p{at}", status=500 if at < 3 else 200) for at in range(60))
    client = signed_in()
    first = text(client, URL)
    older = re.search(r'href="(\?before=\d+[^"]*)"', first)

    assert "/p59" in first
    assert older is not None
    assert "/p0<" in text(client, URL + older[1].replace("&amp;", "&"))
    assert "/p2<" in text(client, f"{URL}?status=5xx")
    assert "Not a status" in text(client, f"{URL}?status=9xx")
    assert "No request that was kept fits" in text(client, f"{URL}?route=nowhere")


def test_it_can_be_followed() -> None:
    """The page asks for its rows alone."""
    kept("/p1").save()
    client = signed_in()
    whole, part = text(client, f"{URL}?live=1"), text(client, f"{URL}?live=1", **{"HX-Request": "true"})

    assert 'hx-trigger="every 2s"' in whole
    assert "/p1" in part
    assert "<form" not in part


def test_one_says_why_and_leads_to_explain() -> None:
    """With what is not masked of it, on the revision of then."""
    fields = refused("CIRCUIT_OPEN", 503, service="shop", retry_after=5)
    fields["facts"]["headers"] = [["host", "api.test"], ["authorization", "Bearer …"], ["x-tenant", "a"]]
    row = kept(query="page=2", revision=7, consumer="ada", **fields)
    row.save()
    BreakerTransition.objects.create(
        service="shop", at=AT - timedelta(seconds=30), before="closed", after="open", cause="failures"
    )
    shown = text(signed_in(), f"{URL}{row.pk}/change/")
    link = re.search(r'href="(/admin/routing/explain/\?[^"]*)"', shown)
    assert link is not None
    asked = parse_qs(urlsplit(link[1].replace("&amp;", "&")).query)

    assert "The breaker of the service shop was open" in shown
    assert "It had opened at 2030-01-01 11:59:30" in shown
    assert asked == {
        "method": ["GET"],
        "url": ["http://api.test/orders/7?page=2"],
        "headers": ["x-tenant: a"],
        "caller": ["ada"],
        "address": ["203.0.113.7"],
        "configuration": ["7"],
    }


def test_what_is_not_there_is_not_found() -> None:
    """Whatever the address says."""
    client = signed_in()
    assert [client.get(f"{URL}{key}/change/").status_code for key in ("1", "x")] == [404, 404]
