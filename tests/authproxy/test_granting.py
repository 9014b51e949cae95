"""What an account or a consumer may do, from its rows."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from authproxy import accounts, apikeys, consumers, revocation, sessions
from authproxy.granting import (
    identity_of,
    identity_of_key,
    identity_of_session,
    standing,
    standing_of_consumer,
)
from authproxy.liveroles import live_roles
from authproxy.models import ApiKey, Consumer, Session
from tests.support.identities import account, publish_roles

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def anna() -> User:
    """An analyst, who brings a scope of her own, on a plan."""
    publish_roles(analyst=["read", "export"], member=["ping"], default=["member"])
    user = account("anna", email="anna@example.test", roles=[Group.objects.get_or_create(name="analyst")[0]])
    Consumer.objects.filter(pk=accounts.consumer_of(user).pk).update(scopes=["own"], plan="gold")
    return user


def test_an_account_has_the_union_of_what_is_given_to_it(anna: User) -> None:
    """Its groups, the roles that every account has, and its consumer's."""
    found = standing(anna)
    assert found is not None
    assert found.roles == {"analyst", "member"}
    assert found.own_scopes == {"own"}
    assert found.scopes == {"own", "read", "export", "ping"}
    assert (found.plan, found.kind, found.is_staff, found.is_enabled) == ("gold", "user", False, True)
    assert found.as_json() == {
        "id": anna.pk,
        "username": "anna",
        "email": "anna@example.test",
        "roles": ["analyst", "member"],
        "scopes": ["export", "own", "ping", "read"],
    }


def test_an_account_without_a_consumer_is_its_name() -> None:
    """And rests on the account alone."""
    user = account("bert")
    his = standing(user)
    assert his is not None
    found = identity_of(his, method="jwt", session="s1", subjects=["session:s1"])
    assert (found.consumer, found.name, found.user_id, found.session) == ("bert", "bert", str(user.pk), "s1")
    assert found.subjects == (f"user:{user.pk}", "default-roles", "session:s1")


def test_a_program_has_its_own(anna: User) -> None:
    """Not what every account has."""
    program = consumers.create(
        "billing", kind="service", roles=[Group.objects.get(name="analyst")], scopes=["own"]
    )
    found = standing_of_consumer(program)
    assert found is not None
    assert (found.roles, found.scopes, found.kind) == ({"analyst"}, {"own", "read", "export"}, "service")
    assert found.subjects == (f"consumer:{program.pk}",)


def test_rows_are_read_anew(anna: User) -> None:
    """After the number of the newest change, whatever the caller holds."""
    revocation.record("user:0", reason="test")
    User.objects.filter(pk=anna.pk).update(is_staff=True, username="anne")
    found = standing(anna)
    assert found is not None
    assert (found.is_staff, found.name, found.seq) == (True, "anne", revocation.newest())


def is_enabled(user: User) -> bool:
    found = standing(user)
    assert found is not None
    return found.is_enabled


def test_who_is_shut_out_is_not_enabled(anna: User) -> None:
    """By the account or by the consumer; who is gone has no standing at all."""
    assert is_enabled(anna)
    User.objects.filter(pk=anna.pk).update(is_active=False)
    assert not is_enabled(anna)
    User.objects.filter(pk=anna.pk).update(is_active=True)
    Consumer.objects.update(enabled=False)
    assert not is_enabled(anna)
    consumer = Consumer.objects.get()
    User.objects.get().delete()
    assert standing(anna) is None
    assert standing_of_consumer(consumer) is None


def test_a_key_is_its_consumer_narrowed(anna: User) -> None:
    """By scopes and by time; a key without scopes is not narrowed."""
    expires = timezone.now() + timedelta(days=1)
    consumer = accounts.consumer_of(anna)
    narrow, _ = apikeys.create(consumer, "narrow", scopes=["read"], expires_at=expires, by="test")
    wide, _ = apikeys.create(consumer, "wide", by="test")
    found = identity_of_key(narrow, granted=live_roles(), seq=7)
    assert found is not None
    assert found.scopes(live_roles().scopes) == {"read"}
    assert (found.method, found.key_id, found.plan, found.seq) == ("api_key", narrow.pk, "gold", 7)
    assert found.expires_at == expires.timestamp()
    assert found.subjects[-1] == f"key:{narrow.pk}"
    found = identity_of_key(wide, granted=live_roles(), seq=7)
    assert found is not None
    assert found.scopes(live_roles().scopes) == {"own", "read", "export", "ping"}
    assert found.expires_at == float("inf")


def test_a_revoked_key_and_an_ended_session_are_nobody(anna: User) -> None:
    """As are those whose consumer is shut out."""
    key, _ = apikeys.create(accounts.consumer_of(anna), "k", by="test")
    session = sessions.open(anna, address="", user_agent="").session
    assert identity_of_session(session, granted=live_roles(), seq=0) is not None
    apikeys.revoke(key, by="test")
    sessions.end(session, reason="test", by="test")
    assert identity_of_key(ApiKey.objects.get(), granted=live_roles(), seq=0) is None
    assert identity_of_session(Session.objects.get(), granted=live_roles(), seq=0) is None


def test_a_session_is_its_account_narrowed(anna: User) -> None:
    """To what the client asked for."""
    session = sessions.open(anna, address="", user_agent="", scopes=frozenset({"read", "else"})).session
    found = identity_of_session(Session.objects.get(), granted=live_roles(), seq=7)
    assert found is not None
    assert found.scopes(live_roles().scopes) == {"read"}
    assert (found.method, found.session) == ("session", str(session.pk))
    assert found.expires_at == session.expires_at.timestamp()
    assert found.subjects[-1] == f"session:{session.pk}"


def test_standing_costs_few_queries(anna: User, django_assert_max_num_queries: Any) -> None:
    """However many roles there are."""
    anna.groups.set([Group.objects.create(name=f"g{number}") for number in range(50)])
    with django_assert_max_num_queries(5):
        found = standing(anna)
    assert found is not None
    assert len(found.roles) == 51
