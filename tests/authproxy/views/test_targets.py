"""`/control/v1/services/{service}/targets`: who may look, put one back or drain it, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from resilience.models import TargetReadmission
from routing.models import Revision
from tests.support.endpoints import Endpoints, account, let_view
from tests.support.standings import A, B, checked, ejected, shop

pytestmark = [pytest.mark.store, pytest.mark.django_db]
TARGETS = "/control/v1/services/shop/targets"
READMIT = f"{TARGETS}/readmit"
DRAIN = f"{TARGETS}/drain"


@pytest.fixture(autouse=True)
def world() -> None:
    shop()
    checked(A)
    ejected(B)


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


def token(client: Endpoints, name: str, *, staff: bool = True, operates: bool = False) -> str:
    user = account(name, is_staff=staff)
    if operates:
        user.user_permissions.add(
            Permission.objects.get(codename="operate", content_type__app_label="routing")
        )
    found = str(client.signed_in(name)["access"])
    client.cookies.clear()
    return found


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_an_operator_puts_one_back(client: Endpoints) -> None:
    """The answer is the order; who asks afterwards sees that it is back."""
    anna = token(client, "anna", operates=True)
    states = [each["state"] for each in client.ask(TARGETS, token=anna).json()["targets"]]
    assert states == ["unhealthy", "ejected"]
    for url in (A, B):
        done = client.send(READMIT, {"url": url, "reason": "fixed"}, token=anna)
        assert done.status_code == 200
        assert {**done.json(), "at": ""} == {
            "service": "shop", "url": url, "by": "anna", "reason": "fixed", "at": "",
        }  # fmt: skip
    assert TargetReadmission.objects.filter(by="anna", reason="fixed").count() == 2
    states = [each["state"] for each in client.ask(TARGETS, token=anna).json()["targets"]]
    assert states == ["unchecked", "unchecked"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": ""}, "url"),
        ({"url": "http://c:1"}, "url"),
        ({"url": A, "reason": "x" * 501}, "reason"),
        ({"url": ["a"]}, "url"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Endpoints, body: dict[str, Any], field: str) -> None:
    """With the field that is wrong."""
    refused = client.send(READMIT, body, token=token(client, "anna", operates=True))
    assert code(refused) == (400, "VALIDATION_ERROR")
    assert list(refused.json()["error"]["details"]) == [field]
    assert not TargetReadmission.objects.exists()


def test_an_unknown_service_is_not_found(client: Endpoints) -> None:
    """Neither to look at nor to steer; a name that none can have is refused."""
    anna = token(client, "anna", operates=True)
    for name, status in (("shpo", 404), ("sh%00p", 400)):
        path = f"/control/v1/services/{name}/targets"
        assert client.ask(path, token=anna).status_code == status
        assert client.send(f"{path}/readmit", {"url": A}, token=anna).status_code == status


def test_only_staff_may_look_and_only_operators_may_steer(client: Endpoints) -> None:
    """As in admin."""
    assert code(client.send(READMIT, {"url": A})) == (401, "AUTH_ERROR")
    bert = token(client, "bert", staff=False)
    assert code(client.ask(TARGETS, token=bert)) == (403, "FORBIDDEN")
    vera = token(client, "vera")
    assert code(client.ask(TARGETS, token=vera))[0] == 403
    let_view("vera")
    assert client.ask(TARGETS, token=vera).status_code == 200
    assert code(client.send(READMIT, {"url": A}, token=vera)) == (403, "FORBIDDEN")
    assert not TargetReadmission.objects.exists()


def test_an_operator_drains_one(client: Endpoints) -> None:
    """It is a revision; whoever may only look is refused, and what is not there is told by field."""
    anna = token(client, "anna", operates=True)
    done = client.send(DRAIN, {"url": A, "reason": "old disks"}, token=anna)
    assert done.json() == {
        "service": "shop", "url": A, "drain": True, "outcome": "published", "revision": 1,
    }  # fmt: skip
    row = Revision.objects.get()
    assert (row.author, row.message, bool(row.user_id)) == ("anna", "old disks", True)
    again = client.send(DRAIN, {"url": A, "drain": False}, token=anna).json()
    assert (again["drain"], again["outcome"]) == (False, "published")
    refused = client.send(DRAIN, {"url": "http://c:1"}, token=anna)
    assert list(refused.json()["error"]["details"]) == ["url"]
    token(client, "vera")
    let_view("vera")
    vera = str(client.signed_in("vera")["access"])
    assert code(client.send(DRAIN, {"url": A}, token=vera)) == (403, "FORBIDDEN")
    assert Revision.objects.count() == 2
