"""History: who last changed a row."""

import pytest

from routing.admin.history import kind_of, last_author, touching
from routing.drafts import Actor, record_pending
from routing.models import Revision, Route, RouteDefaults, Service
from routing.publishing import apply_document
from tests.support.configuration import route, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_kinds_are_the_documents_keys() -> None:
    """Rows are called as in the document."""
    assert [kind_of(row) for row in (Service(), Route(), RouteDefaults())] == [
        "services",
        "routes",
        "defaults",
    ]


def test_author_of_the_revision_that_touched_the_row() -> None:
    """Not whoever published something else since."""
    apply_document(small(), actor=Actor("ada"))
    apply_document({"version": 1, "routes": [route(path="/v2")]}, actor=Actor("bob"))
    apply_document({"version": 1, "services": [{"name": "other"}]}, actor=Actor("cyd"))
    assert last_author(Route.objects.get()) == "bob"
    assert last_author(Service.objects.get(name="other")) == "cyd"


def test_draft_counts_before_history() -> None:
    """While a draft is pending, its last editor is who is known."""
    apply_document(small(), actor=Actor("ada"))
    record_pending(Actor("bob"), source="admin", message="")
    assert last_author(Route.objects.get()) == "bob"


def test_row_without_history_has_no_author() -> None:
    """A row that was made outside says so by saying nothing."""
    assert last_author(Service.objects.create(name="s")) is None


def test_revisions_that_touched_an_entry() -> None:
    """Added, changed or removed; a name that is a part of another's is another entry."""
    apply_document({**small(), "routes": [route(), route("orders-2", "/o2")]}, actor=Actor("ada"))
    apply_document({"version": 1, "routes": [route("orders-2", "/o3")]}, actor=Actor("bob"))
    apply_document({"version": 1, "defaults": {"timeout": "5s"}}, actor=Actor("cyd"))

    def numbers(kind: str, name: str) -> list[int]:
        return sorted(touching(Revision.objects.all(), kind, name).values_list("number", flat=True))

    assert numbers("routes", "orders") == [1]
    assert numbers("routes", "orders-2") == [1, 2]
    assert numbers("services", "orders") == [1]
    assert numbers("defaults", "defaults") == [3]
    assert numbers("routes", '"') == []
