"""Rows and documents turn into each other without loss, in few queries, touching only what differs."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings

from routing.document.canonical import canonicalise
from routing.loader import read_rows, write_rows
from routing.models import Route, Service, Target
from tests.support.configuration import documents, large, route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
EMPTY = {"version": 1}


def stored(document: dict[str, Any]) -> dict[str, Any]:
    return canonicalise(read_rows())


def write(document: dict[str, Any]) -> None:
    write_rows(canonicalise(read_rows()), canonicalise(document))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=documents(), second=documents())
def test_any_document_replaces_any_other(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Whatever the rows held before, afterwards they are the new document, exactly."""
    for document in (first, second):
        write(document)
        assert canonicalise(read_rows()) == canonicalise(document)
    write(EMPTY)
    assert canonicalise(read_rows()) == canonicalise(EMPTY)


EVERY_KIND = {
    "version": 1,
    "defaults": {"timeout": "9s", "auth": {"level": "public"}},
    "services": [
        {
            **service(
                "a",
                protocol="https",
                load_balancing="random",
                slow_start="30s",
                panic=True,
                max_concurrency=9,
            ),
            "hash_on": {"header": "x"},
            "tls": {"key": "${KEY}"},
            "targets": [{"url": "https://b:1", "weight": 2, "zone": "30", "backup": True, "drain": True}],
        },
        service("b"),
    ],
    "routes": [
        {
            "name": "split",
            "backends": [{"service": "b", "weight": 9}, {"service": "a"}],
            "sticky": "consumer",
        },
        {
            "name": "moved",
            "redirect": {"path": {"prefix": "/x"}},
            "auth": {"level": "user", "scopes": ["read"]},
        },
        route(
            "r",
            to="b",
            quotas=["q", {"name": "p", "mode": "log"}],
            status_map={"404": 204},
            cache={"ttl": "60s"},
        ),
    ],
    "quotas": [{"name": "q", "limit": 10, "per": "1s", "key": ["ip", {"header": "x"}], "methods": ["GET"]}],
    "plans": [{"name": "gold", "quotas": [{"name": "q", "limit": 100, "per": "day"}]}],
    "roles": [{"name": "an analyst", "scopes": ["read", "a b"], "default": True}],
    "identity_providers": [
        {"name": "idp", "issuer": "https://i", "secret": "${S}", "claims": {"subject": "oid"}}
    ],
}


def test_every_kind_of_entry_is_kept() -> None:
    """Also the kinds and keys that this version does not act on yet."""
    write_rows(EMPTY, EVERY_KIND)
    assert canonicalise(read_rows()) == canonicalise(EVERY_KIND)


def test_reading_takes_the_same_queries_at_any_size() -> None:
    """Ten times the routes, not one query more."""
    counts = []
    for size in (5, 50):
        write(large(size, services=3))
        with CaptureQueriesContext(
            connection,
        ) as queries:
            read_rows()
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 10


def test_only_what_differs_is_written() -> None:
    """A changed entry keeps its identity and notes and gets a new version; the others are left alone."""
    write({**small(), "services": [service("other"), service()]})
    Service.objects.filter(name="orders").update(notes="mind the gap")
    before = {row.name: row for row in Service.objects.all()}
    target = Target.objects.get(service__name="other").pk
    write({**small(port=9), "services": [service("other"), service(port=9)]})
    after = {row.name: row for row in Service.objects.all()}
    assert after["other"].version == 1
    assert after["other"].updated_at == before["other"].updated_at
    assert Target.objects.get(service__name="other").pk == target
    assert (after["orders"].pk, after["orders"].version) == (before["orders"].pk, 2)
    assert after["orders"].notes == "mind the gap"
    assert Route.objects.get().version == 1


def test_a_service_can_go_in_the_same_change_as_the_routes_to_it() -> None:
    """Routes are moved or removed before the services that they led to."""
    write(
        {
            "version": 1,
            "services": [service("a"), service("b")],
            "routes": [route(to="a"), route("gone", to="a")],
        }
    )
    write({"version": 1, "services": [service("b")], "routes": [route(to="b")]})
    assert [row.name for row in Service.objects.all()] == ["b"]
    assert Route.objects.get().service.name == "b"
