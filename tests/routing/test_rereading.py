"""The document of the rows, read again: the same as all of it read anew, whatever has changed."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing import rereading
from routing.drafts import Actor
from routing.loader import read_rows
from routing.models import Route, Service
from routing.publishing import apply_document
from routing.rereading import Rereading
from tests.support.configuration import Document, documents, large, route, service

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ADA = Actor("ada")


def apply(document: dict[str, Any]) -> None:
    apply_document(document, actor=ADA, prune=True)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(documents(), min_size=2, max_size=4), st.sampled_from([0, 2, 500]))
def test_it_is_what_reading_all_finds(changes: list[Document], most: int) -> None:
    """Of entries that are added, changed and gone, of every kind, many or few."""
    rows = Rereading()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rereading, "MOST", most)
        for document in changes:
            apply(document)
            assert rows.read() == read_rows()
            assert rows.read() == read_rows()


def test_only_what_changed_is_read() -> None:
    """The rest is what was read before."""
    apply(large(5))
    rows = Rereading()
    before = {entry["name"]: entry for entry in rows.read()["routes"]}
    Route.objects.filter(name="r00001").update(path="/draft", version=2)
    with CaptureQueriesContext(connection) as queries:
        after = rows.read()["routes"]
    assert [entry["name"] for entry in after if entry is not before[entry["name"]]] == ["r00001"]
    assert sum("request_headers" in query["sql"] for query in queries) == 1
    assert rows.read() == read_rows()


def test_a_service_gets_another_name() -> None:
    """Its routes name it so, though their rows did not change."""
    apply({
        "version": 1,
        "services": [service(), service("users", 8002)],
        "routes": [
            route(),
            {"name": "both", "match": {"path": "/b"}, "backends": [{"service": "orders", "weight": 1}]},
        ],
    })  # fmt: skip
    rows = Rereading()
    rows.read()
    row = Service.objects.get(name="orders")
    row.name = "shop"
    row.save()
    found = rows.read()
    assert found == read_rows()
    assert {entry["name"]: entry.get("service") for entry in found["routes"]}["orders"] == "shop"


def test_targets_change_with_their_service() -> None:
    """Which has another version then."""
    apply({"version": 1, "services": [service()], "routes": []})
    rows = Rereading()
    rows.read()
    apply({"version": 1, "services": [service(port=9000)], "routes": []})
    assert rows.read() == read_rows()
    assert "9000" in rows.read()["services"][0]["targets"][0]["url"]
