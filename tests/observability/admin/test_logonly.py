"""The page of policies in mode log, and enforcing one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from observability.models import WouldRefuse
from routing import publishing
from routing.drafts import Actor
from routing.models import Revision, Route
from routing.publishing import apply_document
from tests.support.adminpages import signed_in, viewer
from tests.support.configuration import route, small
from tests.support.kept import AT

pytestmark = [pytest.mark.store, pytest.mark.django_db]
URL = "/admin/observability/wouldrefuse/"
IP = {"route": "users", "policy": "ip", "quota": ""}


def would(**more: Any) -> None:
    given = {
        "digest": "a",
        "caller": "ada",
        "count": 3,
        "code": "FORBIDDEN",
        "message": "No.",
        "request_id": "id",
    }
    WouldRefuse.objects.create(**{**IP, **given, "first_at": AT, "last_at": AT, **more})


def test_the_list_says_who_would_be_hit_by_what() -> None:
    """Summed up by policy; enforcing is for those who may change routes, as long as it is in mode log."""
    logged = {"allow": ["10.0.0.0/8"], "mode": "log"}
    apply_document({**small(), "routes": [route("users", "/users", ip=logged)]}, actor=Actor("ada"))
    would()
    would(digest="b", caller="bert", count=1)
    shown = signed_in().get(URL).content.decode()

    assert "Would have refused 4 requests of 2 callers" in shown
    assert "ada" in shown
    assert "Enforce it" in shown
    assert "Enforce it" not in viewer().get(URL).content.decode()
    assert viewer().post(f"{URL}enforce/", IP).status_code == 403

    WouldRefuse.objects.all().delete()
    assert "Would have refused nobody" in signed_in().get(URL).content.decode()
    would(route="gone")
    assert "It is not in mode log any more." in signed_in().get(URL).content.decode()


def test_very_many_policies_are_in_pages_of_few_queries() -> None:
    """As many queries as for one; each policy is on one page."""
    would(route="other")
    client = signed_in()
    client.get(URL)
    with CaptureQueriesContext(connection) as few:
        client.get(URL)
    for number in range(45):
        would(digest=f"d{number}", route=f"r{number:02}", count=100 + number)
    with CaptureQueriesContext(connection) as many:
        first = client.get(URL)
    assert len(many) == len(few)
    pages = [first, *(client.get(URL, {"page": number}) for number in (2, 3))]
    found = [group.route for response in pages for group in response.context["groups"]]
    assert found == [*(f"r{number:02}" for number in range(44, -1, -1)), "other"]
    assert "Page 1 of 3" in first.content.decode()
    assert "Those hit less often" not in pages[-1].content.decode()


def test_enforcing_asks_and_then_publishes() -> None:
    """The mode goes; a second time there is nothing to do."""
    ip = {"allow": ["10.0.0.0/8"], "mode": "log"}
    apply_document({**small(), "routes": [route("users", "/users", ip=ip)]}, actor=Actor("ada"))
    would()
    client = signed_in()
    asked = client.get(f"{URL}enforce/", IP).content.decode()
    assert "It changes route users. In mode log it would have refused 3 requests of 1 caller" in asked
    assert Route.objects.get(name="users").ip == ip
    done = client.post(f"{URL}enforce/", IP, follow=True).content.decode()
    assert "Published as revision 2" in done
    assert Route.objects.get(name="users").ip == {"allow": ["10.0.0.0/8"]}
    assert "not in mode log any more" in client.post(f"{URL}enforce/", IP, follow=True).content.decode()


def test_the_question_reads_the_one_route() -> None:
    """Of ten thousand; what stands in quotas and defaults is few rows. A name that is wrong is told with one alike."""
    ip = {"allow": ["10.0.0.0/8"], "mode": "log"}
    entries = [route("users", "/users", ip=ip), route("others", "/others")]
    apply_document({**small(), "routes": entries}, actor=Actor("ada"))
    client = signed_in()
    client.get(f"{URL}enforce/", IP)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"{URL}enforce/", IP)
    about = [each["sql"] for each in queries if 'FROM "routing_' in each["sql"]]
    assert len(about) <= 5
    assert all("WHERE" in sql for sql in about if 'FROM "routing_route"' in sql)
    told = client.get(f"{URL}enforce/", {**IP, "route": "user"}, follow=True).content.decode()
    assert "did you mean" in told


def test_under_review_enforcing_leaves_a_draft(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else publishes it, as any other change."""
    ip = {"allow": ["10.0.0.0/8"], "mode": "log"}
    apply_document({**small(), "routes": [route("users", "/users", ip=ip)]}, actor=Actor("ada"))
    would()
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    signed_in().post(f"{URL}enforce/", IP)

    assert Revision.objects.count() == 1
    assert publishing.draft_changes().summary() == "1 route changed"
