"""`/control/v1/traffic`: the figures of a range, and what is refused."""

import time

import pytest
from django.contrib.auth.models import Permission

from tests.support.endpoints import Endpoints, account
from tests.support.traffic_rows import Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db]
TRAFFIC = "/control/v1/traffic"


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


def token(client: Endpoints, name: str, *, staff: bool = True, permission: str = "view_service") -> str:
    user = account(name, is_staff=staff)
    user.user_permissions.add(Permission.objects.get(codename=permission, content_type__app_label="routing"))
    found = str(client.signed_in(name)["access"])
    client.cookies.clear()
    return found


def test_a_viewer_sees_figures(client: Endpoints) -> None:
    """Of everything, of a service, of a route."""
    worker = Worker(now=time.time())
    worker.serve(7, route="a", service="s1", consumer="ann", connects=(2, 0.02))
    worker.serve(3, route="b", service="s2", status=503, code="CIRCUIT_OPEN")
    worker.write()
    anna = token(client, "anna")
    found = client.ask(TRAFFIC, token=anna).json()
    assert (found["range"], found["step"], found["of"]) == ("1h", 60, {"scope": "all", "name": ""})
    assert (found["totals"]["requests"], found["totals"]["errors"]) == (10, 3)
    assert found["codes"] == [{"code": "CIRCUIT_OPEN", "count": 3}]
    assert [row["name"] for row in found["top"]["routes"]] == ["a", "b"]
    assert found["totals"]["connects"]["requests"] == 2
    of_route = client.ask(f"{TRAFFIC}?range=24h&route=a", token=anna).json()["totals"]
    assert of_route["requests"] == 7
    assert "connects" not in of_route
    found = client.ask(f"{TRAFFIC}?service=s2&top=1", token=anna).json()
    assert (found["totals"]["errors"], found["totals"]["connects"]["requests"]) == (3, 0)
    assert client.ask(f"{TRAFFIC}?route=nothing", token=anna).json()["totals"]["requests"] == 0


@pytest.mark.parametrize(
    "query", ["range=2h", "route=a&service=b", "top=0", "top=101", "route=%00", f"route={'x' * 101}"]
)
def test_what_cannot_be_meant_is_refused(client: Endpoints, query: str) -> None:
    refused = client.ask(f"{TRAFFIC}?{query}", token=token(client, "anna"))
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_only_staff_that_may_look(client: Endpoints) -> None:
    assert client.ask(TRAFFIC).status_code == 401
    assert client.ask(TRAFFIC, token=token(client, "bob", staff=False)).status_code == 403
    assert client.ask(TRAFFIC, token=token(client, "eve", permission="view_plan")).status_code == 403
