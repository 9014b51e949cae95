"""`/control/v1/{kind}[/{name}]`: made, replaced, patched, removed; one revision each, or none."""

from dataclasses import replace
from typing import Any

import pytest

from gateway_project.signin.groups import EDITOR, SECURITY_ADMIN, VIEWER
from routing.drafts import Actor
from routing.models import Owner, PendingChange, Revision, Route, Service
from routing.publishing import apply_document
from tests.support.configuration import large, route, service
from tests.support.control import V1, Control

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def editor() -> Control:
    apply_document(
        {"version": 1, "services": [service()], "routes": [route()]}, actor=Actor("first"), message="one"
    )
    return Control("ada", EDITOR)


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def newest() -> Revision:
    found = Revision.objects.order_by("-number").first()
    assert found is not None
    return found


def test_one_is_made_and_replaced(editor: Control) -> None:
    """201, then 200; the same body again is no revision. The author and the reason are kept."""
    entry = route("list", "/list")
    made = editor.call("put", "routes/list", entry, x_change_message="für alle")
    assert (made.status_code, made.json(), made["X-Outcome"], made["X-Revision"]) == (
        201, entry, "published", "2",
    )  # fmt: skip
    row = newest()
    assert (row.author, row.user_id, row.message, row.source) == ("ada", editor.user.pk, "für alle", "api")

    again = editor.call("put", "routes/list", entry)
    assert (again.status_code, again["X-Outcome"], again["ETag"]) == (200, "unchanged", made["ETag"])
    changed = editor.call("put", "routes/list?message=why", {**entry, "priority": 5})
    assert (changed.status_code, changed.json()["priority"]) == (200, 5)
    assert changed["ETag"] != made["ETag"]
    assert (newest().number, newest().message) == (3, "why")
    assert Route.objects.get(name="list").priority == 5


def test_what_is_shown_is_what_can_be_put(editor: Control) -> None:
    """For every kind."""
    kinds: dict[str, dict[str, Any]] = {
        "services": service("new", 9000),
        "routes": route("new", "/new"),
        "quotas": {"name": "new", "limit": 10, "per": "1s"},
        "plans": {"name": "new", "quotas": [{"name": "new", "limit": 20, "per": "1s"}]},
    }
    access: dict[str, dict[str, Any]] = {
        "topics": {"name": "new", "topics": ["orders.*"], "subscribe": {"level": "user"}},
        "roles": {"name": "new", "scopes": ["read"]},
        "identity_providers": {
            "name": "new",
            "issuer": "https://id.example",
            "jwks_url": "https://id.example/k",
        },
    }
    sara = Control("sara", SECURITY_ADMIN)
    calls = [(editor, *each) for each in kinds.items()] + [(sara, *each) for each in access.items()]
    for client, kind, entry in calls:
        made = client.call("put", f"{kind}/new", entry)
        assert made.status_code == 201, made.content
        there = client.call("get", f"{kind}/new")
        assert (there.json(), there["ETag"]) == (made.json(), made["ETag"])
        assert client.call("put", f"{kind}/new", there.json())["X-Outcome"] == "unchanged"
        assert there.json() in client.call("get", kind).json()[kind]
        assert client.call("get", f"{kind}/new", if_none_match=there["ETag"]).status_code == 304


def test_posting_makes_only(editor: Control) -> None:
    """A name that is taken is a conflict."""
    made = editor.call("post", "services", service("list", 9000))
    assert (made.status_code, made["X-Outcome"]) == (201, "published")
    assert code(editor.call("post", "services", service("list", 9001))) == (409, "CONFLICT")
    assert code(editor.call("post", "services", {"targets": []})) == (400, "VALIDATION_ERROR")
    assert Revision.objects.count() == 2


def test_a_patch_changes_some_keys(editor: Control) -> None:
    """null removes one."""
    editor.call("patch", "routes/orders", {"priority": 3, "enabled": False})
    done = editor.call("patch", "routes/orders", {"priority": None})
    assert done.json() == {**route(), "enabled": False}
    assert code(editor.call("patch", "routes/nothing", {"priority": 1})) == (404, "NOT_FOUND")


