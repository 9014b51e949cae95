"""`/discovery/…`: who may, what is refused and with which code, and what the answers say."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from authproxy import apikeys, consumers
from authproxy.views import discovery as views
from resilience.models import BreakerState, TargetHealth
from routing import discovery, leases
from routing.drafts import Actor
from routing.leasing import FIELDS
from routing.locking import StoreUnavailable
from routing.models import Lease
from routing.publishing import apply_document
from tests.support.configuration import small
from tests.support.endpoints import Endpoints, account, refusal

pytestmark = [pytest.mark.store, pytest.mark.django_db]
REGISTER = "/discovery/register"
READING = ("/discovery/services", "/discovery/health", "/discovery/traefik")
SENT: dict[str, Any] = {"service_name": "orders", "host": "orders", "port": 8001}


def robot(name: str = "robot") -> str:
    """A service account's key."""
    return apikeys.create(consumers.create(name, kind="service"), name, by="test")[1]


def registered(client: Endpoints, key: str, **fields: Any) -> dict[str, Any]:
    response = client.send(REGISTER, {**SENT, **fields}, key=key)
    assert response.status_code == 201, response.content
    found: dict[str, Any] = response.json()
    return found


def lease_path(found: dict[str, Any]) -> str:
    return f"/discovery/lease/{found['lease_id']}"


def put(client: Endpoints, path: str, key: str, content: Any = "") -> Any:
    return client.put(path, content, content_type="application/json", headers={"x-api-key": key})


def token(client: Endpoints, *permissions: str) -> str:
    """Of staff."""
    user = account("ada", is_staff=True)
    for codename in permissions:
        user.user_permissions.add(Permission.objects.get(codename=codename))
    return str(client.signed_in("ada")["access"])


def test_a_lease_from_its_beginning_to_its_end(client: Endpoints) -> None:
    """201 with what to do next; renewed, listed, left, and then unknown."""
    key = robot()
    found = registered(client, key, ttl=30, weight=2)
    assert (found["url"], found["state"], found["service"]) == ("http://orders:8001", "pending", "created")
    assert (found["ttl"], found["renew_every"], found["is_new"]) == (30.0, 10.0, True)
    assert found["renew_before"].endswith("Z")
    assert registered(client, key, ttl=30)["lease_id"] == found["lease_id"]
    renewed = put(client, lease_path(found), key)
    assert (renewed.status_code, renewed.json()["lease_id"]) == (200, found["lease_id"])
    assert client.ask(lease_path(found), key=key, method="delete").status_code == 204
    assert put(client, lease_path(found), key).status_code == 404
    assert registered(client, key)["renew_before"] is None


def test_only_services_register(client: Endpoints) -> None:
    """Nobody is 401, an account is 403, and so is staff; whatever ENABLE_AUTHENTICATION says."""
    account("bob")
    bob = client.signed_in("bob")["access"]
    assert refusal(Endpoints(origin=None).send(REGISTER, SENT))[:2] == (401, "AUTH_ERROR")
    assert refusal(client.send(REGISTER, SENT, token=bob)) == (403, "FORBIDDEN", {"level": "service"})
    assert client.send(REGISTER, SENT, token=token(client)).status_code == 403
    for path in READING:
        assert Endpoints(origin=None).ask(path).status_code == 401
        assert client.ask(path, token=bob).status_code == 403
    assert Lease.objects.count() == 0


def test_somebody_elses_lease(client: Endpoints) -> None:
    """Is not found, and its address is taken."""
    mine, theirs = robot(), robot("other")
    found = registered(client, mine)
    assert put(client, lease_path(found), theirs).status_code == 404
    assert client.ask(lease_path(found), key=theirs, method="delete").status_code == 404
    assert refusal(client.send(REGISTER, SENT, key=theirs)) == (403, "FORBIDDEN", {"reason": "taken"})
    assert Lease.objects.get().ended_at is None


