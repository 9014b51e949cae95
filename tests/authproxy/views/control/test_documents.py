"""`/control/v1/document`: out and in again, as JSON and as YAML; all or nothing."""

from typing import Any

import pytest

from gateway_project.signin.groups import EDITOR, OPERATOR
from routing.drafts import Actor
from routing.models import Revision, Route
from routing.publishing import apply_document
from tests.support.configuration import route, service, small
from tests.support.control import V1, Control

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def editor() -> Control:
    apply_document(small(), actor=Actor("first"))
    return Control("ada", EDITOR)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_out_and_in_again(editor: Control) -> None:
    """The same document changes nothing, in either form."""
    exported = editor.call("get", "document")
    assert exported.json() == small()
    assert editor.call("get", "document", if_none_match=exported["ETag"]).status_code == 304
    assert editor.call("put", "document", exported.json()).json()["outcome"] == "unchanged"
    text = editor.call("get", "document?format=yaml")
    assert text["Content-Type"].startswith("application/yaml")
    headers = {"authorization": f"Bearer {editor.token}"}
    back = editor.put(f"{V1}/document", text.content, content_type="application/yaml", headers=headers)
    assert (back.status_code, back.json()["outcome"]) == (200, "unchanged")
    assert Revision.objects.count() == 1


def test_what_is_not_named_stays_unless_pruned(editor: Control) -> None:
    """As `gateway apply` does it."""
    part = {"version": 1, "routes": [route("new", "/new")]}
    told = editor.call("post", "document?dry_run=true", part).json()
    assert (told["outcome"], told["changes"]["summary"]) == ("previewed", "1 route added")
    done = editor.call("put", "document?message=more", part)
    assert (done.status_code, done.json()["outcome"], done.json()["revision"]) == (200, "published", 2)
    assert Route.objects.count() == 2
    whole = {**small(), "routes": [route()]}
    assert editor.call("put", "document?prune=true", whole).json()["pruned"] == ["routes new"]
    assert Route.objects.count() == 1
    drafted = editor.call("put", "document?draft=true", part)
    assert (drafted.status_code, drafted.json()["outcome"]) == (202, "drafted")


def test_a_tag_guards_the_whole(editor: Control) -> None:
    """Whoever saw an earlier state is refused."""
    tag = editor.call("get", "document")["ETag"]
    part = {"version": 1, "routes": [route("new", "/new")]}
    assert editor.call("put", "document", part, if_match=tag).status_code == 200
    refused = editor.call("put", "document", {"version": 1, "routes": [route("more", "/more")]}, if_match=tag)
    assert code(refused) == (412, "PRECONDITION_FAILED")
    assert Revision.objects.count() == 2


@pytest.mark.parametrize("body", [b"[1]", b"a: [", b'{"version": 2}', b"\xff", b"routes: 7", b'"text"'])
def test_what_is_no_document_is_refused(editor: Control, body: bytes) -> None:
    """With its place."""
    headers = {"authorization": f"Bearer {editor.token}"}
    for kind in ("application/json", "application/yaml"):
        refused = editor.put(f"{V1}/document", body, content_type=kind, headers=headers)
        assert code(refused) == (400, "VALIDATION_ERROR")
        assert refused.json()["error"]["details"]["problems"]
    assert Revision.objects.count() == 1


def test_all_faults_are_told_at_once(editor: Control) -> None:
    """Each with its place."""
    routes = [route("a", "/a"), route("b", "/b", "ordrs"), {"name": "c"}]
    refused = editor.call("put", "document", {"version": 1, "routes": routes}).json()["error"]
    assert [each["path"] for each in refused["details"]["problems"]] == ["routes[1].service", "routes[2]"]
    assert refused["details"]["count"] == 2
    assert not Route.objects.filter(name="a").exists()


def test_every_part_takes_its_right(editor: Control) -> None:
    """An editor changes no roles; who may change nothing is refused before the document is read."""
    part = {"version": 1, "services": [service("more", 9000)], "roles": [{"name": "r", "scopes": ["a"]}]}
    assert code(editor.call("put", "document", part)) == (403, "FORBIDDEN")
    assert Revision.objects.count() == 1
    operator = Control("olga", OPERATOR)
    assert operator.call("get", "document").status_code == 200
    assert code(operator.call("put", "document", {"version": 7})) == (403, "FORBIDDEN")


def test_a_source_prunes_only_its_own(editor: Control) -> None:
    """What it names it owns; the others' is refused until it takes that over, and lists and exports go by it."""
    ours = {"version": 1, "routes": [route("a", "/a"), route("b", "/b")]}
    assert editor.call("put", "document?managed_by=ci", ours).status_code == 200
    rest = {"version": 1, "routes": [route("a", "/a")]}
    assert editor.call("put", "document?managed_by=ci&prune=true", rest).json()["pruned"] == ["routes b"]
    assert dict(Route.objects.values_list("name", "managed_by")) == {"a": "ci", "orders": None}
    assert [each["name"] for each in editor.call("get", "document?managed_by=ci").json()["routes"]] == ["a"]
    assert [each["name"] for each in editor.call("get", "routes?managed_by=ci").json()["routes"]] == ["a"]
    theirs = {"version": 1, "routes": [route()]}
    refused = editor.call("put", "document?managed_by=ci", theirs)
    assert code(refused) == (400, "VALIDATION_ERROR")
    (problem,) = refused.json()["error"]["details"]["problems"]
    assert (problem["id"], problem["path"]) == ("gateway.E049", "routes[0].managed_by")
    assert editor.call("put", "document?managed_by=ci&take_over=true", theirs).status_code == 200
    assert Route.objects.get(name="orders").managed_by == "ci"
    assert code(editor.call("put", "document?take_over=true", theirs)) == (400, "VALIDATION_ERROR")


def test_an_entry_keeps_its_mark_until_it_is_taken_away(editor: Control) -> None:
    """However it is replaced; null takes it away."""
    editor.call("put", "document?managed_by=ci", {"version": 1, "routes": [route("a", "/a")]})
    assert editor.call("put", "routes/a", route("a", "/other")).json()["managed_by"] == "ci"
    assert editor.call("patch", "routes/a", {"enabled": False}).json()["managed_by"] == "ci"
    assert "managed_by" not in editor.call("patch", "routes/a", {"managed_by": None}).json()
    assert Route.objects.get(name="a").managed_by is None
