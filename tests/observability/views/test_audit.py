"""`/control/v1/audit`, page after page."""

import pytest

from observability.audit import finding
from routing.auditing import Deed, record
from tests.support.endpoints import PASSWORD, Endpoints
from tests.support.endpoints import account as ordinary

pytestmark = pytest.mark.django_db


@pytest.fixture
def token() -> str:
    user = ordinary("anna")
    user.is_staff = user.is_superuser = True
    user.set_password(PASSWORD)
    user.save()
    client = Endpoints()
    return str(client.signed_in("anna")["access"])


def test_pages(token: str) -> None:
    for name in ("a", "b", "c"):
        record(Deed("test.deed", (("routes", name),), "anna"))
    client = Endpoints()
    first = client.ask("/control/v1/audit?limit=2&action=test.deed", token=token).json()
    assert [each["objects"][0]["name"] for each in first["events"]] == ["c", "b"]
    rest = client.ask(f"/control/v1/audit?action=test.deed&cursor={first['next']}", token=token).json()
    assert [each["objects"][0]["name"] for each in rest["events"]] == ["a"]
    assert rest["next"] is None
    older = client.ask(
        f"/control/v1/audit?action=test.deed&before={first['events'][0]['id']}", token=token
    ).json()
    assert [each["objects"][0]["name"] for each in older["events"]] == ["b", "a"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "since=yesterday", "before=x"])
def test_wrong_questions(token: str, query: str) -> None:
    assert Endpoints().ask(f"/control/v1/audit?{query}", token=token).status_code == 400


def test_not_for_everybody() -> None:
    ordinary("carla")
    client = Endpoints()
    other = str(client.signed_in("carla")["access"])
    assert client.ask("/control/v1/audit", token=other).status_code == 403


def test_a_search_goes_on_where_it_stopped(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`further` is the `before` of the next question; the last one is told that it saw all."""
    for name in ("a", "b", "c"):
        record(Deed("test.deed", (("routes", name),), "anna"))
    monkeypatch.setattr(finding, "SEARCHED", 2)
    client, path, names, before = Endpoints(), "/control/v1/audit?text=routes&action=test.deed", [], ""
    while True:
        found = client.ask(path + before, token=token).json()
        names.append([each["objects"][0]["name"] for each in found["events"]])
        if found["further"] is None:
            break
        before = f"&before={found['further']}"
    assert names == [["c", "b"], ["a"]]
