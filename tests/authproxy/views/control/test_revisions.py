"""`/control/v1/revisions…`: the history, what differs, and going back."""

from typing import Any

import pytest

from gateway_project.signin.groups import EDITOR, PUBLISHER, VIEWER
from routing.drafts import Actor
from routing.models import Revision, Route
from routing.publishing import apply_document
from tests.support.configuration import route, small
from tests.support.control import Control

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def publisher() -> Control:
    apply_document(small(), actor=Actor("first"), message="one", source="cli")
    for number in (2, 3):
        part = {"version": 1, "routes": [{**route(), "priority": number}]}
        apply_document(part, actor=Actor("bert"), message=f"to {number}")
    return Control("paul", PUBLISHER)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_the_history_is_listed(publisher: Control) -> None:
    """Newest first, in pages, filtered."""
    page = publisher.call("get", "revisions?limit=2").json()
    assert [each["number"] for each in page["revisions"]] == [3, 2]
    rest = publisher.call("get", f"revisions?limit=2&cursor={page['next']}").json()
    assert ([each["number"] for each in rest["revisions"]], rest["next"], rest["total"]) == ([1], None, 3)
    found = {
        query: [each["number"] for each in publisher.call("get", f"revisions?{query}").json()["revisions"]]
        for query in ("author=bert", "source=cli", "search=TO 3")
    }
    assert found == {"author=bert": [3, 2], "source=cli": [1], "search=TO 3": [3]}


def test_one_is_shown(publisher: Control) -> None:
    """By number, or the live one; with its document."""
    shown = publisher.call("get", "revisions/2").json()
    assert (shown["author"], shown["message"], shown["parent"]) == ("bert", "to 2", 1)
    assert publisher.call("get", "revisions/live").json()["number"] == 3
    document = publisher.call("get", "revisions/1/document")
    assert document.json() == small()
    assert publisher.call("get", "revisions/1/document", if_none_match=document["ETag"]).status_code == 304
    assert b"version: 1" in publisher.call("get", "revisions/1/document?format=yaml").content
    for number, answer in (("9", 404), ("x", 400), ("9" * 30, 400), ("-1", 400), ("0", 404)):
        assert publisher.call("get", f"revisions/{number}").status_code == answer


def test_whose_draft_it_was_is_told(publisher: Control) -> None:
    """Each edit with who, when, how and why; nobody's where it went live at once."""
    apply_document(small(9), actor=Actor("anna"), message="nine", source="cli", draft=True)
    assert publisher.call("post", "draft/publish", {}).status_code == 200
    (edit,) = publisher.call("get", "revisions/live").json()["edits"]
    assert (edit["author"], edit["source"], edit["message"], edit["at"][-1]) == ("anna", "cli", "nine", "Z")
    assert publisher.call("get", "revisions/3").json()["edits"] == []


def test_two_are_compared(publisher: Control) -> None:
    """Any with any, and with the draft."""

    def changes(query: str) -> list[tuple[str, Any, Any]]:
        found = publisher.call("get", f"revisions/{query}").json()["changes"]["entries"]
        return [
            (each["path"], each.get("before"), each.get("after"))
            for entry in found
            for each in entry["fields"]
        ]

    assert changes("3/diff") == [("priority", 2, 3)]
    assert changes("3/diff?against=1") == [("priority", None, 3)]
    assert changes("draft/diff") == []
    apply_document({"version": 1, "routes": [{**route(), "priority": 9}]}, actor=Actor("x"), draft=True)
    assert changes("draft/diff") == [("priority", 3, 9)]
    assert (
        publisher.call("get", "revisions/1/diff").json()["changes"]["summary"]
        == "1 service added; 1 route added"
    )
    assert code(publisher.call("get", "revisions/3/diff?against=7")) == (404, "NOT_FOUND")


def test_going_back_is_a_new_revision(publisher: Control) -> None:
    """Refused while there is a draft, and to whoever may not publish."""
    done = publisher.call("post", "revisions/1/rollback?message=oops")
    assert (done.status_code, done.json()["outcome"], done.json()["revision"]) == (200, "published", 4)
    row = Revision.objects.get(number=4)
    assert (row.author, row.message, Route.objects.get().priority) == ("paul", "oops", None)
    assert publisher.call("post", "revisions/1/rollback").json()["outcome"] == "unchanged"
    assert code(publisher.call("post", "revisions/9/rollback")) == (404, "NOT_FOUND")

    apply_document({"version": 1, "routes": [{**route(), "priority": 9}]}, actor=Actor("x"), draft=True)
    assert code(publisher.call("post", "revisions/2/rollback")) == (409, "CONFLICT")
    for name, group in (("vera", VIEWER), ("ed", EDITOR)):
        other = Control(name, group)
        assert other.call("get", "revisions").status_code == 200
        assert code(other.call("post", "revisions/1/rollback")) == (403, "FORBIDDEN")
    assert code(Control("nora").call("get", "revisions"))[0] == 403