def test_one_is_removed_once(editor: Control) -> None:
    """204, then 404. What others lead to stays."""
    refused = editor.call("delete", "services/orders")
    assert code(refused) == (409, "CONFLICT")
    (problem,) = refused.json()["error"]["details"]["problems"]
    assert (problem["id"], problem["path"]) == ("gateway.E011", "routes[0].service")
    assert editor.call("delete", "routes/orders").status_code == 204
    assert code(editor.call("delete", "routes/orders")) == (404, "NOT_FOUND")
    assert editor.call("delete", "services/orders").status_code == 204
    assert not Service.objects.exists()
    assert newest().number == 3


def test_a_tag_guards_against_lost_updates(editor: Control) -> None:
    """412 with the tag of now; nothing is written."""
    tag = editor.call("get", "routes/orders")["ETag"]
    assert editor.call("put", "routes/orders", {**route(), "priority": 1}, if_match=tag).status_code == 200
    for method in ("put", "patch", "delete"):
        body = None if method == "delete" else route()
        refused = editor.call(method, "routes/orders", body, if_match=tag)
        assert code(refused) == (412, "PRECONDITION_FAILED")
        assert refused.json()["error"]["details"]["etag"] == editor.call("get", "routes/orders")["ETag"]
    assert code(editor.call("put", "routes/orders", route(), if_none_match="*"))[0] == 412
    assert code(editor.call("put", "routes/new", route("new", "/new"), if_match="*"))[0] == 412
    assert editor.call("put", "routes/new", route("new", "/new"), if_none_match="*").status_code == 201


def test_what_is_wrong_is_told_by_its_place(editor: Control) -> None:
    """All of it at once, and nothing is half written."""
    refused = editor.call("put", "routes/new", {**route("new", "/new", "ordrs"), "prioritty": 1})
    assert code(refused) == (400, "VALIDATION_ERROR")
    places = {each["path"]: each["message"] for each in refused.json()["error"]["details"]["problems"]}
    assert places["routes[0].service"] == 'no service named "ordrs" (did you mean "orders"?)'
    assert "routes[0].prioritty" in places
    for path, body in (
        ("routes/new", {"name": "other"}),
        ("routes/new?dryrun=1", route("new", "/new")),
        ("routes/new?dry_run=perhaps", route("new", "/new")),
        ("routes/new?message=a%0ab", route("new", "/new")),
        ("routes/n%00", route("new", "/new")),
    ):
        assert code(editor.call("put", path, body)) == (400, "VALIDATION_ERROR"), path
    assert code(editor.call("put", "routes/new", [1])) == (400, "INVALID_REQUEST")
    assert Revision.objects.count() == 1


def test_a_dry_run_changes_nothing(editor: Control) -> None:
    """It says what it would."""
    told = editor.call("put", "routes/new?dry_run=true", route("new", "/new"))
    assert (told.status_code, told.json()["outcome"]) == (200, "previewed")
    assert told.json()["changes"]["summary"] == "1 route added"
    assert (
        editor.call("delete", "routes/orders?dry_run=true").json()["changes"]["summary"] == "1 route removed"
    )
    assert Revision.objects.count() == 1


def test_a_draft_is_accepted_for_later(editor: Control, settings: Any) -> None:
    """202; rows change, the live revision does not."""
    settings.CONFIG = replace(settings.CONFIG, publish="review")
    told = editor.call("put", "routes/new", route("new", "/new"))
    assert (told.status_code, told["X-Outcome"], told.json()) == (202, "drafted", route("new", "/new"))
    assert editor.call("delete", "routes/orders").status_code == 202
    assert [row.author for row in PendingChange.objects.all()] == ["ada", "ada"]
    assert Revision.objects.count() == 1


