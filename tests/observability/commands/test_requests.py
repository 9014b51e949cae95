"""`gateway requests`."""

import json

import pytest

from observability.models import KeptRequest
from tests.support.cli import gateway
from tests.support.kept import kept, refused

pytestmark = pytest.mark.django_db


def test_list_and_show() -> None:
    """By anything; one by the id that a client has, with the reason in words."""
    kept("/fine", request_id="fine").save()
    kept("/bad", request_id="bad", **refused("FORBIDDEN", 403, missing_scopes=["a"])).save()

    assert [each["path"] for each in json.loads(gateway("requests", "list", "--json").out)] == [
        "/bad",
        "/fine",
    ]
    assert "/bad" in gateway("requests", "list", "--status", "4xx").out
    assert "/fine" not in gateway("requests", "list", "--status", "4xx").out
    assert "lacks the scope a." in gateway("requests", "show", "bad").out
    assert json.loads(gateway("requests", "show", "bad", "--json").out)["refusal"]["status"] == 403


def test_refusals_are_one_line() -> None:
    """Nothing is half done."""
    assert gateway("requests", "show", "nobody").err == 'no request "nobody" was kept\n'
    assert gateway("requests", "list", "--status", "9").err == "--status '9': want 404, or 4xx\n"


def test_tail_tells_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before is not told."""
    kept("/old").save()
    rounds = iter(["/a", "/b", None])

    def sleep(_: float) -> None:
        path = next(rounds)
        if path is None:
            raise KeyboardInterrupt
        kept(path).save()

    monkeypatch.setattr("observability.commands.requests.time.sleep", sleep)
    told = gateway("requests", "tail", "--json").out.splitlines()

    assert [json.loads(line)["path"] for line in told] == ["/a", "/b"]
    assert KeptRequest.objects.count() == 3
