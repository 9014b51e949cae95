"""What admission makes of a caller, as explaining tells it."""

from authproxy.admissions import OFF, admission_of
from authproxy.identity import Identity
from tests.support.configuration import route, small
from tests.support.snapshots import snapshot_of

SNAPSHOT = snapshot_of({**small(), "routes": [route(auth={"level": "user", "scopes": ["read"]})]})
ORDERS = SNAPSHOT.routes["orders"]


def test_a_caller_who_lacks_something() -> None:
    """The refusal, what is lacking, and who it is."""
    found = admission_of(ORDERS, SNAPSHOT, Identity(method="jwt", name="ada", consumer="ada"))
    assert found.refusal is not None
    assert (found.refusal.code, found.lacking) == ("FORBIDDEN", {"missing_scopes": ["read"]})
    assert found.caller is not None
    assert (found.caller["consumer"], found.fields["x-consumer"]) == ("ada", "ada")


def test_nobody() -> None:
    """Why nobody is known is told."""
    found = admission_of(ORDERS, SNAPSHOT, None, "expired")
    assert found.refusal is not None
    assert (found.refusal.status, found.lacking["reason"], found.caller) == (401, "expired", None)


def test_without_authentication_everybody_may_pass() -> None:
    """And that is said."""
    found = admission_of(ORDERS, SNAPSHOT, None, is_on=False)
    assert (found.refusal, found.remark) == (None, OFF)
