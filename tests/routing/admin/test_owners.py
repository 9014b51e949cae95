"""Owners in admin: who they are is set on a page of its own, and what they own they edit like editors."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routing.drafts import Actor
from routing.models import Owner, Revision, Route, Service, Target
from routing.publishing import apply_document
from tests.support.adminpages import errors, filled, messages, page, signed_in, submit
from tests.support.configuration import route, service

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def owner() -> Client:
    """Somebody who owns the service "mine", among others."""
    services = [service("mine", 1), service("theirs", 2)]
    routes = [route("mine", "/mine", "mine"), route("theirs", "/theirs", "theirs")]
    apply_document({"version": 1, "services": services, "routes": routes}, actor=Actor("first"))
    client = signed_in("olga", permissions=())
    Owner.objects.create(user=User.objects.get(username="olga"), service=Service.objects.get(name="mine"))
    return client


def test_owner_is_added_on_its_page() -> None:
    """By searching for the account and for the service."""
    made = Service.objects.create(name="s")
    user = User.objects.create_user("bert")
    data = {"user": user.pk, "group": "", "service": made.pk, "route": ""}
    assert signed_in().post(page("owner", "add"), data).status_code == 302
    assert str(Owner.objects.get()) == "bert owns s"


def test_lists_show_an_owner_its_own_rows(owner: Client) -> None:
    """And nothing of others, by search or filter neither."""
    for kind in ("service", "route"):
        found = owner.get(page(kind, "changelist"), {"q": "e"}).context["cl"].result_list
        assert [row.name for row in found] == ["mine"]


def test_owner_edits_the_service_with_its_targets(owner: Client) -> None:
    """One save, one revision, in the owner's name."""
    mine = Service.objects.get(name="mine")
    data = {
        "timeout__connect": "250ms",
        "targets-TOTAL_FORMS": "2",
        "targets-1-url": "http://127.0.0.1:9999",
    }
    response = submit(owner, page("service", "change", mine.pk), data)
    assert response.status_code == 302, errors(response)

    assert Revision.objects.latest("number").author == "olga"
    assert Target.objects.filter(service=mine).count() == 2
    assert Service.objects.get(name="mine").timeout == {"connect": "250ms"}


def test_owner_edits_its_route_but_leads_it_nowhere_else(owner: Client) -> None:
    """Another's service is no choice, even for whoever knows its key."""
    mine, theirs = Route.objects.get(name="mine"), Service.objects.get(name="theirs")
    url = page("route", "change", mine.pk)
    assert submit(owner, url, {"match__path": "/mine/v2"}).status_code == 302
    response = submit(owner, url, {"service": str(theirs.pk)})

    assert "valid choice" in str(errors(response)["service"])
    mine.refresh_from_db()
    assert (mine.path, mine.service.name) == ("/mine/v2", "mine")  # type: ignore[union-attr]


def test_owner_switches_its_route(owner: Client) -> None:
    """From the list's rows, like an editor."""
    url = page("route", "disable", Route.objects.get(name="mine").pk)
    response = owner.post(url, {"_form_submitted": "on"}, follow=True)

    assert "Published as revision 2" in messages(response)[0]
    assert Route.objects.get(name="mine").enabled is False


def test_form_of_an_owner_is_like_an_editors(owner: Client) -> None:
    """The same fields: owning is no smaller kind of editing."""
    url = page("route", "change", Route.objects.get(name="mine").pk)
    assert filled(owner, url).keys() == filled(signed_in(), url).keys()


def test_rights_to_all_cost_no_question_about_owners(owner: Client) -> None:
    """Lists of editors are as fast as before there were owners."""
    editor = signed_in("ed", permissions=("routing.view_route", "routing.change_route"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        editor.get(page("route", "changelist"))
    assert not [
        query for query in queries if "routing_owner" in query["sql"] and "routing_route" in query["sql"]
    ]
