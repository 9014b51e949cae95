"""`/control/v1/bus/…`: what waits for the message hub, what could not be handled, and what operators do about it."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authproxy.moments import rfc3339
from realtime.bus import kept
from realtime.models import DeadLetter, WaitingEvent
from resilience.rows.breakers import REASON_LENGTH
from tests.support.adminpages import signed_in
from tests.support.buses import message
from tests.support.control import Control
from tests.support.trail import events, newest

pytestmark = [pytest.mark.store, pytest.mark.django_db]
DEAD = "bus/dead-letters"
WAITING = "bus/waiting-events"
BODY = b'{"token":"hunter2","x":1}'


@pytest.fixture
def otto() -> Control:
    return Control("otto", group="operator")


def letter(number: int = 1, *, direction: str = "in", **more: Any) -> DeadLetter:
    kept.bury(message(number, **{"body": BODY, **more}), "no use", direction)
    return DeadLetter.objects.latest("pk")


def test_what_waits_is_listed_in_its_order(otto: Control) -> None:
    """Without bodies; one of them has the beginning of its body, and no secret."""
    kept.put([message(1, headers={"x-consumer": "ada"}, body=BODY), message(2, topic="c.d")])
    first = WaitingEvent.objects.get(event_id="e1")
    shown = {
        "id": first.pk,
        "event_id": "e1",
        "topic": "a.b",
        "at": rfc3339(first.at),
        "time": "2026-01-01T00:00:00.000Z",
        "content_type": "application/json",
        "headers": {"x-consumer": "ada"},
        "bytes": len(BODY),
    }
    found = otto.call("get", WAITING).json()
    assert (found["events"][0], found["events"][1]["event_id"], found["total"]) == (shown, "e2", 2)
    assert [each["event_id"] for each in otto.call("get", f"{WAITING}?search=C.D").json()["events"]] == ["e2"]
    page = otto.call("get", f"{WAITING}?limit=1").json()
    second = otto.call("get", f"{WAITING}?limit=1&cursor={page['next']}").json()
    assert ([each["event_id"] for each in second["events"]], second["next"]) == (["e2"], None)
    one = otto.call("get", f"{WAITING}/{first.pk}")
    assert one.json() == {**shown, "body": '{"token":"…","x":1}'}
    assert otto.call("get", f"{WAITING}/{first.pk}", if_none_match=one["ETag"]).status_code == 304


def test_dead_letters_say_why(otto: Control) -> None:
    """The latest first, narrowed by where they went and by words."""
    inward, outward = letter(1), letter(2, direction="out")
    found = otto.call("get", DEAD).json()
    assert [each["id"] for each in found["letters"]] == [outward.pk, inward.pk]
    assert (found["letters"][1]["direction"], found["letters"][1]["reason"]) == ("in", "no use")
    assert "body" not in found["letters"][1]
    for query, ids in (
        ("direction=out", [outward.pk]),
        ("search=e1", [inward.pk]),
        ("search=NO+USE", [outward.pk, inward.pk]),
        ("search=more", []),
    ):
        assert [each["id"] for each in otto.call("get", f"{DEAD}?{query}").json()["letters"]] == ids
    page = otto.call("get", f"{DEAD}?limit=1")
    behind = otto.call("get", f"{DEAD}?cursor={page.json()['next']}").json()
    assert [each["id"] for each in behind["letters"]] == [inward.pk]
    assert otto.call("get", f"{DEAD}?limit=1", if_none_match=page["ETag"]).status_code == 304
    assert otto.call("get", f"{DEAD}/{inward.pk}").json()["body"] == '{"token":"…","x":1}'


def test_a_list_does_not_read_bodies(otto: Control) -> None:
    """They may be a megabyte each; nor is there a query for each row."""
    for number in range(4):
        letter(number)
    with CaptureQueriesContext(connection) as queries:
        assert len(otto.call("get", DEAD).json()["letters"]) == 4
    asked = [each["sql"] for each in queries if "realtime_deadletter" in each["sql"]]
    assert ["body" in sql for sql in asked] == [False, False], asked  # how many there are, and the page


def test_an_operator_sends_one_again(otto: Control) -> None:
    """If it is the one that was looked at; it waits for the hub then, with its whole body."""
    row = letter()
    tag = otto.call("get", f"{DEAD}/{row.pk}")["ETag"]
    assert otto.call("post", f"{DEAD}/{row.pk}/send", {}, if_match='"other"').status_code == 412
    sent = otto.call("post", f"{DEAD}/{row.pk}/send", {"reason": "the hub is mended"}, if_match=tag)
    assert (sent.status_code, sent.json()) == (202, {"event_id": "e1", "topic": "a.b"})
    assert [each.body for _, each in kept.first(9)] == [BODY]
    assert not DeadLetter.objects.exists()
    assert otto.call("post", f"{DEAD}/{row.pk}/send", {}).status_code == 404


def test_what_cannot_be_sent_stays(otto: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """409 says what stands against it."""
    row = letter()
    monkeypatch.setattr(kept, "MOST_EVENTS", 0)
    refused = otto.call("post", f"{DEAD}/{row.pk}/send", {})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "CONFLICT")
    assert "no room" in refused.json()["error"]["message"]
    monkeypatch.setattr(kept, "MOST_DEAD_BODY", 10)
    large = letter(2, body=b"x" * 600)
    refused = otto.call("post", f"{DEAD}/{large.pk}/send", {})
    assert (refused.status_code, "not kept" in refused.json()["error"]["message"]) == (409, True)
    assert list(DeadLetter.objects.order_by("pk")) == [row, large]


def test_an_operator_throws_one_away(otto: Control) -> None:
    row, other = letter(1), letter(2)
    tag = otto.call("get", f"{DEAD}/{row.pk}")["ETag"]
    assert otto.call("delete", f"{DEAD}/{row.pk}", if_match='"other"').status_code == 412
    assert otto.call("delete", f"{DEAD}/{row.pk}?reason=old", if_match=tag).status_code == 204
    assert list(DeadLetter.objects.all()) == [other]
    assert otto.call("delete", f"{DEAD}/{row.pk}").status_code == 404


def test_both_orders_take_as_long_a_reason(otto: Control) -> None:
    """It is in the trail whole; a longer one is refused."""
    one, two, start, reason = letter(1), letter(2), newest(), "x" * REASON_LENGTH
    assert otto.call("post", f"{DEAD}/{one.pk}/send", {"reason": f"{reason}x"}).status_code == 400
    assert otto.call("delete", f"{DEAD}/{two.pk}?reason={reason}x").status_code == 400
    assert otto.call("post", f"{DEAD}/{one.pk}/send", {"reason": reason}).status_code == 202
    assert otto.call("delete", f"{DEAD}/{two.pk}?reason={reason}").status_code == 204
    assert [each["reason"] for each in events(after=start)] == [reason, reason]


def test_the_trail_has_what_admin_writes(otto: Control) -> None:
    """One event for each, alike but for the door."""
    browser = signed_in("anna", permissions=("routing.operate",))
    told: list[list[Any]] = []
    for way in ("admin", "api"):
        one, two, start = letter(1), letter(2), newest()
        if way == "admin":
            for row, word in ((one, "send-again"), (two, "throw-away")):
                data = {"_form_submitted": "True", "reason": "why not"}
                browser.post(f"/admin/realtime/deadletter/{row.pk}/{word}/", data)
        else:
            otto.call("post", f"{DEAD}/{one.pk}/send", {"reason": "why not"})
            otto.call("delete", f"{DEAD}/{two.pk}?reason=why+not")
        names = ("action", "objects", "reason", "details", "changes")
        told.append([[each.get(name) for name in names] for each in events(after=start)])
        who = [each["actor"] for each in events(after=start)]
        assert who == ["anna" if way == "admin" else "otto"] * 2
    assert told[0] == told[1]
    assert [each[0] for each in told[0]] == ["bus.send_again", "bus.throw_away"]
    assert {each[2] for each in told[0]} == {"why not"}


@pytest.mark.parametrize("path", [DEAD, WAITING])
@pytest.mark.parametrize("query", ["direction=x", "cursor=x", "limit=0", "other=1"])
def test_what_is_no_filter_is_refused(path: str, query: str, otto: Control) -> None:
    assert otto.call("get", f"{path}?{query}").status_code == 400


@pytest.mark.parametrize("number", [999, 2**63, 10**30])
def test_what_is_not_there(number: int, otto: Control) -> None:
    """404 with the number, however large it is."""
    for method, path in (
        ("get", f"{WAITING}/{number}"),
        ("get", f"{DEAD}/{number}"),
        ("delete", f"{DEAD}/{number}"),
        ("post", f"{DEAD}/{number}/send"),
    ):
        answer = otto.call(method, path, {} if method == "post" else None)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
        assert str(number) in answer.json()["error"]["message"]


def test_who_may(otto: Control) -> None:
    """As in admin: viewers look, operators act, others do neither."""
    row = letter()
    viewer, nobody = Control("vera", group="viewer"), Control("nora")
    for path in (DEAD, WAITING, f"{DEAD}/{row.pk}"):
        assert viewer.call("get", path).status_code == 200
        assert nobody.call("get", path).status_code == 403
    for caller in (viewer, nobody):
        assert caller.call("post", f"{DEAD}/{row.pk}/send", {}).status_code == 403
        assert caller.call("delete", f"{DEAD}/{row.pk}").status_code == 403
    assert DeadLetter.objects.get() == row
