"""`/control/v1/cache/purge`: who may purge, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from resilience.models import CachePurge
from routing.models import Route
from tests.support.endpoints import Endpoints, account

pytestmark = [pytest.mark.store, pytest.mark.django_db]
PURGE = "/control/v1/cache/purge"


@pytest.fixture(autouse=True)
def world() -> None:
    Route.objects.create(name="shop", destination="respond", respond={"status": 200})


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


def token(client: Endpoints, name: str, *, staff: bool = True, operates: bool = False) -> str:
    user = account(name, is_staff=staff)
    if operates:
        permissions = Permission.objects.filter(codename="operate", content_type__app_label="routing")
        user.user_permissions.add(*permissions)
    found = str(client.signed_in(name)["access"])
    client.cookies.clear()
    return found


@pytest.mark.parametrize(
    ("order", "kinds"),
    [
        ({"routes": ["shop"]}, [("route", "shop")]),
        ({"tags": ["A", "b"]}, [("tag", "a"), ("tag", "b")]),
        ({"urls": ["/x?y"]}, [("url", "/x?y")]),
        ({"all": True}, [("all", None)]),
    ],
)
def test_an_operator_purges(client: Endpoints, order: dict[str, Any], kinds: list[Any]) -> None:
    """The answer says what was ordered."""
    done = client.send(PURGE, {**order, "reason": "why"}, token=token(client, "anna", operates=True))

    assert done.status_code == 200
    purged = done.json()["purged"]
    assert [(each["kind"], each["value"]) for each in purged] == kinds
    assert {(each["by"], each["reason"]) for each in purged} == {("anna", "why")}


@pytest.mark.parametrize(
    ("order", "field"),
    [
        ({}, "all"),
        ({"all": False}, "all"),
        ({"all": True, "tags": ["a"]}, "all"),
        ({"routes": ["shop"], "tags": ["a"]}, "all"),
        ({"tags": []}, "tags"),
        ({"tags": "a"}, "tags"),
        ({"tags": ["a b"]}, "tags"),
        ({"urls": ["ftp://x"]}, "urls"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Endpoints, order: dict[str, Any], field: str) -> None:
    """With the field that is wrong."""
    refused = client.send(PURGE, order, token=token(client, "anna", operates=True))

    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(refused.json()["error"]["details"]) == [field]
    assert not CachePurge.objects.exists()


def test_an_unknown_route_is_not_found(client: Endpoints) -> None:
    """With what was probably meant."""
    refused = client.send(PURGE, {"routes": ["shopp"]}, token=token(client, "anna", operates=True))

    assert refused.status_code == 404
    assert "did you mean" in refused.json()["error"]["message"]


def test_only_operators_purge(client: Endpoints) -> None:
    """Staff that may not, callers that are no staff, and nobody."""
    staff, user = token(client, "vera"), token(client, "uli", staff=False)
    asked = [client.send(PURGE, {"all": True}, token=each) for each in (staff, user)]

    assert [each.status_code for each in asked] == [403, 403]
    assert client.send(PURGE, {"all": True}).status_code == 401
    assert not CachePurge.objects.exists()
