"""Saving and deleting in admin: one revision per act, all or nothing, and nothing of what was typed is lost."""

from typing import Any

import pytest
from django.test import Client

from routing.admin import publishing as admin_publishing
from routing.drafts import Actor
from routing.models import EditConflict, PendingChange, Revision, Route, Service, Target
from routing.problems import ConfigurationInvalid, Problem
from routing.publishing import apply_document
from tests.support.adminpages import errors, filled, messages, page, signed_in, submit
from tests.support.configuration import route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def admin() -> Client:
    return signed_in()


@pytest.fixture
def configured() -> None:
    apply_document(small(), actor=Actor("first"))


def live() -> Revision:
    return Revision.objects.latest("number")


def test_saving_publishes_once(admin: Client, configured: None) -> None:
    """One save is one revision, by whoever is signed in, with the reason that was given."""
    url = page("route", "change", Route.objects.get().pk)
    response = submit(admin, url, {"match__path": "/orders/v2", "timeout": "250ms", "reason": "Version two"})
    assert response.status_code == 302
    assert (live().number, live().author, live().message, live().source) == (
        2,
        "anna",
        "Version two",
        "admin",
    )
    assert live().changes["summary"] == "1 route changed"
    assert (Route.objects.get().path, Route.objects.get().timeout) == ("/orders/v2", "250ms")


def test_adding_a_service_with_a_target_is_one_revision(admin: Client) -> None:
    """The service and its targets become live together."""
    data = {"name": "users", "targets-0-url": "http://127.0.0.1:9000", "timeout__connect": "250ms"}
    assert submit(admin, page("service", "add"), data).status_code == 302
    assert live().number == 1
    assert '"targets":[{"url":"http://127.0.0.1:9000"}]' in live().document
    assert Service.objects.get().timeout == {"connect": "250ms"}


def test_saving_without_a_change_makes_no_revision(admin: Client, configured: None) -> None:
    """What is served stays the same, so history does, too."""
    response = admin.post(
        url := page("route", "change", Route.objects.get().pk), filled(admin, url), follow=True
    )
    assert live().number == 1
    assert "Nothing that the gateway serves has changed." in messages(response)


