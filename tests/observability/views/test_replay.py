"""`/control/v1/replay`."""

from typing import Any

import pytest
from django.utils import timezone

from observability.models import KeptRequest
from observability.replay import replaying
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.configuration import route, service, small
from tests.support.control import Control
from tests.support.kept import kept

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ANNA = Actor("anna")


@pytest.fixture
def control() -> Control:
    """Five requests, and a draft that sends all but one elsewhere, which it refuses."""
    apply_document({**small(), "services": [service(), service("users", 8002)]}, actor=ANNA)
    for number in range(5):
        kept(f"/orders/{number}", at=timezone.now(), service="orders").save()
    closed = route("four", "/orders/4", auth={"level": "user"})
    apply_document({"version": 1, "routes": [route(to="users"), closed]}, actor=ANNA, draft=True)
    return Control(group="viewer")


def ask(control: Control, **body: Any) -> Any:
    return control.call("POST", "replay", body)


def test_numbers_groups_and_the_list(control: Control) -> None:
    """Of the draft, of the last hour, where nothing is said."""
    found = ask(control).json()
    assert (found["against"], found["live"], found["replayed"], found["complete"]) == ("draft", 1, 5, True)
    assert found["counts"] == {
        "same": 0, "elsewhere": 4, "refused": 1, "admitted": 0, "refused_otherwise": 0, "unknown": 0
    }  # fmt: skip
    assert [group["count"] for group in found["groups"]] == [4, 1]
    refused = found["requests"][0]
    assert (refused["url"], refused["kind"], refused["after"]["code"]) == (
        "/orders/4",
        "refused",
        "AUTH_ERROR",
    )
    assert refused["id"] == KeptRequest.objects.get(path="/orders/4").pk
    assert ask(control, against=1).json()["counts"]["same"] == 5


def test_pages_of_one_kind(control: Control) -> None:
    """They stay those of the requests that were there at first."""
    first = ask(control, kind="elsewhere", page_size=3).json()
    kept("/orders/9", at=timezone.now(), service="orders").save()
    second = ask(control, kind="elsewhere", page_size=3, cursor=first["next"]).json()
    urls = [each["url"] for found in (first, second) for each in found["requests"]]
    assert urls == ["/orders/3", "/orders/2", "/orders/1", "/orders/0"]
    assert (second["replayed"], second["next"]) == (5, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"against": "live"}, "against"),
        ({"against": 0}, "against"),
        ({"last": "soon"}, "last"),
        ({"limit": 10_001}, "limit"),
        ({"kind": "same"}, "kind"),
        ({"cursor": "!"}, "cursor"),
        ({"cursor": "MQ"}, "cursor"),
        ({"agianst": "draft"}, "agianst"),
    ],
)
def test_what_is_asked_wrongly_is_told_by_field(control: Control, body: dict[str, Any], field: str) -> None:
    """400."""
    answer = ask(control, **body)
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, [field])


def test_refusals(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown revision; somebody without the right; another replay that takes long."""
    assert ask(control, against=99).status_code == 404
    assert ask(Control("nobody")).status_code == 403
    monkeypatch.setattr(replaying, "WAIT_S", 0.01)
    with replaying._lock:
        busy = ask(control)
    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
