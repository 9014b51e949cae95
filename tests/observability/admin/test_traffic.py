"""Dashboards of admin: the figures that they carry, what they show of what is wrong, and who sees them."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authproxy.models import LimitedCaller
from resilience.models import BreakerState, TargetEjection, TargetHealth
from routing.drafts import Actor
from routing.models import Route
from routing.publishing import apply_document
from tests.support.adminpages import signed_in, viewer
from tests.support.configuration import small
from tests.support.traffic_rows import Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def page_figures(client: Client, url: str) -> dict[str, Any]:
    """What the page's script begins with."""
    text = client.get(url).content.decode()
    _, _, rest = text.partition('<script id="torana-board-figures" type="application/json">')
    found: dict[str, Any] = json.loads(rest.partition("</script>")[0])
    return found


def data(client: Client, **query: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(reverse("admin:traffic_data"), query).json()
    return found


def test_the_page_carries_its_figures() -> None:
    worker = Worker(now=time.time())
    worker.serve(4, route="a")
    worker.write()
    found = page_figures(viewer(), reverse("admin:traffic"))
    assert (found["totals"]["requests"], found["range"]) == (4, "1h")
    assert data(viewer(), range="7d")["range"] == "7d"


@pytest.mark.parametrize("there", ["admin:traffic", "admin:index"])
@pytest.mark.parametrize(("asked", "told"), [("2<b>", "2&lt;b&gt;"), ("", "")])
def test_a_range_that_there_is_not_is_said(there: str, asked: str, told: str) -> None:
    """The page shows the hour then; what its script asks is refused, as by the control API."""
    client, words = viewer(), "There is no range"
    text = client.get(reverse(there), {"range": asked}).content.decode()
    assert f"{words} &quot;{told}&quot;: want one of 15m, 1h," in text
    assert 'data-range="1h"' in text
    refused = client.get(reverse("admin:traffic_data"), {"range": asked})
    assert (refused.status_code, words in refused.json()["range"]) == (400, True)
    assert words not in client.get(reverse(there), {"range": "24h"}).content.decode()


def test_names_cannot_break_out_of_the_page() -> None:
    name = "</script><script>alert(1)"
    worker = Worker(now=time.time())
    worker.serve(1, route="a", consumer=name)
    worker.write()
    client = viewer()
    assert "<script>alert" not in client.get(reverse("admin:traffic")).content.decode()
    assert page_figures(client, reverse("admin:traffic"))["top"]["consumers"][0]["name"] == name


def test_what_is_wrong_right_now() -> None:
    """Breakers, targets, and whom quotas refuse."""
    now = timezone.now()
    for service, state, forced in (("a", "closed", ""), ("b", "open", ""), ("c", "closed", "open")):
        BreakerState.objects.create(service=service, state=state, forced=forced)
    for target, ok in (("http://a:1", True), ("http://a:2", False)):
        TargetHealth.objects.create(service="a", target=target, checked_at=now, ok=ok, node="w")
    for node, minutes in (("w1", 5), ("w2", 5), ("w3", -5)):
        TargetEjection.objects.create(
            service="b", target="http://b:1", node=node, since=now, until=now + timedelta(minutes=minutes)
        )
    LimitedCaller.objects.create(
        digest="1",
        quota="free",
        caller="consumer:ann",
        first_at=now,
        last_at=now,
        refused=9,
        limit=1,
        period="day",
        retry_after_s=1,
    )
    found = data(viewer())
    assert found["breakers"]["number"] == 3
    assert found["breakers"]["rows"] == [
        {"name": "b", "state": "open"},
        {"name": "c", "state": "forced open"},
    ]
    assert [(row["target"], row["state"]) for row in found["targets"]["rows"]] == [
        ("http://a:2", "unhealthy"),
        ("http://b:1", "ejected"),
    ]
    assert [(row["quota"], row["refused"]) for row in found["limited"]["rows"]] == [("free", 9)]
    assert "limited" not in data(signed_in("olga", permissions=("routing.view_service",)))
    assert "breakers" not in data(viewer(), route="a")


def test_pages_of_one_route_and_one_service() -> None:
    """They are linked from where these are changed."""
    apply_document(small(), actor=Actor("ada"))
    route = Route.objects.get()
    worker = Worker(now=time.time())
    worker.serve(5, route=route.name, service="s")
    worker.serve(2, route="other", service="s", connects=(2, 0.02))
    worker.write()
    client = signed_in()
    action = reverse("admin:routing_route_traffic", args=[route.pk])
    assert action in client.get(reverse("admin:routing_route_change", args=[route.pk])).content.decode()
    there = client.get(action)["Location"]
    assert there == f"{reverse('admin:traffic')}?route={route.name}"
    assert page_figures(client, there)["totals"]["requests"] == 5
    text = client.get(there).content.decode()
    assert reverse("admin:routing_route_change", args=[route.pk]) in text
    assert data(client, service="s")["totals"]["requests"] == 7
    assert data(client, service="s")["totals"]["connects"]["requests"] == 2
    chart = 'id="torana-chart-connects"'
    of_service = client.get(reverse("admin:traffic"), {"service": "s"}).content.decode()
    assert (chart in of_service, chart in text) == (True, False)
    assert client.get(reverse("admin:traffic"), {"route": "is not there"}).status_code == 200


@pytest.mark.parametrize("name", ["x" * 101, "a\0b"])
def test_names_that_no_route_has(name: str) -> None:
    assert signed_in().get(reverse("admin:traffic"), {"route": name}).status_code == 404


def test_others_see_nothing() -> None:
    client = signed_in("nobody", permissions=("routing.view_plan",))
    for name in ("traffic", "traffic_data"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403
    assert "torana-board" not in client.get(reverse("admin:index")).content.decode()
    assert "torana-board" in viewer().get(reverse("admin:index")).content.decode()
