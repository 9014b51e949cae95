"""The pages of quotas, and every key that holds traffic in check, edited in the forms."""

from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routing.drafts import Actor
from routing.models import Plan, Quota, Revision, Route, RouteDefaults, Service
from routing.publishing import apply_document
from tests.support.adminpages import errors, filled, messages, page, signed_in, submit

pytestmark = pytest.mark.django_db
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "defaults": {"quotas": ["everybody"], "auth": {"level": "public"}},
    "services": [
        {
            "name": "orders",
            "targets": [
                {"url": "http://127.0.0.1:9101", "weight": 3, "zone": "1"},
                {"url": "http://127.0.0.1:9102", "backup": True},
                {"url": "http://127.0.0.1:9103", "drain": True},
            ],
            "load_balancing": "consistent_hash",
            "hash_on": {"header": "x-tenant"},
            "slow_start": "10s",
            "panic": True,
            "max_concurrency": 50,
            "retries": {
                "attempts": 3,
                "on": ["connect", 502],
                "methods": ["GET"],
                "budget": 0.5,
                "backoff": "5ms",
            },
            "breaker": {
                "failure_threshold": 3,
                "failure_window": "20s",
                "min_throughput": 4,
                "recovery_timeout": "5s",
                "half_open_requests": 2,
                "half_open_timeout": "9s",
            },
            "health": {
                "path": "/up",
                "interval": "5s",
                "expect": [200, 204],
                "body": "ok",
                "slower_than": "1s",
            },
            "ejection": {"consecutive_errors": 2, "for": "10s", "max_percent": 30},
        }
    ],
    "routes": [
        {
            "name": "orders",
            "match": {"path": "/orders"},
            "service": "orders",
            "quotas": ["free", {"name": "strict", "mode": "log"}],
            "limits": {"max_concurrency": 5, "queue": 2, "adaptive": True, "mode": "log"},
            "fault": {"delay": "10ms", "abort": 503, "percent": 12.5, "until": "2030-01-01"},
        }
    ],
    "quotas": [
        {"name": "everybody", "limit": 100, "per": "1m", "burst": 200, "key": "ip"},
        {
            "name": "free",
            "algorithm": "sliding_window",
            "limit": 2,
            "per": "1m",
            "key": ["consumer", {"header": "x-tenant"}],
            "methods": ["GET", "HEAD"],
            "on_store_failure": "deny",
            "mode": "log",
        },
        {"name": "strict", "limit": 10, "per": "month", "key": {"header": "x-tenant"}},
        {"name": "unused", "limit": 10, "per": "1s"},
    ],
    "plans": [{"name": "gold", "quotas": [{"name": "free", "limit": 5, "per": "1m", "burst": 9}]}],
}


@pytest.fixture
def admin() -> Client:
    return signed_in()


@pytest.fixture
def configured() -> bytes:
    """The document, published; as bytes."""
    apply_document(DOCUMENT, actor=Actor("first"))
    return live()


def live() -> bytes:
    return bytes(str(Revision.objects.latest("number").document).encode())


def changed(kind: str) -> Any:
    """The last entry of a kind in the live document."""
    return orjson.loads(live())[kind][-1]


@pytest.mark.parametrize(
    ("model", "kind"), [(Quota, "quota"), (Plan, "plan"), (Route, "route"), (Service, "service")]
)
def test_saving_an_untouched_form_changes_nothing(
    admin: Client, configured: bytes, model: Any, kind: str
) -> None:
    """Whatever the document says of traffic comes back as the same bytes."""
    for row in model.objects.all():
        response = submit(admin, page(kind, "change", row.pk), {})
        assert response.status_code == 302, errors(response)
    assert live() == configured
    assert RouteDefaults.objects.get().values["quotas"] == ["everybody"]


def test_a_quota_is_added(admin: Client) -> None:
    """And is in the document as it was typed."""
    typed = {
        "name": "burst",
        "limit": "10",
        "per": "1s",
        "burst": "20",
        "key": "[ip, route]",
        "methods": "GET PUT",
    }
    submit(admin, page("quota", "add"), typed | {"mode": "log", "on_store_failure": "allow"})
    assert changed("quotas") == {
        "name": "burst",
        "limit": 10,
        "per": "1s",
        "burst": 20,
        "key": ["ip", "route"],
        "methods": ["GET", "PUT"],
        "on_store_failure": "allow",
        "mode": "log",
    }


