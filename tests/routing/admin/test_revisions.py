"""The pages of history: a list that reads, a difference, the document, and the way back."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routing.document.yaml import parse_text
from routing.drafts import Actor
from routing.models import Revision, Route
from routing.publishing import apply_document, publish
from tests.support.adminpages import messages, page, signed_in, viewer
from tests.support.configuration import route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST_QUERIES = 7  # session, user, badge, the sources to filter by, two counts, and the page


@pytest.fixture
def admin() -> Client:
    return signed_in()


def two() -> None:
    apply_document(small(), actor=Actor("ada"), message="first", source="cli")
    document = {**small(), "routes": [route(path="/v2"), route("new", "/new")]}
    apply_document(document, actor=Actor("bob"), message="second")


def key(number: int) -> int:
    return Revision.objects.get(number=number).pk


def test_list_says_who_when_why_and_what(admin: Client) -> None:
    """Newest first, with the summary of what changed."""
    two()
    response = admin.get(page("revision", "changelist"))
    assert [row.number for row in response.context["cl"].result_list] == [2, 1]
    text = response.content.decode()
    for shown in ("ada", "bob", "first", "second", "cli", "1 route added, 1 changed", "1 service added"):
        assert shown in text


@pytest.mark.parametrize("query", ["q=second", "q=bob", "source__exact=api"])
def test_list_is_searched(admin: Client, query: str) -> None:
    """By message and author, and by where the change came from."""
    two()
    response = admin.get(f"{page('revision', 'changelist')}?{query}")
    assert [row.number for row in response.context["cl"].result_list] == [2]


def test_list_reads_no_documents(admin: Client) -> None:
    """However large configurations are, their list stays light."""
    two()
    with CaptureQueriesContext(connection) as queries:
        admin.get(page("revision", "changelist"))
    assert len(queries) == LIST_QUERIES
    assert not any('."document"' in query["sql"] for query in queries)


def test_page_shows_the_difference_to_the_parent(admin: Client) -> None:
    """Key by key, before and after; what was added is shown whole."""
    two()
    text = admin.get(page("revision", "change", key(2))).content.decode()
    assert "<code>match.path</code></td><td><del>/orders</del></td><td><ins>/v2</ins>" in text
    assert "route new" in text
    first = admin.get(page("revision", "change", key(1))).content.decode()
    assert "service orders" in first


def test_document_is_given_as_yaml(admin: Client) -> None:
    """As `gateway export` prints it."""
    two()
    response = admin.get(page("revision", "document", key(1)))
    assert response.headers["Content-Disposition"] == 'attachment; filename="revision-1.yaml"'
    document = parse_text(response.content)
    assert document["services"] == [service()]


def test_rolling_back_asks_and_publishes_a_new_revision(admin: Client) -> None:
    """Opening the dialog changes nothing; confirming restores the rows, with the reason."""
    two()
    url = page("revision", "roll_back", key(1))
    assert admin.get(url).status_code == 200
    assert Revision.objects.count() == 2

    response = admin.post(url, {"_form_submitted": "on", "reason": "it broke"}, follow=True)
    latest = Revision.objects.latest("number")
    assert (latest.number, latest.author, latest.message, latest.source) == (3, "anna", "it broke", "admin")
    assert [(row.name, row.path) for row in Route.objects.all()] == [("orders", "/orders")]
    assert any("Published as revision 3" in text for text in messages(response))


def test_refused_rollback_says_why(admin: Client) -> None:
    """While a draft is pending, the way back would lose it."""
    two()
    Route.objects.filter(name="new").update(path="/draft")
    response = admin.post(page("revision", "roll_back", key(1)), {"_form_submitted": "on"}, follow=True)
    assert Revision.objects.count() == 2
    assert any("publish or discard it first" in text for text in messages(response))


def test_history_cannot_be_edited() -> None:
    """Not even by a superuser: there is no form, no deletion, no addition."""
    two()
    client = signed_in()
    assert client.get(page("revision", "add")).status_code == 403
    assert client.post(page("revision", "change", key(1)), {"message": "x"}).status_code == 403
    assert client.post(page("revision", "delete", key(1)), {"post": "yes"}).status_code == 403
    assert Revision.objects.get(number=1).message == "first"


def test_rolling_back_needs_the_permission_to_publish() -> None:
    """Seeing history is not enough."""
    two()
    client = viewer()
    assert client.get(page("revision", "change", key(2))).status_code == 200
    assert client.post(page("revision", "roll_back", key(1)), {"_form_submitted": "on"}).status_code == 403
    publisher = signed_in("pia", permissions=("routing.view_revision", "routing.publish"))
    assert publisher.post(page("revision", "roll_back", key(1)), {"_form_submitted": "on"}).status_code == 302
    assert Revision.objects.count() == 3


def test_unknown_revision_is_not_found(admin: Client) -> None:
    """A link that is too old is no server error."""
    assert admin.get(page("revision", "document", 999)).status_code == 404
    assert admin.post(page("revision", "roll_back", 999), {"_form_submitted": "on"}).status_code == 404


def test_whose_draft_it_was_is_told(admin: Client) -> None:
    """Beside who published it: in the list, and on its page with their reasons."""
    two()
    apply_document(small(9), actor=Actor("drafter"), message="because of Monday", draft=True)
    publish(actor=Actor("bob"))
    shown = admin.get(page("revision", "changelist")).content.decode()
    assert "bob (changes by drafter)" in shown
    assert "because of Monday" in admin.get(page("revision", "change", key(3))).content.decode()
    assert "Who changed it" not in admin.get(page("revision", "change", key(2))).content.decode()
