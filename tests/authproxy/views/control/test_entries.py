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
    access = {
        "topics": {"name": "new", "topics": ["orders.*"], "subscribe": {"level": "user"}},
        "roles": {"name": "new", "scopes": ["read"]},
        "identity_providers": {
            "name": "new",
            "issuer": "https://id.example",
            "jwks_url": "https://id.example/keys",
        },
    }
    sara = Control("sara", SECURITY_ADMIN)
    calls = [(editor, *each) for each in kinds.items()]
    for client, kind, entry in [*calls, *((sara, *each) for each in access.items())]:
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