FAULTS: dict[str, tuple[tuple[dict[str, str], str, str], ...]] = {
    "quota": (
        ({"limit": ""}, "limit", "missing"),
        ({"limit": "0"}, "limit", "at least 1"),
        ({"per": "minute"}, "per", '"1m"'),
        ({"per": "60"}, "per", '"60s"'),
        ({"key": "cookie"}, "key", "consumer"),
        ({"algorithm": "fixed_window"}, "burst", "of a token bucket"),
        ({"per": "day"}, "burst", "of a token bucket"),
        ({"name": "a b"}, "name", "name"),
    ),
    "plan": (
        ({"quotas": "[{name: free}]"}, "quotas", "limit"),
        ({"quotas": "[{name: fee, limit: 1, per: 1m}]"}, "quotas", 'did you mean "free"'),
    ),
    "route": (
        ({"quotas": "[fre]"}, "quotas", 'did you mean "free"'),
        ({"quotas": "[{name: free, mode: off}]"}, "quotas", "mode"),
        ({"limits__max_concurrency": "0"}, "limits__max_concurrency", "at least 1"),
        ({"fault__abort": "200"}, "fault__abort", "400"),
        ({"fault__until": "soon"}, "fault__until", "date"),
    ),
    "service": (
        ({"retries__on": "conect"}, "retries__on", 'did you mean "connect"'),
        ({"retries__methods": "GET PUT"}, "retries__methods", "idempotent"),
        ({"retries__budget": "2"}, "retries__budget", "1"),
        ({"breaker__recovery_timeout": "60"}, "breaker__recovery_timeout", '"60s"'),
        ({"health__path": "up"}, "health__path", "/"),
        ({"health__expect": "20"}, "health__expect", "100"),
        ({"ejection__max_percent": "200"}, "ejection__max_percent", "100"),
        ({"hash_on": ""}, "hash_on", "consistent_hash"),
        ({"targets-0-weight": "0"}, "targets-0-weight", "1"),
        ({"targets-0-weight": "many"}, "targets-0-weight", "whole number"),
        ({"targets-1-zone": "z" * 101}, "targets-1-zone", "100"),
    ),
}
"""By kind: what is changed, the field where the fault is told, and a part of what is said."""


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_is_at_its_field(admin: Client, configured: bytes, kind: str) -> None:
    """And nothing is published."""
    row = {"quota": Quota, "plan": Plan, "route": Route, "service": Service}[kind]._default_manager.all()
    url = page(kind, "change", (row.filter(name="everybody").first() or row.get()).pk)
    untouched = filled(admin, url)
    for change, field, says in FAULTS[kind]:
        found = errors(admin.post(url, {**untouched, **change}))
        assert list(found) == [field]
        assert says in " ".join(found[field])
        assert live() == configured


def test_targets_are_drained_and_weighed(admin: Client, configured: bytes) -> None:
    """In their rows; what is set to nothing is absent."""
    change = {
        "targets-0-weight": "",
        "targets-0-zone": "",
        "targets-0-drain": "True",
        "targets-1-backup": "",
        "targets-2-drain": "False",
    }
    submit(admin, page("service", "change", Service.objects.get().pk), change)
    assert changed("services")["targets"] == [
        {"url": "http://127.0.0.1:9101", "drain": True},
        {"url": "http://127.0.0.1:9102"},
        {"url": "http://127.0.0.1:9103"},
    ]


def test_list_says_which_routes_use_a_quota(admin: Client, configured: bytes) -> None:
    """By what it counts, how, and in as many queries at any number of routes."""
    text = admin.get(page("quota", "changelist")).content.decode()
    for part in ("2 per 1m", "sliding window", "[consumer, {header: x-tenant}]", "routes that name none"):
        assert part in text
    assert "100 per 1m, 200 at once" in text
    rows = {row.name: row for row in admin.get(page("quota", "changelist")).context["cl"].result_list}
    assert {name: [use.route for use in row.uses] for name, row in rows.items()} == {
        "everybody": [""],
        "free": ["orders"],
        "strict": ["orders"],
        "unused": [],
    }
    queries = []
    for number in (5, 50):
        route = {"match": {"path": "/r"}, "respond": {"status": 200}, "quotas": ["free"]}
        routes = [{**route, "name": f"r{n}", "match": {"path": f"/{n}"}} for n in range(number)]
        apply_document({**DOCUMENT, "routes": routes}, actor=Actor("first"))
        with CaptureQueriesContext(connection) as captured:
            text = admin.get(page("quota", "changelist")).content.decode()
        queries.append(len(captured))
        assert f"and {number - 2} more" in text, "three are shown, and orders is one of them"
    assert queries[0] == queries[1]


def test_page_names_routes_and_plans(admin: Client, configured: bytes) -> None:
    """Where the quota acts, where it is only tried out, and what plans put in its place."""
    text = admin.get(page("quota", "change", Quota.objects.get(name="free").pk)).content.decode()
    assert f'{page("route", "change", Route.objects.get().pk)}">orders</a>' in text
    assert f'{page("plan", "change", Plan.objects.get().pk)}">gold</a></td><td>5 per 1m, 9 at once' in text
    unused = admin.get(page("quota", "change", Quota.objects.get(name="unused").pk)).content.decode()
    assert "None: nothing is counted yet." in unused
    assert "Plans that put" not in unused


def test_a_quota_in_use_stays(admin: Client, configured: bytes) -> None:
    """Deleting or renaming it is refused, and says who uses it."""
    free = Quota.objects.get(name="free")
    response = admin.post(page("quota", "delete", free.pk), {"post": "yes"}, follow=True)
    assert any("routes[0].quotas[0]" in text or '"free"' in text for text in messages(response))
    refused = submit(admin, page("quota", "change", free.pk), {"name": "freed"})
    assert '"free"' in str(errors(refused))
    assert live() == configured
    admin.post(page("quota", "delete", Quota.objects.get(name="unused").pk), {"post": "yes"})
    assert not Quota.objects.filter(name="unused").exists()
