"""The page of the route defaults: one row, made when it is first saved."""

import pytest

from routing.drafts import Actor
from routing.models import Revision, RouteDefaults
from routing.publishing import apply_document
from tests.support.adminpages import errors, page, signed_in, submit, viewer
from tests.support.configuration import small

pytestmark = pytest.mark.django_db
URL = "/admin/routing/routedefaults/1/change/"


def test_list_leads_to_the_one_page_and_looking_makes_no_row() -> None:
    """There is nothing to choose from, and opening a page writes nothing."""
    client = viewer()
    assert client.get(page("routedefaults", "changelist")).headers["Location"] == URL
    assert client.get(URL).status_code == 200
    assert not RouteDefaults.objects.exists()


def test_saving_publishes_and_saving_again_changes_the_same_row() -> None:
    """The first save makes the row; each is one revision."""
    client = signed_in()
    assert submit(client, URL, {"timeout": "7s"}).status_code == 302
    assert submit(client, URL, {"limits__max_body": "1MB"}).status_code == 302
    assert RouteDefaults.objects.get().values == {"timeout": "7s", "limits": {"max_body": "1MB"}}
    assert Revision.objects.count() == 2


def test_default_that_breaks_a_route_is_refused_with_the_routes_name() -> None:
    """What a route would inherit is judged when publishing; the message says which route."""
    document = small()
    document["defaults"] = {"match": {"path": "/a"}}
    document["routes"][0]["match"] = {"path": "/{id}", "path_type": "template"}
    apply_document(document, actor=Actor("first"))
    [texts] = errors(submit(signed_in(), URL, {"rewrite__strip_prefix": "yes"})).values()
    assert any('route "orders"' in text for text in texts)
    assert RouteDefaults.objects.get().values == {"match": {"path": "/a"}}


def test_neither_added_nor_deleted() -> None:
    """Emptying the form is the way to have no defaults."""
    client = signed_in()
    submit(client, URL, {"timeout": "7s"})
    assert client.get(page("routedefaults", "add")).status_code == 403
    assert client.post(page("routedefaults", "delete", 1), {"post": "yes"}).status_code == 403
    assert submit(client, URL, {"timeout": ""}).status_code == 302
    assert RouteDefaults.objects.get().values is None
