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
