"""`/control/v1/explain`: who may ask, what is refused and where the fault is, and that the command says the same."""

from typing import Any

import orjson
import pytest
from django.contrib.auth.models import Permission, User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authproxy import apikeys, consumers
from authproxy.views.explain import LONGEST_HEADER, LONGEST_URL, MOST_HEADERS
from gateway_project import peeking
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.memory import MemoryStore
from routing.drafts import Actor
from routing.models import Revision, Route
from routing.publishing import apply_document
from tests.support.cli import gateway
from tests.support.configuration import route, small
from tests.support.endpoints import Endpoints, account, refusal
from tests.support.leases import registered

pytestmark = [pytest.mark.store, pytest.mark.django_db]
EXPLAIN = "/control/v1/explain"
ASKED: dict[str, Any] = {"method": "GET", "url": "http://a.test/orders/7?x=1"}
SEES = ("routing.view_route", "authproxy.view_consumer")


def publish(*names: str, **more: Any) -> None:
    document = {**small(), "routes": [route(name, f"/{name}", **more) for name in names]}
    quotas = [{"name": "free", "limit": 5, "per": "1m", "key": "consumer"}]
    apply_document({**document, "quotas": quotas}, actor=Actor("ada"), prune=True)


def staff(name: str, *permissions: str) -> User:
    user = account(name, is_staff=True)
    for each in permissions:
        app, codename = each.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def token_of(client: Endpoints, user: User) -> str:
    found = str(client.signed_in(user.username)["access"])
    client.cookies.clear()
    return found


@pytest.fixture
def token(client: Endpoints) -> str:
    return token_of(client, staff("vera", *SEES))


