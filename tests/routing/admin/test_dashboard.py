"""The first page: an overview of what the viewer may see, in few queries."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from routing.drafts import Actor
from routing.models import Node, Revision
from routing.publishing import apply_document
from tests.support.adminpages import signed_in
from tests.support.configuration import large, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
QUERIES = 9  # session, user, badge; revisions, pending, workers; services and routes, all and disabled


def text_for(client: Client) -> str:
    return client.get(reverse("admin:index")).content.decode()


def test_empty_gateway_says_what_to_do_first() -> None:
    """Nothing is published, no worker reports: each says so and what would help."""
    text = text_for(signed_in())
    for shown in ("Nothing is published yet.", "the first save makes revision 1", "gateway serve"):
        assert shown in text


def test_overview_shows_what_is_live() -> None:
    """Revision, counts, who did what."""
    apply_document(small(), actor=Actor("ada"), message="A first route")
    text = text_for(signed_in())
    for shown in (
        "A first route",
        "1 service added; 1 route added",
        "just now, by ada",
        "Saves are published at once.",
    ):
        assert shown in text
    assert reverse("admin:routing_revision_change", args=[Revision.objects.get().pk]) in text


@pytest.mark.parametrize("size", [1, 80])
def test_queries_are_few_at_any_size(size: int) -> None:
    """The page is as light with many routes and revisions as with one."""
    apply_document(large(size), actor=Actor("ada"))
    client = signed_in()
    text_for(client)
    with CaptureQueriesContext(connection) as queries:
        text_for(client)
    assert len(queries) <= QUERIES, [query["sql"][:100] for query in queries]


def test_only_what_is_permitted_is_shown() -> None:
    """Staff without permissions sees an empty overview; each permission adds its part."""
    apply_document(small(), actor=Actor("ada"), message="Secret plan")
    Node.objects.all().delete()
    assert "Secret plan" not in text_for(signed_in("sam", permissions=()))
    assert ">Nodes<" not in text_for(signed_in("sam", permissions=()))
    routes_only = text_for(signed_in("rob", permissions=("routing.view_route",)))
    assert "Secret plan" not in routes_only
    assert "Explain a request" in routes_only
    assert "Add a route" not in routes_only
