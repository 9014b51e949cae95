"""`gateway log-only`."""

import pytest

from observability.models import AuditEvent
from routing.models import Revision, Route
from tests.support.cli import gateway
from tests.support.logonly import logging_only

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def world() -> None:
    logging_only()


def test_the_list() -> None:
    """Whom each would have refused."""
    ran = gateway("log-only")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:3] == [
        "ip of route users: would have refused 4 requests of 2 callers",
        "         3 × ada  FORBIDDEN: No.  id-ada",
        "         1 × bert  FORBIDDEN: No.  id-bert",
    ]
    assert "require_headers of route open: would have refused nobody" in ran.out
    (found,) = gateway("log-only", "--route", "open", "--json").data
    assert (found["policy"], found["log"], found["requests"], found["most"]) == (
        "require_headers",
        True,
        0,
        [],
    )
    assert gateway("log-only", "--route", "nowhere").out == "no policy is in mode log\n"


def test_enforcing() -> None:
    """Once; then it is refused in one line."""
    ran = gateway("log-only", "enforce", "users", "ip", "--as", "bert", "-m", "seen enough")
    assert (ran.code, ran.err, "ip of route users: " in ran.out) == (0, "", True)
    assert Route.objects.get(name="users").ip == {"allow": ["10.0.0.0/8"]}
    assert AuditEvent.objects.filter(actor="bert").count() == 1
    again = gateway("log-only", "enforce", "users", "ip")
    assert (again.code, again.err) == (1, "the policy ip of route users is not in mode log any more\n")
    assert "not in mode log any more" in gateway("log-only").out
    unknown = gateway("log-only", "enforce", "usrs", "ip")
    assert (unknown.code, 'did you mean "users"' in unknown.err) == (1, True)


def test_for_programs() -> None:
    """What would change."""
    ran = gateway("log-only", "enforce", "users", "quotas", "--quota", "daily", "--dry-run", "--json")
    assert (ran.data["outcome"], ran.data["places"], Revision.objects.count()) == (
        "previewed",
        ["quota daily"],
        1,
    )
