"""`/control/v1/sockets`: who may look, who may end connections, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from realtime.models import SocketEnding
from tests.support.endpoints import Endpoints, account
from tests.support.livesockets import live, live_route

pytestmark = [pytest.mark.store, pytest.mark.django_db]
SOCKETS = "/control/v1/sockets"
END = f"{SOCKETS}/end"


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


def token(client: Endpoints, name: str, *, staff: bool = True, permission: str = "operate") -> str:
    user = account(name, is_staff=staff)
    user.user_permissions.add(Permission.objects.get(codename=permission, content_type__app_label="routing"))
    found = str(client.signed_in(name)["access"])
    client.cookies.clear()
    return found


def test_an_operator_sees_and_ends_them(client: Endpoints) -> None:
    """By ids, by route, or all."""
    live_route()
    row = live()
    live(2, route="other")
    anna = token(client, "anna")
    assert len(client.ask(SOCKETS, token=anna).json()["sockets"]) == 2
    (found,) = client.ask(f"{SOCKETS}?route=live", token=anna).json()["sockets"]
    assert (found["id"], found["user"], found["worker"]) == (row.pk, "ada", "w1")
    for order, ended in (
        ({"ids": [row.pk], "reason": "stuck"}, "ada on live, 192.0.2.1"),
        ({"route": "live"}, "all connections of live"),
        ({"all": True}, "all connections"),
    ):
        done = client.send(END, order, token=anna)
        assert done.status_code == 200, done.content
        assert [each["ended"] for each in done.json()["endings"]] == [ended]
    assert SocketEnding.objects.filter(by="anna").count() == 3


@pytest.mark.parametrize(
    "order", [{}, {"ids": [1], "all": True}, {"ids": [99]}, {"route": "nope"}, {"ids": ["x"]}]
)
def test_what_cannot_be_meant_is_refused(client: Endpoints, order: dict[str, Any]) -> None:
    """With the field; nothing is ordered."""
    refused = client.send(END, order, token=token(client, "anna"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert not SocketEnding.objects.exists()


def test_only_operators_end_them(client: Endpoints) -> None:
    """Viewers look, others do neither."""
    viewer = token(client, "vera", permission="view_service")
    assert client.ask(SOCKETS, token=viewer).status_code == 200
    assert client.send(END, {"all": True}, token=viewer).status_code == 403
    other = token(client, "otto", staff=False)
    assert client.ask(SOCKETS, token=other).status_code == 403
    assert client.ask(SOCKETS).status_code == 401
