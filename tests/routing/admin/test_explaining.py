"""The explain page: the winner, the losers and why, for a typed request or a pasted command."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from authproxy.remaining import NO_ADDRESS
from gateway_project import peeking
from resilience.models import BreakerState, TargetHealth
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.memory import MemoryStore
from routing.drafts import Actor
from routing.models import Revision, Route, TopicRule
from routing.publishing import apply_document
from tests.support.adminpages import page, signed_in, viewer
from tests.support.configuration import route, small
from tests.support.leases import registered

pytestmark = pytest.mark.django_db
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


def test_the_answer_comes_before_the_form() -> None:
    """Whoever follows a link to it need not scroll; without an answer the form is all there is."""
    configure()
    text = explained(viewer(), url="http://a.test/users")
    form = 'name="curl"'
    assert text.index("Verdict") < text.index("Ask again") < text.index(form)
    asked = signed_in().get(URL).content.decode()
    assert form in asked
    assert "Ask again" not in asked


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


def closed() -> None:
    """A route for those who may write, and somebody who may not."""
    routes = [route(auth={"level": "user", "scopes": ["write"]})]
    apply_document(
        {**small(), "routes": routes, "roles": [{"name": "author", "scopes": ["write"]}]}, actor=Actor("a")
    )
    User.objects.create_user("bert")


def test_who_asks_matters() -> None:
    """Nobody has to sign in; a known caller learns what is missing, an unknown one that it is unknown."""
    closed()
    client = viewer()
    assert "AUTH_ERROR" in explained(client, url="http://a.test/orders")
    text = explained(client, url="http://a.test/orders", caller="bert")
    for shown in ("FORBIDDEN", "as bert", "missing_scopes"):
        assert shown in text, shown
    User.objects.get(username="bert").groups.add(Group.objects.get(name="author"))
    text = explained(client, url="http://a.test/orders", caller="bert")
    assert "x-user-scopes" in text
    assert "FORBIDDEN" not in text
    assert "no account or consumer named" in explained(client, url="http://a.test/orders", caller="carl")


def test_credentials_of_a_pasted_command_are_not_read() -> None:
    """The page says so, unless it is told whose request it is, and never shows them."""
    closed()
    curl = "curl -H 'Authorization: Bearer x.y.z' http://a.test/orders"
    assert "are not looked at" in explained(viewer(), curl=curl)
    assert "are not looked at" not in explained(viewer(), curl=curl, caller="bert")


def test_whoever_may_not_see_consumers_learns_nothing_of_them() -> None:
    """The field is not there, and naming somebody all the same changes nothing."""
    closed()
    client = signed_in("sam", permissions=("routing.view_route",))
    assert "caller" not in client.get(URL).context["form"].fields
    assert "AUTH_ERROR" in explained(client, url="http://a.test/orders", caller="bert")


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


def test_what_holds_traffic_in_check_is_shown() -> None:
    """Each quota with whom it counts, a breaker's state, and how the targets are."""
    targets = [
        {"url": "http://127.0.0.1:8001", "zone": "east", "backup": True},
        {"url": "http://127.0.0.1:8002"},
    ]
    orders = {"name": "orders", "targets": targets, "breaker": {}, "health": {}}
    quotas = [{"name": "free", "limit": 7, "per": "1m", "key": "route"}]
    document = {"version": 1, "services": [orders], "quotas": quotas, "routes": [route(quotas=["free"])]}
    apply_document(document, actor=Actor("ada"))
    now = timezone.now()
    BreakerState.objects.create(service="orders", state="half_open", since=now)
    TargetHealth.objects.create(
        service="orders", target="http://127.0.0.1:8002", healthy=True, ok=True, checked_at=now, node="n"
    )
    text = explained(viewer(), url="/orders")
    for shown in (
        "counted_for: <code>route orders",
        "half_open",
        "east",
        "backup",
        ">healthy<",
        "consecutive",
    ):
        assert (shown in text) is (shown != "consecutive"), shown


