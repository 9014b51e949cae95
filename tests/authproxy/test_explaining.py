"""What explaining says about accounts and consumers."""

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User

from authproxy.admissions import OFF
from authproxy.explaining import judge_of
from authproxy.models import Consumer
from routing.callers import UnknownCaller
from routing.standing import Admission
from tests.support.documents import document
from tests.support.snapshots import snapshot_of

pytestmark = [pytest.mark.store, pytest.mark.django_db]
ROLES = [{"name": "author", "scopes": ["write"]}, {"name": "everybody", "scopes": ["read"], "default": True}]


def admission(name: str | None, **auth: Any) -> Admission:
    snapshot = snapshot_of(document({"auth": auth}, roles=ROLES))
    return judge_of(name)(snapshot.routes["r0"], snapshot)


@pytest.fixture
def anna() -> User:
    user = User.objects.create_user("anna")
    user.groups.add(Group.objects.create(name="author"))
    return user


def test_roles_are_those_of_what_is_explained(anna: User) -> None:
    """A draft's roles count, the default ones as well, although nothing is published."""
    found = admission("anna", scopes=["read", "write"])

    assert found.refusal is None
    assert found.caller is not None
    assert (found.caller["roles"], found.caller["scopes"]) == (["author", "everybody"], ["read", "write"])
    assert found.fields["x-user-id"] == str(anna.pk)
    assert found.fields["x-user-scopes"] == "read write"


@pytest.mark.parametrize(
    ("auth", "status", "lacking"),
    [
        ({"level": "admin"}, 403, {"level": "admin"}),
        ({"level": "service", "scopes": ["x"]}, 403, {"level": "service", "missing_scopes": ["x"]}),
        ({"roles": ["nobody"]}, 403, {"roles": ["nobody"]}),
    ],
)
@pytest.mark.usefixtures("anna")
def test_what_is_missing(auth: dict[str, Any], status: int, lacking: dict[str, Any]) -> None:
    """As the answer would say it."""
    found = admission("anna", **auth)

    assert found.refusal is not None
    assert (found.refusal.status, found.lacking) == (status, lacking)


def test_a_service() -> None:
    """By token or key; it has no session."""
    Consumer.objects.create(name="robot", kind="service", scopes=["read"])

    assert admission("robot", level="service", scopes=["read"]).refusal is None
    found = admission("robot", methods=["session", "api_key"])
    assert found.caller is not None
    assert found.caller["method"] == "api_key"
    refused = admission("robot", methods=["session"])
    assert refused.refusal is not None
    assert (refused.refusal.status, refused.caller) == (401, None)


def test_who_may_not_pass_at_all(anna: User) -> None:
    """A disabled account is refused like a wrong credential, and it is said why."""
    anna.is_active = False
    anna.save()

    found = admission("anna")

    assert found.lacking["reason"] == "invalid"
    assert found.caller == {"consumer": "anna", "enabled": False}
    assert admission("anna", level="public").refusal is None


def test_nobody_and_unknown_names() -> None:
    """Nobody lacks credentials; a name that nobody has is a mistake of who asks."""
    assert admission(None).lacking["reason"] == "missing"
    assert admission(None, level="public").refusal is None
    with pytest.raises(UnknownCaller, match='named "carl"'):
        judge_of("carl")


def test_without_authentication_everybody_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the explanation says why."""
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, enable_authentication=False))

    found = admission(None, level="admin")

    assert (found.refusal, found.remark) == (None, OFF)
