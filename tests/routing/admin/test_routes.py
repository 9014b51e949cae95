"""The pages of routes: what the list says, in how many queries, and what actions do."""

import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from routing.admin.columns import policies
from routing.cleaning import written
from routing.drafts import Actor
from routing.models import Revision, Route, Service
from routing.publishing import apply_document
from tests.support.adminpages import filled, messages, page, signed_in, submit, viewer
from tests.support.configuration import large, route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
LIST_QUERIES = (
    8  # session, user, pending badge, whether any is managed, two counts, the page, its rows' children
)


@pytest.fixture
def admin() -> Client:
    return signed_in()


def several() -> None:
    routes = [
        route("a", "/a", match={"path": "/a", "hosts": ["a.test"], "methods": ["GET"]}),
        route("b", "/b", enabled=False, priority=7, limits={"max_body": "10MB"}, timeout="5s"),
        {**route("c", "/c"), "redirect": {"path": "/new"}},
        {**route("d", "/d"), "respond": {"status": 503}},
    ]
    for each in routes[2:]:
        each.pop("service")
    apply_document({"version": 1, "services": [service()], "routes": routes}, actor=Actor("first"))


def listed(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{page('route', 'changelist')}?{query}")
    assert response.status_code == 200
    return [row.name for row in response.context["cl"].result_list]


def key(name: str) -> int:
    return Route.objects.get(name=name).pk


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a", "b", "c", "d"]),
        ("state=disabled", ["b"]),
        ("state=enabled", ["a", "c", "d"]),
        ("leads_to=redirect", ["c"]),
        ("leads_to=service", ["a", "b"]),
        ("method=GET", ["a", "b", "c", "d"]),
        ("method=POST", ["b", "c", "d"]),
        ("host=a.te", ["a"]),
        ("q=/c", ["c"]),
        ("q=orders", ["a", "b"]),
        ("q=a.test", ["a"]),
        ("q=nothing", []),
        ("state=enabled&leads_to=service", ["a"]),
        ("o=-8", ["b", "a", "c", "d"]),
    ],
)
def test_filters_search_and_order(admin: Client, query: str, names: list[str]) -> None:
    """Routes are found by what they do."""
    several()
    assert sorted(listed(admin, query)) == sorted(names)


def test_filter_by_service(admin: Client) -> None:
    """The link from a service leads to its routes."""
    several()
    assert listed(admin, f"service__id__exact={Service.objects.get().pk}") == ["a", "b"]


def test_list_says_what_a_route_does(admin: Client) -> None:
    """Path, methods, destination, policies and state are columns."""
    several()
    text = admin.get(page("route", "changelist")).content.decode()
    for shown in ("/a/…", "a.test", "GET", "answers 503", "301 to /new", "body ≤ 10MB", "timeout 5s"):
        assert shown in text


def test_list_says_who_may_pass_by_default(admin: Client) -> None:
    """Where neither route nor defaults say so: users. What the defaults say is read with the rows."""
    entries = {"version": 1, "services": [service()], "routes": [{"name": "a", "service": service()["name"]}]}
    shown = []
    for defaults in ({}, {"timeout": "5s"}, {"auth": {"level": "service", "scopes": ["read"]}}):
        apply_document({**entries, "defaults": defaults}, actor=Actor("first"))
        (row,) = admin.get(page("route", "changelist")).context["cl"].result_list
        shown.append(policies(written(row), row.defaults or {}))

    assert shown == [["user (default)"], ["user (default)"], ["service: read (default)"]]


@pytest.mark.parametrize("size", [3, 120])
def test_list_takes_the_same_queries_at_any_size(admin: Client, size: int) -> None:
    """No query per row: neither for services nor for anything else."""
    apply_document(large(size), actor=Actor("first"))
    admin.get(page("route", "changelist"))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = admin.get(page("route", "changelist"))
    assert len(response.context["cl"].result_list) == min(size, 50)
    assert len(queries) == LIST_QUERIES, [query["sql"][:100] for query in queries]


def test_form_does_not_list_all_services(admin: Client) -> None:
    """The service is found by typing: a page with thousands of options would be none."""
    apply_document(large(3, services=50), actor=Actor("first"))
    text = admin.get(page("route", "change", key("r00000"))).content.decode()
    assert "s000" in text
    assert "s049" not in text
    found = admin.get("/admin/autocomplete/?app_label=routing&model_name=route&field_name=service&term=s04")
    assert [each["text"] for each in found.json()["results"]] == [f"s04{n}" for n in range(10)]


def test_duplicate_opens_a_filled_form_and_saves_nothing(admin: Client) -> None:
    """Everything is as in the original but the name."""
    several()
    response = admin.get(page("route", "duplicate", key("b")), follow=True)
    form = response.context["adminform"].form
    assert form["name"].value() == "b-copy"
    assert (form["limits__max_body"].value(), form["timeout"].value(), form["enabled"].value()) == (
        "10MB",
        "5s",
        "no",
    )
    assert str(form["service"].value()) == str(Service.objects.get().pk)
    assert Route.objects.count() == 4

    url = f"{page('route', 'add')}?copy_of={key('b')}"
    assert submit(admin, url, {}).status_code == 302
    assert Route.objects.get(name="b-copy").limits == {"max_body": "10MB"}