def test_staff(client: Endpoints) -> None:
    """May read; renewing and ending takes the permission that admin asks for."""
    found = registered(client, robot())
    weak = token(client)
    (target,) = client.ask(READING[0], token=weak).json()["services"][0]["targets"]
    assert target["lease"] == found["lease_id"]
    assert client.ask(lease_path(found), token=weak, method="delete").status_code == 403
    ada = account("eve", is_staff=True)
    ada.user_permissions.add(Permission.objects.get(codename="operate"))
    strong = client.signed_in("eve")["access"]
    assert client.ask(lease_path(found), token=strong, method="delete").status_code == 204
    assert Lease.objects.get().ended_by == "eve"


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", [[], {}, "\0", "\ud800", -1, 10**19, 1e300, True, "169.254.169.254 "])
def test_nonsense_in_fields(field: str, value: Any, client: Endpoints) -> None:
    """400 VALIDATION_ERROR, by field, with a code before the sentence."""
    body = {**SENT, field: value}
    text = str(body).replace("'", '"').replace("True", "true").replace("\\x00", "\\u0000")
    answer = client.post(REGISTER, text, content_type="application/json", headers={"x-api-key": robot()})
    status, code, details = refusal(answer)
    expected = {"VALIDATION_ERROR"} | ({"INVALID_REQUEST"} if value == "\ud800" else set())
    assert status == 400
    assert code in expected
    if code == "VALIDATION_ERROR":
        assert ": " in details[field][0]


@pytest.mark.parametrize(
    ("body", "kind", "wanted"),
    [
        (b"", "application/json", (400, "VALIDATION_ERROR")),
        (b"{", "application/json", (400, "INVALID_REQUEST")),
        (b"[]", "application/json", (400, "INVALID_REQUEST")),
        (b"null", "application/json", (400, "INVALID_REQUEST")),
        (b"\xff", "application/json", (400, "INVALID_REQUEST")),
        (b"x" * 70_000, "application/json", (413, "PAYLOAD_TOO_LARGE")),
        (b"a=1", "text/plain", (415, "UNSUPPORTED_MEDIA_TYPE")),
    ],
)
def test_nonsense_in_bodies(body: bytes, kind: str, wanted: tuple[int, str], client: Endpoints) -> None:
    """In the error envelope, as everywhere."""
    answer = client.post(REGISTER, body, content_type=kind, headers={"x-api-key": robot()})
    assert refusal(answer)[:2] == wanted


def test_a_renewal_takes_no_fields(client: Endpoints) -> None:
    """What it would ignore is refused; an id that is none is not found."""
    key = robot()
    found = registered(client, key)
    assert refusal(put(client, lease_path(found), key, {"ttl": 3}))[:2] == (400, "VALIDATION_ERROR")
    assert put(client, f"/discovery/lease/{uuid4()}", key).status_code == 404
    assert put(client, "/discovery/lease/7", key).status_code == 404
    assert client.ask(REGISTER, key=key).status_code == 405


@pytest.mark.parametrize(
    ("access", "address", "status"),
    [
        ("restricted", "10.0.0.7", 401),
        ("private", "10.0.0.7", 200),
        ("private", "127.0.0.1", 200),
        ("private", "203.0.113.9", 401),
        ("public", "203.0.113.9", 200),
    ],
)
def test_who_may_read_without_a_credential(
    access: str, address: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPS_ACCESS says so; nobody writes without one, and nobody sees ids of leases that are not theirs."""
    found = registered(Endpoints(), robot())
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, ops_access=access))
    anybody = Endpoints(origin=None, address=address)
    answers = [anybody.ask(path) for path in READING]
    assert [answer.status_code for answer in answers] == [status] * 3
    if status == 200:
        assert answers[0].json()["services"][0]["targets"][0]["lease"] is None
    assert anybody.send(REGISTER, SENT).status_code == 401
    assert put(anybody, lease_path(found), "").status_code == 401
    assert anybody.ask(lease_path(found), method="delete").status_code == 401
    assert Lease.objects.get().ended_at is None


def test_credentials_count_where_none_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever made a lease sees its id, and so does staff; any other account reads like nobody."""
    key = robot()
    found = registered(Endpoints(), key)
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, ops_access="public"))
    account("bob")

    def lease(client: Endpoints, **credential: str) -> Any:
        answer = client.ask(READING[0], **credential)
        assert answer.status_code == 200
        return answer.json()["services"][0]["targets"][0]["lease"]

    bob = str(Endpoints().signed_in("bob")["access"])
    assert lease(Endpoints(), key=key) == found["lease_id"]
    assert lease(Endpoints(), token=token(Endpoints())) == found["lease_id"]
    assert lease(Endpoints(), key=robot("other")) is None
    assert [lease(Endpoints(), token=each) for each in (bob, "forged")] == [None, None]