def test_the_answer_is_the_command_s(client: Endpoints, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Key by key, for whichever caller and revision; with what is left of quotas, and registered targets."""
    store = MemoryStore()
    monkeypatch.setattr(peeking, "_own", [store])
    store.take([Charge(QuotaPolicy("free", 5, 60.0), "consumer:bert")])
    publish("orders", quotas=["free"])
    publish("orders", "users", quotas=["free"])
    registered(host="b", approves=False)
    account("bert")
    body = {**ASKED, "headers": {"X-Mode": "beta"}, "as": "bert"}
    found = client.send(EXPLAIN, body, token=token)
    assert found.status_code == 200
    ran = gateway("explain", "GET", ASKED["url"], "-H", "X-Mode: beta", "--as", "bert", "--json")
    assert found.json() == ran.data
    assert found.json()["revision"] == 2
    [quota] = [each for each in found.json()["policies"] if each["name"] == "quotas"]
    assert quota["details"]["remaining"] == 4
    assert found.json()["targets"][1]["state"] == "quarantined"
    first = client.send(EXPLAIN, {**ASKED, "revision": 1}, token=token).json()
    assert first == gateway("explain", "GET", ASKED["url"], "--revision", "1", "--json").data
    by_address = client.send(EXPLAIN, {**ASKED, "address": "2001:DB8::1"}, token=token).json()
    assert by_address == gateway("explain", "GET", ASKED["url"], "--from", "2001:db8::1", "--json").data
    assert len(store) == 1


def test_the_draft(client: Endpoints, token: str) -> None:
    """What publishing would make live; one that does not compile names its faults."""
    publish("orders")
    apply_document({**small(), "routes": [route("new", "/new")]}, actor=Actor("ada"), draft=True)
    asked = {"url": "/new", "revision": "draft"}
    assert client.send(EXPLAIN, asked, token=token).json()["matched"]["route"] == "new"
    assert client.send(EXPLAIN, {"url": "/new"}, token=token).json()["matched"] is None
    Route.objects.filter(name="new").update(path="no-slash", version=9)
    status, code, details = refusal(client.send(EXPLAIN, asked, token=token))
    assert (status, code, list(details)) == (400, "VALIDATION_ERROR", ["revision"])
    assert "no-slash" in details["revision"][0]


def test_headers_as_pairs(client: Endpoints, token: str) -> None:
    """Where a name occurs twice, or order matters; the method is read as people write it."""
    publish("orders", match={"path": "/orders", "methods": ["POST"], "headers": {"x-mode": "beta"}})
    asked = {"method": "post", "url": "/orders", "headers": [["X-Mode", "beta"], ["x-mode", "other"]]}
    assert client.send(EXPLAIN, asked, token=token).json()["matched"]["route"] == "orders"


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "url", "required"),
        ({"url": 7, "headers": 7}, "headers", "Want an object, or a list"),
        ({"url": []}, "url", "Not a valid string"),
        ({"url": "/" * (LONGEST_URL + 1)}, "url", "no more than"),
        ({"url": "http://["}, "url", '"[" is no host: want a path, or a URL such as http://host/path.'),
        ({"url": "/", "headers": {"Host": "a b"}}, "headers", 'the header Host has no host: "a b".'),
        ({"url": "/", "method": ""}, "method", "blank"),
        ({"url": "/", "headers": {"a": 1}}, "headers", '"a": the value must be a text.'),
        ({"url": "/", "headers": {"": "1"}}, "headers", '"": the name must be a text.'),
        ({"url": "/", "headers": [["a", "b"], ["c"]]}, "headers", "[1]: want a pair"),
        ({"url": "/", "headers": [["a", "b"], ["c", None]]}, "headers", "[1]: the value"),
        ({"url": "/", "headers": [["a", "b"]] * (MOST_HEADERS + 1)}, "headers", "At most 200"),
        ({"url": "/", "headers": {"a": "b" * LONGEST_HEADER}}, "headers", "longer than"),
        ({"url": "/", "as": ["ada"]}, "as", "Not a valid string"),
        ({"url": "/", "as": "nobody"}, "as", 'no account or consumer named "nobody"'),
        ({"url": "/", "as": "a\0b"}, "as", "Null characters"),
        ({"url": "/", "address": "home"}, "address", "valid IPv4 or IPv6"),
        ({"url": "/", "revision": 9}, "revision", "There is no revision 9."),
        ({"url": "/", "revision": 0}, "revision", "Want live, draft"),
        ({"url": "/", "revision": True}, "revision", "Want live, draft"),
        ({"url": "/", "revision": "1"}, "revision", "Want live, draft"),
        ({"url": "/", "revision": {}}, "revision", "Want live, draft"),
        ({"url": "/", "revision": 10**30}, "revision", "Want live, draft"),
        ({"url": "/", "heders": {}}, "heders", "is not a field here"),
    ],
)
def test_faults_are_told_with_their_place(
    client: Endpoints, token: str, body: dict[str, Any], field: str, says: str
) -> None:
    """In the envelope, by field."""
    publish("orders")
    answer = client.post(
        EXPLAIN,
        orjson.dumps(body)
        if body.get("revision") != 10**30
        else b'{"url": "/", "revision": 1%s}' % (b"0" * 30),
        content_type="application/json",
        headers={"authorization": f"Bearer {token}"},
    )
    status, code, details = refusal(answer)
    assert (status, code) == (400, "VALIDATION_ERROR")
    assert says in str(details[field][0]), details


@pytest.mark.parametrize(
    ("body", "kind", "wanted"),
    [
        (b"[]", "application/json", (400, "INVALID_REQUEST")),
        (b'{"url": "\\ud800"}', "application/json", (400, "INVALID_REQUEST")),
        (b"x" * 70_000, "application/json", (413, "PAYLOAD_TOO_LARGE")),
        (b"url=/", "application/x-www-form-urlencoded", (415, "UNSUPPORTED_MEDIA_TYPE")),
    ],
)
def test_bodies_that_cannot_be_read(
    client: Endpoints, token: str, body: bytes, kind: str, wanted: tuple[int, str]
) -> None:
    """As at every endpoint."""
    answer = client.post(EXPLAIN, body, content_type=kind, headers={"authorization": f"Bearer {token}"})
    assert refusal(answer)[:2] == wanted


def test_nothing_is_published(client: Endpoints, token: str) -> None:
    """The fault is nowhere in what was sent."""
    assert refusal(client.send(EXPLAIN, ASKED, token=token))[:2] == (404, "NOT_FOUND")
    assert client.ask(EXPLAIN, token=token).status_code == 405


def test_who_may_ask(client: Endpoints) -> None:
    """Staff with the right that the page in admin wants; naming callers takes another. Nothing is changed."""
    publish("orders")
    assert refusal(Endpoints(origin=None).send(EXPLAIN, ASKED))[:2] == (401, "AUTH_ERROR")
    bert = token_of(client, account("bert"))
    assert refusal(client.send(EXPLAIN, ASKED, token=bert)) == (403, "FORBIDDEN", {"level": "admin"})
    robot = apikeys.create(consumers.create("robot", kind="service"), "robot", by="test")[1]
    assert client.send(EXPLAIN, ASKED, key=robot).status_code == 403
    weak = token_of(client, staff("weak"))
    assert "routing.view_route" in client.send(EXPLAIN, ASKED, token=weak).json()["error"]["message"]
    sam = token_of(client, staff("sam", SEES[0]))
    assert client.send(EXPLAIN, ASKED, token=sam).status_code == 200
    named = client.send(EXPLAIN, {**ASKED, "as": "bert"}, token=sam)
    assert (named.status_code, SEES[1] in named.json()["error"]["message"]) == (403, True)
    assert client.send(EXPLAIN, {**ASKED, "as": None}, token=sam).status_code == 200
    assert Revision.objects.count() == 1


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(
    body=st.dictionaries(
        st.sampled_from(["method", "url", "headers", "as", "revision", "address"]), JSON | st.just("/orders")
    )
)
def test_no_body_is_an_error_of_ours(client: Endpoints, token: str, body: dict[str, Any]) -> None:
    """It is explained, or refused with the place of the fault."""
    if not Revision.objects.exists():
        publish("orders")
    try:
        text = orjson.dumps(body)
    except TypeError:
        return  # a lone surrogate: no JSON
    headers = {"authorization": f"Bearer {token}"}
    answer = client.post(EXPLAIN, text, content_type="application/json", headers=headers)
    assert answer.status_code in (200, 400)
    if answer.status_code == 400:
        assert refusal(answer)[2].keys() <= {"method", "url", "headers", "as", "revision", "address"}


def test_a_topic(client: Endpoints, token: str) -> None:
    """The same words as the command's; what belongs to requests does not go with it."""
    publish("orders")
    account("bert")
    found = client.send(EXPLAIN, {"topic": "generation.1", "as": "bert", "action": "publish"}, token=token)
    said = gateway("explain", "--topic", "generation.1", "--as", "bert", "--publish", "--json").data
    assert found.json() == said
    assert said["decided_by"]["rule"] == "default: generations"
    for body, field in (
        ({"topic": "a b"}, "topic"),
        ({"topic": "a", "url": "/"}, "url"),
        ({"topic": "a", "as": "nobody"}, "as"),
        ({"topic": "a", "action": "shout"}, "action"),
    ):
        status, _, details = refusal(client.send(EXPLAIN, body, token=token))
        assert (status, list(details)) == (400, [field])