@pytest.mark.parametrize(("action", "name", "enabled"), [("disable", "a", False), ("enable", "b", True)])
def test_one_route_is_switched_by_a_dialog(admin: Client, action: str, name: str, enabled: bool) -> None:
    """Opening the dialog changes nothing; confirming is one revision with the reason."""
    several()
    url = page("route", action, key(name))
    assert admin.get(url).status_code == 200
    assert Revision.objects.count() == 1

    response = admin.post(url, {"_form_submitted": "on", "reason": "a test"}, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == page("route", "changelist")
    assert Route.objects.get(name=name).enabled is enabled
    assert [(r.number, r.message) for r in Revision.objects.all()] == [(2, "a test"), (1, "")]


def test_many_routes_are_switched_in_one_revision_after_a_question(admin: Client) -> None:
    """The first POST asks; the second acts, once, and leaves alone what is so already."""
    several()
    data = {"action": "disable_selected", "_selected_action": [key("a"), key("b"), key("c")]}
    asked = admin.post(page("route", "changelist"), data)
    assert asked.status_code == 200
    assert "Disable 3 routes?" in asked.content.decode()
    assert Revision.objects.count() == 1

    version = Route.objects.get(name="b").version
    response = admin.post(
        page("route", "changelist"), {**data, "confirmed": "yes", "reason": ""}, follow=True
    )
    assert list(Route.objects.exclude(enabled=False).values_list("name", flat=True)) == ["d"]
    assert Route.objects.get(name="b").version == version
    assert Revision.objects.latest("number").message == "Disable 2 routes"
    assert "Published as revision 2: every worker has it within a second." in messages(response)


def test_getting_an_action_changes_nothing(admin: Client) -> None:
    """A link from elsewhere cannot switch, duplicate or delete anything."""
    several()
    before = list(Route.objects.values())
    for what in ("enable", "disable", "duplicate", "explain", "delete"):
        admin.get(f"{page('route', what, key('a'))}?_form_submitted=on&post=yes&confirmed=yes")
    admin.get(
        f"{page('route', 'changelist')}?action=disable_selected&_selected_action={key('a')}&confirmed=yes"
    )
    assert list(Route.objects.values()) == before
    assert Revision.objects.count() == 1


def test_posts_without_a_token_are_refused(admin: Client) -> None:
    """Every action is protected against requests that another site makes a browser send."""
    several()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies
    for what in ("enable", "disable", "delete", "change"):
        assert strict.post(page("route", what, key("a")), {"_form_submitted": "on"}).status_code == 403
    assert strict.post(page("route", "changelist"), {"action": "delete_selected"}).status_code == 403


def test_viewer_sees_everything_and_changes_nothing() -> None:
    """Somebody with view permissions reads values, and is refused wherever something would change."""
    several()
    client = viewer()
    text = client.get(page("route", "change", key("b"))).content.decode()
    assert "10MB" in text
    assert 'name="_save"' not in text
    refused: list[tuple[str, dict[str, Any]]] = [
        (page("route", "change", key("b")), {"name": "x"}),
        (page("route", "add"), {"name": "x"}),
        (page("route", "delete", key("b")), {"post": "yes"}),
        (page("route", "enable", key("b")), {"_form_submitted": "on"}),
        (page("route", "disable", key("a")), {"_form_submitted": "on"}),
        (page("route", "duplicate", key("a")), {}),
    ]
    assert [client.post(url, data).status_code for url, data in refused] == [403] * len(refused)
    bulk = {"action": "disable_selected", "_selected_action": [key("a")], "confirmed": "yes"}
    client.post(page("route", "changelist"), bulk)
    assert Revision.objects.count() == 1


def test_covered_route_is_warned_about_when_it_is_saved(admin: Client) -> None:
    """The warning names the route that takes the requests, with a link, and does not prevent anything."""
    apply_document(small(), actor=Actor("first"))
    data = {"name": "late", "match__path": "/orders/late", "priority": "-1", "auth__level": "public"}
    data |= {"destination": "service", "service": str(Service.objects.get().pk)}
    url = page("route", "add")
    response = admin.post(url, {**filled(admin, url), **data}, follow=True)
    [warning] = [text for text in messages(response) if "never reached" in text]
    assert f'href="{page("route", "change", key("orders"))}"' in warning
    assert Route.objects.filter(name="late").exists()
    assert "never reached" in admin.get(page("route", "change", key("late"))).content.decode()


def list_time_s(admin: Client, query: str) -> float:
    """Processor time of one list page: the least of a few is the page's own, without what disturbed it."""
    started_s = time.process_time()
    assert admin.get(f"{page('route', 'changelist')}?{query}").status_code == 200
    return time.process_time() - started_s


def test_list_of_ten_thousand_routes_is_quick(admin: Client) -> None:
    """At most twice as long as that of one page's routes, on any machine: the first page, the last one and searches.

    Of processor time, as tests share the machine.
    """
    to = Service.objects.create(name="s")
    common: dict[str, Any] = {"service": to, "methods": ["GET"], "auth_level": "public"}
    rows = [Route(name=f"r{n:05}", path=f"/team{n % 97}/{n}", **common) for n in range(10_000)]
    Route.objects.bulk_create(rows[:50])
    admin.get(page("route", "changelist"))
    of_one_page_s = min(list_time_s(admin, "") for _ in range(3))
    Route.objects.bulk_create(rows[50:])
    for query in ("", "p=200", "q=team7", f"service__id__exact={to.pk}", "method=POST", "o=-2"):
        assert min(list_time_s(admin, query) for _ in range(3)) < 2 * of_one_page_s, query


def test_what_the_access_log_gets_is_on_the_page() -> None:
    """The fields of the route, and the row as the document had it."""
    logs = {"sample": 0.1}
    apply_document({**small(), "routes": [route(log=logs)]}, actor=Actor("ada"))
    row = Route.objects.get()
    assert row.log == logs
    text = signed_in().get(page("route", "change", row.pk)).content.decode()
    assert 'name="log__sample" value="0.1"' in text
    assert 'name="log__access"' in text