def test_services_and_health(client: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can answer, one service alone if asked, and which has nothing that could."""
    key = robot()
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, discovery_approval="auto"))
    apply_document(small(), actor=Actor("ada"))
    assert client.ask(READING[1], key=key).json()["status"] == "healthy"
    registered(client, key, ttl=60)
    registered(client, key, service_name="idle", port=2)
    leases.end([Lease.objects.get(service="idle").pk], by="x", why="x")
    listed = client.ask("/discovery/services?service=orders", key=key).json()
    assert listed["stale"] is False
    assert [target["origin"] for target in listed["services"][0]["targets"]] == ["configuration", "lease"]
    assert listed["services"][0]["targets"][1]["expires_at"].endswith("Z")
    health = client.ask(READING[1], key=key).json()
    assert health["status"] == "degraded"
    well = {"breaker": None, "failing": 0, "pending": 0}
    assert health["services"]["orders"] == {**well, "status": "up", "targets": 2}
    assert health["services"]["idle"] == {**well, "status": "down", "targets": 0}


def test_health_of_what_is_configured(client: Endpoints) -> None:
    """A target that fails its checks and a breaker that is not closed are told of, whoever registered nothing."""
    key = robot()
    raw = small()
    raw["services"][0] |= {"health": {"path": "/health"}, "breaker": {}}
    name, url = raw["services"][0]["name"], raw["services"][0]["targets"][0]["url"]
    apply_document(raw, actor=Actor("ada"))

    def told() -> tuple[str, dict[str, Any]]:
        found = client.ask(READING[1], key=key).json()
        return found["status"], found["services"][name]

    BreakerState.objects.create(service=name, state="half_open")
    trying = told()
    BreakerState.objects.update(state="open")
    is_open = told()
    BreakerState.objects.update(state="closed")
    closed = told()
    TargetHealth.objects.create(
        service=name, target=url, healthy=False, checked_at=timezone.now(), ok=False, node="n"
    )
    (listed,) = client.ask("/discovery/services", key=key).json()["services"]
    one = {"targets": 1, "failing": 0, "pending": 0}
    assert trying == ("degraded", {**one, "status": "degraded", "breaker": "half_open"})
    assert is_open == ("degraded", {**one, "status": "down", "breaker": "open"})
    assert closed == ("healthy", {**one, "status": "up", "breaker": "closed"})
    assert told() == ("degraded", {**one, "status": "down", "breaker": "closed", "failing": 1})
    assert [target["failing"] for target in listed["targets"]] == [True]


def test_traefik(client: Endpoints) -> None:
    """Its routers lead to where the gateway was asked; nothing before the first revision."""
    key = robot()
    assert client.ask(READING[2], key=key).json() == {"http": {}}
    apply_document(small(), actor=Actor("ada"))
    http = client.ask(READING[2], key=key).json()["http"]
    assert http["routers"]["orders"]["service"] == "torana-gateway"
    servers = http["services"]["torana-gateway"]["loadBalancer"]["servers"]
    assert servers == [{"url": "http://testserver", "weight": 1}]


def test_a_database_that_is_away(client: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process remembers is told as stale; without a watch, and for writing, it is 503."""
    key = robot()

    def away(*_arguments: object, **_options: object) -> None:
        raise OperationalError("connection refused")

    def unavailable(*_arguments: object, **_options: object) -> None:
        raise StoreUnavailable("the database cannot be reached: 10.0.0.1")

    monkeypatch.setattr(discovery, "services", away)
    monkeypatch.setattr(leases, "register", unavailable)
    answer = client.send(REGISTER, SENT, key=key)
    assert refusal(answer)[:2] == (503, "SERVICE_UNAVAILABLE")
    assert "10.0.0.1" not in answer.content.decode()
    assert answer.headers["Retry-After"] == "2"
    assert client.ask(READING[0], key=key).status_code == 503
    target = {"url": "http://orders:1", "weight": 1, "origin": "lease", "state": "approved", "failing": False,
              "lease": None, "registered_by": None, "expires_at": None}  # fmt: skip
    kept = [{"name": "orders", "protocol": None, "targets": [target]}]
    monkeypatch.setattr(discovery, "remembered", lambda: kept)
    answer = client.ask("/discovery/services?service=orders", key=key).json()
    assert (answer["stale"], answer["services"]) == (True, kept)
    assert client.ask(READING[1], key=key).json()["status"] == "degraded"


def test_documentation() -> None:
    """Every endpoint is in the OpenAPI document, with every error that it can answer."""
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    errors = {
        (path, method): {status for status in operation["responses"] if status >= "400"}
        for path, methods in paths.items()
        if path.startswith("/discovery/")
        for method, operation in methods.items()
    }
    reading = {"401", "403", "503"}
    assert errors == {
        (REGISTER, "post"): reading | {"400", "413", "415"},
        ("/discovery/lease/{id}", "put"): reading | {"400", "404", "413", "415"},
        ("/discovery/lease/{id}", "delete"): reading | {"404"},
        **{(path, "get"): reading for path in READING},
    }
    assert views.OPERATE == "routing.operate"
