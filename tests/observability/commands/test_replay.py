"""`gateway replay`."""

import json
import re
from pathlib import Path

import pytest
from django.utils import timezone

from observability.replay.judging import KINDS
from observability.views.replay import ReplayOrder
from routing.drafts import Actor
from routing.publishing import apply_document
from tests.support.cli import gateway
from tests.support.configuration import route, service, small
from tests.support.kept import kept

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ANNA = Actor("anna")


@pytest.fixture(autouse=True)
def world() -> None:
    """Seven requests, and a draft that sends them elsewhere, but for one that it refuses."""
    apply_document({**small(), "services": [service(), service("users", 8002)]}, actor=ANNA)
    for number in range(7):
        kept(f"/orders/{number}", at=timezone.now(), service="orders").save()
    closed = route("six", "/orders/6", auth={"level": "user"})
    routes = [route(to="users"), closed]
    apply_document({"version": 1, "routes": routes}, actor=ANNA, draft=True)


def test_the_numbers_and_the_list() -> None:
    """3 where something differs; of many that are alike the first five are shown."""
    ran = gateway("replay", "--against", "draft", "--last", "1h", "--limit", "10000")
    lines = ran.out.splitlines()
    assert (ran.code, ran.err) == (3, "")
    assert lines[0].endswith("by the draft instead of revision 1: 6 would go elsewhere, 1 would be refused.")
    assert lines[1] == "6 × orders → orders ⇒ orders → users: to users instead of orders"
    assert lines[2].startswith("  GET api.test/orders/5  ")
    assert lines[7] == "  … and 1 more"
    assert "401 AUTH_ERROR by six" in lines[8]


def test_nothing_differs() -> None:
    """0; as it is with what is live itself."""
    ran = gateway("replay", "--against", "1")
    assert (ran.code, ran.out) == (
        0,
        "Of 7 kept requests, by revision 1 instead of revision 1: all would be the same.\n",
    )


def test_for_programs() -> None:
    """All of them, or of one kind."""
    ran = gateway("replay", "--json", "--kind", "refused")
    assert (ran.code, ran.data["counts"]["elsewhere"], len(ran.data["requests"])) == (3, 6, 1)
    assert ran.data["requests"][0]["after"]["code"] == "AUTH_ERROR"
    assert len(gateway("replay", "--json", "--limit", "3").data["requests"]) == 3


def test_no_such_revision() -> None:
    """In one line."""
    ran = gateway("replay", "--against", "99")
    assert (ran.code, ran.err) == (1, "There is no revision 99.\n")


def test_kinds_and_the_order_of_the_document() -> None:
    """As docs/replay.md has them."""
    text = (Path(__file__).resolve().parents[3] / "docs/replay.md").read_text()
    table = text.partition("| kind | means |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(KINDS)
    body = re.search(r"^    (\{.*\})$", text, re.MULTILINE)
    assert body is not None
    asked = ReplayOrder(data=json.loads(body[1]))
    assert asked.is_valid(), asked.errors
