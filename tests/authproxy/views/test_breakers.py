"""`/control/v1/breakers/{service}`: who may look, who may steer, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from resilience.models import BreakerState, BreakerTransition
from routing.drafts import Actor
from routing.models import Service
from routing.publishing import apply_document
from tests.support.configuration import service
from tests.support.endpoints import Endpoints, account, let_view

pytestmark = [pytest.mark.store, pytest.mark.django_db]
SHOP = "/control/v1/breakers/shop"


@pytest.fixture(autouse=True)
def shop() -> Service:
    return Service.objects.create(name="shop")


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


def operator(name: str = "anna") -> User:
    user = account(name, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="operate", content_type__app_label="routing"))
    return user


@pytest.fixture
def token(client: Endpoints) -> str:
    operator()
    return str(client.signed_in("anna")["access"])


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_an_operator_forces_releases_and_resets(client: Endpoints, token: str) -> None:
    """The answer is the breaker as it is now; the history says who and why."""
    until = (timezone.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {"force": "open", "reason": "maintenance", "until": until}
    found = client.send(SHOP, body, token=token)
    assert found.status_code == 200
    assert {"service": "shop", "state": "open", "measured": "closed", "forced": "open", "until": until,
            "by": "anna", "reason": "maintenance"}.items() <= found.json().items()  # fmt: skip
    assert client.ask(SHOP, token=token).json() == found.json()
    assert client.send(SHOP, {"force": "closed"}, token=token).json()["forced"] == "closed"
    assert client.send(SHOP, {"force": None}, token=token).json()["forced"] is None
    BreakerState.objects.update(state="open")
    assert client.send(SHOP, {"reset": True}, token=token).json()["state"] == "closed"
    assert BreakerTransition.objects.filter(by="anna").count() == 4


def test_all_are_listed(client: Endpoints, token: str) -> None:
    """Each as it is shown alone."""
    assert client.ask("/control/v1/breakers", token=token).json()["breakers"] == []
    client.send(SHOP, {"force": "open"}, token=token)

    found = client.ask("/control/v1/breakers", token=token)

    assert found.json()["breakers"] == [client.ask(SHOP, token=token).json()]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "force"),
        ({"reset": False}, "force"),
        ({"force": "open", "reset": True}, "force"),
        ({"force": "half_open"}, "force"),
        ({"force": "open", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"force": "open", "until": "tomorrow"}, "until"),
        ({"force": None, "until": "2100-01-01T00:00:00Z"}, "until"),
        ({"force": "open", "reason": "x" * 501}, "reason"),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: Endpoints, token: str, body: dict[str, Any], field: str
) -> None:
    """With the field that is wrong."""
    refused = client.send(SHOP, body, token=token)
    assert code(refused) == (400, "VALIDATION_ERROR")
    assert list(refused.json()["error"]["details"]) == [field]
    assert not BreakerState.objects.exclude(forced="").exists()


def test_an_unknown_service_is_not_found(client: Endpoints, token: str) -> None:
    """Neither to look at nor to steer; a name that none can have is refused."""
    for path, status in (("/control/v1/breakers/shpo", 404), ("/control/v1/breakers/sh%00p", 400)):
        assert client.send(path, {"force": "open"}, token=token).status_code == status
        assert client.ask(path, token=token).status_code == status


def test_a_service_without_a_breaker_has_none_to_force(client: Endpoints, token: str) -> None:
    """A conflict, not a fault of the request."""
    apply_document({"version": 1, "services": [service("shop")]}, actor=Actor("ada"))
    assert code(client.send(SHOP, {"force": "open"}, token=token)) == (409, "CONFLICT")
    assert client.ask(SHOP, token=token).status_code == 404


def test_only_staff_may_look_and_only_operators_may_steer(client: Endpoints) -> None:
    """As in admin; nobody is told how to sign in."""
    BreakerState.objects.create(service="shop")
    assert code(client.send(SHOP, {"force": "open"})) == (401, "AUTH_ERROR")
    account("bert")
    bert = client.signed_in("bert")["access"]
    client.cookies.clear()
    assert code(client.ask(SHOP, token=bert)) == (403, "FORBIDDEN")
    account("vera", is_staff=True)
    vera = client.signed_in("vera")["access"]
    client.cookies.clear()
    assert code(client.ask(SHOP, token=vera))[0] == 403
    let_view("vera")
    assert client.ask(SHOP, token=vera).status_code == 200
    assert code(client.send(SHOP, {"force": "open"}, token=vera)) == (403, "FORBIDDEN")
    assert BreakerState.objects.get().forced == ""
