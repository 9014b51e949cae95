"""`/control/v1/canaries[/{route}]`: who may look, who may steer, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from resilience.canaries import Wanted
from resilience.canary import CanaryPolicy
from routing.canarying import begin
from tests.support.endpoints import Endpoints, account, let_view

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ALL = "/control/v1/canaries"
ONE = f"{ALL}/r"


@pytest.fixture(autouse=True)
def canary() -> None:
    begin("r", Wanted(CanaryPolicy(), "new", "m"), 1, 1_700_000_000.0)


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


@pytest.fixture
def token(client: Endpoints) -> str:
    user = account("anna", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="operate", content_type__app_label="routing"))
    return str(client.signed_in("anna")["access"])


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_an_operator_steers(client: Endpoints, token: str) -> None:
    """The answer is the canary as it is now; its history says who and why."""
    for word, state in (
        ("pause", "paused"),
        ("resume", "running"),
        ("promote", "promoted"),
        ("rollback", "rolled_back"),
        ("restart", "running"),
    ):
        found = client.send(ONE, {"word": word, "reason": "drill"}, token=token)
        assert (found.status_code, found.json()["state"], found.json()["by"]) == (200, state, "anna")
    shown = client.ask(ONE, token=token).json()
    assert [each["state"] for each in shown.pop("history")][:2] == ["running", "rolled_back"]
    assert client.ask(ALL, token=token).json()["canaries"] == [shown]


def test_what_is_refused(client: Endpoints, token: str) -> None:
    """What nobody knows, what means nothing there, and what is no word."""
    assert code(client.ask(f"{ALL}/x", token=token))[0] == 404
    assert code(client.send(f"{ALL}/x", {"word": "pause"}, token=token))[0] == 404
    assert code(client.send(ONE, {"word": "resume"}, token=token))[0] == 400
    assert code(client.send(ONE, {"word": "explode"}, token=token))[0] == 400


def test_others_may_look_or_not_even_that(client: Endpoints) -> None:
    """Staff may look, operators may act."""
    account("bert", is_staff=True)
    account("carl")
    assert code(Endpoints().send(ONE, {"word": "pause"}))[0] == 401
    bert, carl = (str(client.signed_in(name)["access"]) for name in ("bert", "carl"))
    assert code(client.ask(ALL, token=bert))[0] == 403
    let_view("bert")
    assert client.ask(ALL, token=bert).status_code == 200
    assert code(client.send(ONE, {"word": "pause"}, token=bert))[0] == 403
    assert code(client.ask(ONE, token=carl))[0] == 403
