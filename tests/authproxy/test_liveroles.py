"""The roles of the live revision, read once per revision."""

from typing import Any

import pytest

from authproxy import liveroles
from authproxy.liveroles import LiveRoles, live_roles, roles_of
from routing.drafts import Actor
from routing.publishing import rollback
from tests.support.identities import publish_roles

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_without_a_revision_there_are_none() -> None:
    """Every role brings nothing."""
    assert live_roles() == LiveRoles()


def test_they_are_those_of_the_newest_revision() -> None:
    """With what every account has; a draft does not count."""
    publish_roles(analyst=["read", "export"], member=["read"], default=["member"])
    found = live_roles()
    assert found.scopes == {"analyst": {"read", "export"}, "member": {"read"}}
    assert found.default == {"member"}
    publish_roles(analyst=["read"])
    assert live_roles().scopes == {"analyst": {"read"}}
    rollback(1, actor=Actor("test"))
    assert live_roles() == found


def test_a_revision_is_read_once(django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then one small query tells that it is still the newest, and the table is the same object."""
    publish_roles(analyst=["read"])
    monkeypatch.setattr(liveroles, "_kept", {"": LiveRoles()})
    with django_assert_num_queries(2):
        first = live_roles()
    with django_assert_num_queries(1):
        assert live_roles() is first


def test_the_environment_fills_in_names_and_scopes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it does when a worker compiles."""
    monkeypatch.setenv("TEAM", "blue")
    found = roles_of(
        {"roles": [{"name": "${TEAM}", "scopes": ["${TEAM}.read"]}], "plans": [{"name": "${P:-gold}"}]}
    )
    assert (found.scopes, found.plans) == ({"blue": {"blue.read"}}, {"gold"})