def test_refused_publishing_undoes_everything_and_keeps_the_input(
    admin: Client, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are as before, and the form shows what was typed with the problem at its field."""

    def refuse(**_: Any) -> None:
        raise ConfigurationInvalid([Problem("gateway.E011", "routes[0].service", "there is no such thing")])

    monkeypatch.setattr(admin_publishing, "publish_rows_after_edit", refuse)
    response = submit(admin, page("route", "change", Route.objects.get().pk), {"match__path": "/typed"})
    assert errors(response) == {"service": ["There is no such thing"]}
    assert response.context["adminform"].form["match__path"].value() == "/typed"
    assert (Route.objects.get().path, live().number) == ("/orders", 1)


def test_problem_of_another_entry_names_it(
    admin: Client, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the fault is not in the form, the message says where it is."""

    def refuse(**_: Any) -> None:
        raise ConfigurationInvalid([Problem("gateway.E020", "services[0].targets[0].url", "is not a URL")])

    monkeypatch.setattr(admin_publishing, "publish_rows_after_edit", refuse)
    response = submit(admin, page("route", "change", Route.objects.get().pk), {"priority": "3"})
    assert errors(response) == {"__all__": ['service "orders" targets[0].url: is not a URL']}


def test_lost_race_is_told_and_nothing_is_written(
    admin: Client, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who saves between the check and the write wins; the other is told, with the input kept."""

    def lose(self: Route) -> None:
        raise EditConflict("somebody was faster")

    url = page("route", "change", Route.objects.get().pk)
    data = filled(admin, url)
    monkeypatch.setattr(Route, "_claim_version", lose)
    response = admin.post(url, {**data, "match__path": "/typed"})
    assert errors(response) == {"__all__": ["somebody was faster"]}
    assert response.context["adminform"].form["match__path"].value() == "/typed"


def test_older_form_is_told_who_saved_and_what(admin: Client, configured: None) -> None:
    """The conflict names the other editor and the difference; saving once more puts the own version in place."""
    url = page("route", "change", Route.objects.get().pk)
    data = filled(admin, url)
    submit(signed_in("bert"), url, {"match__path": "/berts"})

    response = admin.post(url, {**data, "match__path": "/annas"})
    [text] = errors(response)["__all__"]
    assert text.startswith("bert changed this just now")
    assert "<code>/berts</code>" in text
    assert "<code>/annas</code>" in text
    assert Route.objects.get().path == "/berts"

    form = response.context["adminform"].form
    again = {field.html_name: "" if field.value() is None else str(field.value()) for field in form}
    assert admin.post(url, {**data, **again}).status_code == 302
    assert Route.objects.get().path == "/annas"


def test_under_review_a_save_is_a_draft(
    admin: Client, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing becomes live; the editor is on record."""
    monkeypatch.setattr("routing.publishing.under_review", lambda: True)
    url = page("route", "change", Route.objects.get().pk)
    response = admin.post(url, {**filled(admin, url), "match__path": "/new"}, follow=True)
    assert live().number == 1
    assert PendingChange.objects.get().author == "anna"
    assert any("Kept as a draft" in text for text in messages(response))


def test_deleting_publishes_once(admin: Client, configured: None) -> None:
    """A deletion is one revision."""
    url = page("route", "delete", Route.objects.get().pk)
    assert admin.post(url, {"post": "yes"}).status_code == 302
    assert (Route.objects.count(), live().number) == (0, 2)
    assert live().message == "Delete route orders"


def test_deleting_in_bulk_is_one_revision(admin: Client) -> None:
    """However many rows are deleted, history has one entry."""
    apply_document({**small(), "routes": [route(), route("b", "/b"), route("c", "/c")]}, actor=Actor("first"))
    keys = list(Route.objects.exclude(name="orders").values_list("pk", flat=True))
    data = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    assert admin.post(page("route", "changelist"), data).status_code == 302
    assert (Route.objects.count(), live().number, live().message) == (1, 2, "Delete 2 routes")


def test_refused_deletion_changes_nothing(
    admin: Client, configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is still there, and the next page says why."""

    def refuse(**_: Any) -> None:
        raise ConfigurationInvalid([Problem("gateway.E011", "routes[0].service", "is needed")])

    monkeypatch.setattr(admin_publishing, "publish_rows_after_edit", refuse)
    key = Route.objects.get().pk
    response = admin.post(page("route", "delete", key), {"post": "yes"}, follow=True)
    assert Route.objects.filter(pk=key).exists()
    assert any("is needed" in text for text in messages(response))


def test_service_in_use_cannot_be_deleted(admin: Client, configured: None) -> None:
    """The page names what stands in the way; nothing is deleted."""
    response = admin.post(page("service", "delete", Service.objects.get().pk), {"post": "yes"})
    assert Service.objects.count() == 1
    assert response.status_code == 403 or b"protected" in response.content


def test_renaming_a_service_takes_its_routes_along(admin: Client, configured: None) -> None:
    """Routes refer to the row, so the document follows the name."""
    url = page("service", "change", Service.objects.get().pk)
    assert submit(admin, url, {"name": "orders-v2"}).status_code == 302
    assert '"service":"orders-v2"' in live().document


def test_removing_a_target_and_adding_another(admin: Client, configured: None) -> None:
    """Targets are edited in the service's page, in one revision."""
    url = page("service", "change", Service.objects.get().pk)
    data = {
        "targets-TOTAL_FORMS": "2",
        "targets-0-DELETE": "on",
        "targets-1-url": "http://127.0.0.1:9999",
    }
    assert submit(admin, url, data).status_code == 302
    assert list(Target.objects.values_list("url", flat=True)) == ["http://127.0.0.1:9999"]
    assert live().number == 2


def test_name_taken_meanwhile_is_an_error_at_the_name(admin: Client, configured: None) -> None:
    """Names are unique among their kind."""
    response = submit(admin, page("service", "add"), {**service("orders"), "targets-0-url": "http://h:1"})
    assert errors(response) == {"name": ["Service with this Name already exists."]}


def test_history_of_a_row_is_the_trail_or_the_revisions_that_touched_it(
    admin: Client, configured: None
) -> None:
    """Whichever way they were made; who may see neither gets what admin itself knows."""
    apply_document({"version": 1, "routes": [route("other", "/other")]}, actor=Actor("bob"))
    url = page("route", "history", Route.objects.get(name="orders").pk)
    trail = admin.get(url, follow=True).context["cl"].result_list
    assert [row.action for row in trail] == ["configuration.publish"]
    seer = signed_in("sue", permissions=("routing.view_route", "routing.view_revision"))
    response = seer.get(url, follow=True)
    assert [row.number for row in response.context["cl"].result_list] == [1]
    assert signed_in("rob", permissions=("routing.view_route",)).get(url).status_code == 200


def test_deletion_page_shows_some_of_many_routes_in_the_way(admin: Client) -> None:
    """Thousands of routes to a service make no page of thousands of lines."""
    routes = [route(f"r{n}", f"/r{n}") for n in range(25)]
    apply_document({**small(), "routes": routes}, actor=Actor("first"))
    text = admin.get(page("service", "delete", Service.objects.get().pk)).content.decode()
    assert "and 5 more" in text
