"""The explain page: the winner, the losers and why, for a typed request or a pasted command."""

import pytest
from django.test import Client
from django.urls import reverse

from routing.drafts import Actor
from routing.models import Revision, Route
from routing.publishing import apply_document
from tests.support.adminpages import page, signed_in, viewer
from tests.support.configuration import route, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
URL = "/admin/routing/explain/"


def configure() -> None:
    routes = [route(), route("users", "/users", rewrite={"path": "/u"}, limits={"max_body": "1KB"})]
    apply_document({**small(), "routes": routes}, actor=Actor("ada"))


def explained(client: Client, **data: str) -> str:
    response = client.post(URL, {"method": "GET", "configuration": "live", **data})
    assert response.status_code == 200
    return response.content.decode()


def test_address_is_where_links_lead() -> None:
    """The sidebar, the overview and a route's page link here."""
    assert reverse("admin:routing_explain") == URL


def test_typed_request_is_explained() -> None:
    """Route, service, reasons, policies with their source, what is sent, and who was passed over."""
    configure()
    text = explained(viewer(), url="http://a.test/users/7?x=1")
    for shown in (
        f'href="{page("route", "change", Route.objects.get(name="users").pk)}">users</a>',
        "path /users/7 is /users or below it",
        "in revision 1",
        "http://127.0.0.1:8001/u?x=1",
        "limits",
        "path /users/7 is neither /orders nor below it",
        "chosen",
    ):
        assert shown in text, shown


def test_pasted_command_is_explained() -> None:
    """A curl command takes the place of the other fields."""
    configure()
    text = explained(viewer(), url="http://a.test/orders", curl="curl -X POST http://a.test/users")
    assert "POST http://a.test/users" in text
    assert ">users</a>" in text


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://a.test/nowhere", "No route takes it"),
        ("http://a.test/health", "own endpoint health"),
        ("/%zz", "refused"),
        ("http://a.test/a%2Fb", "INVALID_REQUEST"),
    ],
)
def test_requests_that_no_route_takes_are_explained_too(url: str, says: str) -> None:
    """Refusals and the gateway's own endpoints say what they are."""
    configure()
    assert says in explained(viewer(), url=url)


def test_draft_is_explained_on_request() -> None:
    """One sees what an edit would do before it is live."""
    configure()
    Route.objects.filter(name="users").update(path="/people", version=9)
    assert "No route takes it" in explained(viewer(), url="http://a.test/people")
    text = explained(viewer(), url="http://a.test/people", configuration="draft")
    assert ">users</a>" in text
    assert "in the draft" in text


def test_route_leads_to_its_example() -> None:
    """Open in explain: the form is filled in, and explained at once."""
    configure()
    client = viewer()
    key = Route.objects.get(name="users").pk
    response = client.get(page("route", "explain", key), follow=True)
    assert response.redirect_chain == [(f"{URL}?route={key}", 302)]
    assert response.context["form"]["url"].value() == "http://example.com/users"
    assert ">users</a>" in response.content.decode()


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"url": ""}, "url"),
        ({"url": "http://a.test", "headers": "nonsense"}, "headers"),
        ({"curl": "wget http://a.test"}, "curl"),
        ({"url": "http://a.test", "configuration": "other"}, "configuration"),
    ],
)
def test_faulty_input_is_told_at_its_field(data: dict[str, str], field: str) -> None:
    """Nothing that is typed is a server error."""
    response = viewer().post(URL, {"method": "GET", "configuration": "live", **data})
    assert list(response.context["form"].errors) == [field]


def test_nothing_live_and_a_broken_draft_are_said() -> None:
    """Where there is nothing to explain, the page says why."""
    assert "Nothing is published yet." in explained(viewer(), url="http://a.test/")
    configure()
    Route.objects.filter(name="users").update(path="no-slash", version=9)
    assert "no-slash" in explained(viewer(), url="http://a.test/", configuration="draft")


def test_page_needs_the_right_to_see_routes_and_changes_nothing() -> None:
    """Staff without it is refused; explaining leaves no trace."""
    configure()
    assert signed_in("sam", permissions=("routing.view_service",)).get(URL).status_code == 403
    assert Client().get(URL).status_code == 302
    explained(viewer(), url="http://a.test/users")
    assert Revision.objects.count() == 1
