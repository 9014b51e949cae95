"""`/control/v1/leases…`: who registered what, and staff's word about it."""

from typing import Any

import pytest

from gateway_project.signin.groups import OPERATOR, VIEWER
from routing.models import Lease
from tests.support.control import Control
from tests.support.leases import registered

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def test_one_is_approved_and_ended() -> None:
    """Each once; a second time is a conflict."""
    registered("shop", approves=False)
    lease = Lease.objects.get()
    olga = Control("olga", OPERATOR)
    found = olga.call("get", "leases?service=shop&state=pending").json()
    assert [each["id"] for each in found["leases"]] == [str(lease.pk)]
    path = f"leases/{lease.pk}"
    done = olga.call("post", path, {"word": "approve"}).json()
    assert (done["state"], done["decided_by"]) == ("approved", "olga")
    assert code(olga.call("post", path, {"word": "approve"})) == (409, "CONFLICT")
    done = olga.call("post", path, {"word": "end", "reason": "moved"}).json()
    assert (done["state"], done["ended_why"]) == ("ended", "moved")
    assert code(olga.call("post", path, {"word": "reject"}))[0] == 409


def test_what_makes_no_sense_is_refused() -> None:
    """Words, states, leases that are not there; and viewers only look."""
    registered("shop", approves=False)
    path = f"leases/{Lease.objects.get().pk}"
    olga, vera = Control("olga", OPERATOR), Control("vera", VIEWER)
    assert code(olga.call("post", path, {"word": "bless"})) == (400, "VALIDATION_ERROR")
    assert code(olga.call("get", "leases?state=odd")) == (400, "VALIDATION_ERROR")
    assert code(olga.call("get", "leases/4c9a3f0e-0000-4000-8000-000000000000"))[0] == 404
    assert vera.call("get", path).status_code == 200
    assert code(vera.call("post", path, {"word": "approve"}))[0] == 403