def test_what_is_left_of_quotas_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the address that is given; without one nobody knows it, and the page says why."""
    quotas = [{"name": "free", "limit": 7, "per": "1m", "key": "ip"}]
    apply_document({**small(), "quotas": quotas, "routes": [route(quotas=["free"])]}, actor=Actor("ada"))
    store = MemoryStore()
    monkeypatch.setattr(peeking, "_own", [store])
    text = explained(viewer(), url="/orders")
    assert "remaining: <code>unknown<" in text
    assert NO_ADDRESS.replace("'", "&#x27;") in text
    policy = QuotaPolicy("free", 7, 60.0, keys=("ip",))
    for _ in range(3):
        store.take([Charge(policy, "ip:192.0.2.7")])
    text = explained(viewer(), url="/orders", address="192.0.2.7")
    for shown in ("from 192.0.2.7", "remaining: <code>4<", "counted_by: <code>this worker alone<"):
        assert shown in text, shown
    for _ in range(4):
        store.take([Charge(policy, "ip:192.0.2.7")])
    text = explained(viewer(), url="/orders", address="192.0.2.7")
    for shown in ("429 <code>RATE_LIMIT", "remaining: <code>0<", "retry_after_s"):
        assert shown in text, shown


def test_targets_that_registered_themselves_are_shown() -> None:
    """With who did it, and how they stand."""
    apply_document(small(), actor=Actor("ada"))
    registered(host="b", by="robot")
    registered(host="c", by="stranger", approves=False)
    text = explained(viewer(), url="/orders")
    for shown in (
        "http://b:1",
        "registered by robot",
        ">unchecked<",
        ">quarantined<",
        "registered by stranger",
    ):
        assert shown in text, shown


def test_a_link_may_name_a_request_and_a_revision() -> None:
    """Such as that of a request that was kept: explained at once, on what was live then."""
    configure()
    apply_document({**small(), "routes": [route("later", "/users", priority=9)]}, actor=Actor("ada"))
    client = signed_in()
    text = client.get(f"{URL}?url=/users/7&method=GET&configuration=1").content.decode()

    assert "in revision 1" in text
    assert "Route" in text
    assert "There is no revision 99" in client.get(f"{URL}?url=/users/7&configuration=99").content.decode()


TOPICS = [
    {"name": "wide", "topics": ["orders.>"], "subscribe": {"level": "admin"}},
    {"name": "own", "topics": ["orders.${user.id}"], "subscribe": {}, "publish": {"level": "admin"}},
]


def test_who_may_do_what_with_a_topic_is_explained() -> None:
    """By which rule, which links to its page, and why no other one decides."""
    apply_document({**small(), "topics": TOPICS}, actor=Actor("ada"))
    bert = User.objects.create_user("bert")
    topic = f"orders.{bert.pk}"
    text = explained(viewer(), topic=topic, caller="bert")
    link = page("topicrule", "change", TopicRule.objects.get(name="own").pk)
    for shown in (
        "bert may read it",
        "in revision 1, as bert",
        f'href="{link}">own</a>',
        "orders.${user.id}",
        "it fits, and is less specific",
        "built-in",
    ):
        assert shown in text, shown
    text = explained(viewer(), topic=topic, caller="bert", action="publish", configuration="draft")
    assert "bert may not write to it" in text
    assert "the level admin is needed" in text
    assert "in the draft" in text
    assert "Nobody in particular may not read it" in explained(viewer(), topic=topic)
    assert "no account or consumer named" in explained(viewer(), topic=topic, caller="carl")


def test_a_link_may_name_a_topic() -> None:
    """Explained at once; nothing published is said."""
    client = signed_in()
    assert "Nothing is published yet." in client.get(f"{URL}?topic=orders.7").content.decode()
    configure()
    assert "may not read it" in client.get(f"{URL}?topic=orders.7").content.decode()
