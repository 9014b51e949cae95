"""`/control/v1/defaults`: one object that is always there."""

from typing import Any

import pytest

from gateway_project.signin.groups import EDITOR, VIEWER
from routing.models import Revision
from tests.support.control import Control

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_they_are_replaced_and_changed() -> None:
    """Each a revision; the same again is none."""
    editor = Control("ada", EDITOR)
    empty = editor.call("get", "defaults")
    assert empty.json() == {}
    put = editor.call("put", "defaults", {"timeout": "5s", "compress": True}, if_match=empty["ETag"])
    assert (put.status_code, put.json()) == (200, {"timeout": "5s", "compress": True})
    assert editor.call("put", "defaults", put.json())["X-Outcome"] == "unchanged"
    assert editor.call("patch", "defaults", {"compress": None}).json() == {"timeout": "5s"}
    assert editor.call("get", "defaults").json() == {"timeout": "5s"}
    assert editor.call("put", "defaults", {}).json() == {}
    assert Revision.objects.count() == 3


def test_what_is_wrong_is_refused() -> None:
    """By place, by state, by right."""
    editor = Control("ada", EDITOR)
    refused = editor.call("put", "defaults", {"timeout": "soon"})
    assert code(refused) == (400, "VALIDATION_ERROR")
    assert refused.json()["error"]["details"]["problems"][0]["path"] == "defaults.timeout"
    assert code(editor.call("put", "defaults", {"timeout": "5s"}, if_match='"x"'))[0] == 412
    viewer = Control("vera", VIEWER)
    assert viewer.call("get", "defaults").status_code == 200
    assert code(viewer.call("put", "defaults", {})) == (403, "FORBIDDEN")
    assert viewer.call("get", "defaults", if_none_match="*").status_code == 304
    assert not Revision.objects.exists()
