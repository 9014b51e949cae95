"""The draft's page: what would change, who changed it, and who may publish it."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from routing import publishing
from routing.drafts import Actor
from routing.models import PendingChange, Revision, Route
from routing.publishing import apply_document
from tests.support.adminpages import messages, page, signed_in, submit, viewer
from tests.support.configuration import small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
PAGE = "admin:routing_pendingchange_changelist"
PUBLISHER = ("routing.view_pendingchange", "routing.publish")


@pytest.fixture(autouse=True)
def review(monkeypatch: pytest.MonkeyPatch) -> None:
    """PUBLISH=review."""
    apply_document(small(), actor=Actor("first"))
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    monkeypatch.setattr("routing.admin.pending.under_review", lambda: True)


def edit(client: Client) -> None:
    url = page("route", "change", Route.objects.get().pk)
    assert submit(client, url, {"match__path": "/draft", "reason": "I want it"}).status_code == 302


def test_nothing_pending_is_said() -> None:
    """An empty page explains itself and offers no buttons."""
    response = signed_in().get(reverse(PAGE))
    assert "Nothing is pending" in response.content.decode()
    assert reverse("admin:routing_draft_publish") not in response.content.decode()


def test_draft_shows_difference_and_editors() -> None:
    """What publishing would change, who did it and why; nothing is live yet."""
    edit(signed_in("anna"))
    text = signed_in("bert").get(reverse(PAGE)).content.decode()
    assert "<del>/orders</del></td><td><ins>/draft</ins>" in text
    assert "anna" in text
    assert "I want it" in text
    assert Revision.objects.count() == 1


def test_editor_cannot_publish_the_own_draft() -> None:
    """The button is not offered, and the request is refused with the reason."""
    anna = signed_in("anna")
    edit(anna)
    assert reverse("admin:routing_draft_publish") not in anna.get(reverse(PAGE)).content.decode()
    response = anna.post(reverse("admin:routing_draft_publish"), follow=True)
    assert any("somebody else must publish it" in text for text in messages(response))
    assert Revision.objects.count() == 1


def test_somebody_else_publishes_with_a_message() -> None:
    """The revision is the publisher's, and the draft is gone."""
    edit(signed_in("anna"))
    bert = signed_in("bert", permissions=PUBLISHER)
    assert reverse("admin:routing_draft_publish") in bert.get(reverse(PAGE)).content.decode()
    response = bert.post(reverse("admin:routing_draft_publish"), {"reason": "looks right"}, follow=True)
    latest = Revision.objects.latest("number")
    assert (latest.number, latest.author, latest.message) == (2, "bert", "looks right")
    assert not PendingChange.objects.exists()
    assert "Nothing is pending" in response.content.decode()


def test_discarding_restores_what_is_live() -> None:
    """Rows are as published, without a revision."""
    edit(signed_in("anna"))
    response = signed_in("bert").post(reverse("admin:routing_draft_discard"), follow=True)
    assert Route.objects.get().path == "/orders"
    assert Revision.objects.count() == 1
    assert "The draft was thrown away." in messages(response)


@pytest.mark.parametrize("what", ["publish", "discard"])
def test_only_post_acts_and_only_with_the_permission(what: str) -> None:
    """A link does nothing, nor does somebody who may only look."""
    edit(signed_in("anna"))
    url = reverse(f"admin:routing_draft_{what}")
    assert signed_in("bert").get(url).status_code == 405
    looking = viewer()
    assert looking.get(reverse(PAGE)).status_code == 200
    assert looking.post(url).status_code == 403
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in("bert").cookies
    assert strict.post(url).status_code == 403
    assert (Route.objects.get().path, Revision.objects.count()) == ("/draft", 1)


def test_page_needs_its_permission() -> None:
    """Staff without it is refused."""
    assert signed_in("sam", permissions=("routing.view_route",)).get(reverse(PAGE)).status_code == 403


def test_reviewers_comment_and_reject() -> None:
    """What was said stands on the page; a rejected draft is published by nobody else."""
    apply_document(small(port=9000), actor=Actor("anna"))
    bert = signed_in("bert")
    bert.post(reverse("admin:routing_draft_comment"), {"text": "why so <b>many</b>?"})
    bert.post(reverse("admin:routing_draft_reject"), {"text": "too many"})
    there = reverse(PAGE)
    found = bert.get(there).content.decode()
    assert "why so &lt;b&gt;many&lt;/b&gt;?" in found
    assert "rejected</span> by bert: too many" in found
    signed_in("carla").post(reverse("admin:routing_draft_publish"), {})
    assert Revision.objects.count() == 1


def test_what_was_not_seen_is_not_published() -> None:
    """The page sends along which draft it showed."""
    apply_document(small(port=9000), actor=Actor("anna"))
    carla, there = signed_in("carla"), reverse(PAGE)
    seen = carla.get(there).context["draft"].digest
    apply_document(small(port=9999), actor=Actor("anna"))
    carla.post(reverse("admin:routing_draft_publish"), {"seen": seen})
    assert Revision.objects.count() == 1
    carla.post(reverse("admin:routing_draft_publish"), {"seen": carla.get(there).context["draft"].digest})
    assert Revision.objects.count() == 2


def test_the_page_reads_the_configuration_once() -> None:
    """What changed, and what tells this draft from another, are of the same look."""
    client = signed_in()
    edit(client)
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(PAGE))
    whole = [each["sql"] for each in queries if 'FROM "routing_target"' in each["sql"]]
    assert len(whole) == 1


def test_nothing_pending_reads_the_live_document_once() -> None:
    """The revision that a draft was begun on is not read where there is none, or where it is still live."""
    client = signed_in()
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse(PAGE))
        assert sum('"routing_revision"."document"' in each["sql"] for each in queries) == 1
        edit(client)