def test_lists_come_in_pages(editor: Control) -> None:
    """By name, whole and once each; filtered and searched."""
    apply_document(large(25, services=3), actor=Actor("first"))
    names, query = [], "routes?limit=10"
    while query:
        page = editor.call("get", query).json()
        assert page["total"] == 26
        names += [each["name"] for each in page["routes"]]
        query = f"routes?limit=10&cursor={page['next']}" if page["next"] else ""
    assert names == list(Route.objects.order_by("name").values_list("name", flat=True))

    found = editor.call("get", "routes?service=orders").json()
    assert [each["name"] for each in found["routes"]] == ["orders"]
    assert editor.call("get", "routes?search=ORDER").json()["routes"] == [route()]
    assert editor.call("get", "routes?enabled=false").json()["total"] == 0
    for query in ("limit=0", "limit=1001", "cursor=%25", "enabled=maybe", "sevice=a", "search=a&search=b"):
        assert code(editor.call("get", f"routes?{query}")) == (400, "VALIDATION_ERROR"), query


def test_who_may_look_may_not_change(editor: Control) -> None:
    """A viewer reads; a refusal says which permission is missing."""
    viewer = Control("vera", VIEWER)
    assert viewer.call("get", "routes/orders").status_code == 200
    for method, path, body in (
        ("put", "routes/orders", route()),
        ("post", "routes", route("a", "/a")),
        ("patch", "routes/orders", {}),
        ("delete", "routes/orders", None),
    ):
        assert code(viewer.call(method, path, body)) == (403, "FORBIDDEN")
    assert code(editor.call("put", "roles/r", {"name": "r", "scopes": []}))[0] == 403
    nobody = Control("nora")
    assert code(nobody.call("get", "routes"))[0] == 403


def test_an_owner_changes_its_own(editor: Control) -> None:
    """And leads its routes nowhere else."""
    editor.call("put", "services/theirs", service("theirs", 9000))
    editor.call("put", "routes/theirs", route("theirs", "/theirs", "theirs"))
    owner = Control("olaf")
    Owner.objects.create(user=owner.user, service=Service.objects.get(name="orders"))
    assert [each["name"] for each in owner.call("get", "routes").json()["routes"]] == ["orders"]
    assert owner.call("get", "routes/theirs").status_code == 404
    assert owner.call("put", "routes/orders", {**route(), "priority": 1}).status_code == 200
    refused = owner.call("put", "routes/orders", {**route(), "mirror": {"service": "theirs"}})
    assert code(refused) == (403, "FORBIDDEN")
    assert code(owner.call("put", "routes/theirs", route("theirs", "/theirs", "orders")))[0] == 403
    assert code(owner.call("put", "routes/new", route("new", "/new")))[0] == 403
    assert code(owner.call("delete", "routes/orders"))[0] == 403


def test_methods_and_types_are_told(editor: Control) -> None:
    """405 with what is allowed, 415, 413, 404: all in the envelope."""
    answer = editor.call("delete", "routes")
    assert code(answer) == (405, "METHOD_NOT_ALLOWED")
    assert {"GET", "POST"} <= set(answer["Allow"].split(", "))
    headers = {"authorization": f"Bearer {editor.token}"}
    form = editor.put(
        f"{V1}/routes/a", "a=1", content_type="application/x-www-form-urlencoded", headers=headers
    )
    assert code(form) == (415, "UNSUPPORTED_MEDIA_TYPE")
    large_body = {"name": "a", "x": "y" * (1 << 20)}
    assert code(editor.call("put", "routes/a", large_body)) == (413, "PAYLOAD_TOO_LARGE")
    assert code(editor.call("get", "routs")) == (404, "NOT_FOUND")


def test_a_role_whose_name_has_a_slash_is_reached() -> None:
    """Groups of Django's may be called so."""
    sara = Control("sara", SECURITY_ADMIN)
    made = sara.call("put", "roles/ops/night", {"scopes": ["read"]})
    assert (made.status_code, made.json()["name"]) == (201, "ops/night")
    assert sara.call("get", "roles/ops/night")["ETag"] == made["ETag"]
    assert sara.call("delete", "roles/ops/night").status_code == 204
