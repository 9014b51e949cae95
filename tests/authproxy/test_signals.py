"""Whatever changes somebody's standing is told, by whatever door; what does not is not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from authproxy import accounts, apikeys, consumers, sessions
from authproxy.models import ApiKey, Consumer, IdentityChange, Session
from authproxy.security import bind
from routing.models import Lease
from tests.support.identities import account
from tests.support.leases import registered

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture
def anna() -> User:
    return account("anna", password="correct horse")


@pytest.fixture
def told() -> Iterator[list[str]]:
    kinds: list[str] = []
    unbind = bind(lambda event: kinds.append(event.kind))
    yield kinds
    unbind()


def changed(act: Callable[[], object]) -> set[str]:
    """The subjects that are told of when somebody acts."""
    IdentityChange.objects.all().delete()
    act()
    return set(IdentityChange.objects.values_list("subject", flat=True))


def saved(row: User | Consumer | Group | ApiKey, **values: object) -> Callable[[], None]:
    """What a form does: reads, sets and saves."""

    def save() -> None:
        fresh = type(row)._default_manager.get(pk=row.pk)
        for name, value in values.items():
            setattr(fresh, name, value)
        fresh.save()

    return save


@pytest.mark.parametrize("values", [{"is_active": False}, {"is_staff": True}, {"username": "anne"}])
def test_an_account_changes(anna: User, values: dict[str, object]) -> None:
    assert changed(saved(anna, **values)) == {f"user:{anna.pk}"}


@pytest.mark.parametrize(
    "values", [{}, {"email": "x@example.test"}, {"last_name": "x"}, {"last_login": None}]
)
def test_what_is_not_part_of_an_identity_ends_none(anna: User, values: dict[str, object]) -> None:
    assert changed(saved(anna, **values)) == set()


def test_signing_in_changes_nothing(anna: User, settings: Any) -> None:
    """Neither its time nor the same password under a newer hash."""
    settings.PASSWORD_HASHERS = [
        *settings.PASSWORD_HASHERS,
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    ]
    client = Client()
    assert changed(lambda: client.force_login(anna)) == set()
    User.objects.filter(pk=anna.pk).update(password=_old_hash("correct horse"))
    assert changed(lambda: authenticate(username="anna", password="correct horse")) == set()
    anna.refresh_from_db()
    assert anna.password != _old_hash("correct horse")


def _old_hash(password: str) -> str:
    return PBKDF2PasswordHasher().encode(password, "salt", iterations=1)


def test_another_password_ends_every_session(anna: User) -> None:
    """However it is set."""
    session = sessions.open(anna, address="", user_agent="").session

    def set_password() -> None:
        anna.set_password("battery staple")
        anna.save()

    assert changed(set_password) == {f"user:{anna.pk}", f"session:{session.pk}"}
    session.refresh_from_db()
    assert session.end_reason == "password changed"
    anna.set_password("another one")
    assert changed(lambda: anna.save(update_fields=["password"])) == {f"user:{anna.pk}"}


def test_a_disabled_account_has_no_session_left(anna: User) -> None:
    """Not even once it is enabled again."""
    session = sessions.open(anna, address="", user_agent="").session
    assert changed(saved(anna, is_active=False)) == {f"user:{anna.pk}", f"session:{session.pk}"}
    assert changed(saved(anna, is_active=True)) == {f"user:{anna.pk}"}
    assert not sessions.live(anna).exists()


def test_a_renamed_account_renames_its_consumer(anna: User) -> None:
    """They are one."""
    accounts.consumer_of(anna)
    assert f"user:{anna.pk}" in changed(saved(anna, username="anne"))
    assert Consumer.objects.get().name == "anne"


def test_a_deleted_account_takes_everything_along(anna: User) -> None:
    pk = anna.pk
    consumer = accounts.consumer_of(anna)
    key, _ = apikeys.create(consumer, "k", by="test")
    session = sessions.open(anna, address="", user_agent="").session
    found = changed(anna.delete)
    assert found == {f"user:{pk}", f"consumer:{consumer.pk}", f"key:{key.pk}", f"session:{session.pk}"}


def test_roles_of_accounts_change_from_both_sides(anna: User) -> None:
    """Given, taken, set and cleared; giving one that is there changes nothing."""
    role = Group.objects.create(name="analyst")
    subject = {f"user:{anna.pk}"}
    assert changed(lambda: anna.groups.add(role)) == subject
    assert changed(lambda: anna.groups.add(role)) == set()
    assert changed(lambda: anna.groups.remove(role)) == subject
    assert changed(lambda: role.user_set.add(anna)) == subject
    assert changed(lambda: role.user_set.clear()) == subject
    assert changed(lambda: anna.groups.set([role])) == subject
    assert changed(lambda: anna.groups.clear()) == subject


def test_roles_of_consumers_change_from_both_sides(anna: User) -> None:
    """For an account's consumer, the account does, too."""
    role, consumer = Group.objects.create(name="analyst"), accounts.consumer_of(anna)
    subjects = {f"consumer:{consumer.pk}", f"user:{anna.pk}"}
    assert changed(lambda: consumer.roles.add(role)) == subjects
    assert changed(lambda: consumer.roles.clear()) == subjects
    assert changed(lambda: role.consumers.add(consumer)) == subjects
    assert changed(lambda: role.consumers.remove(consumer)) == subjects
    role.consumers.add(consumer)
    assert changed(lambda: role.consumers.clear()) == subjects


def test_a_role_that_goes_or_is_renamed_changes_who_had_it(anna: User) -> None:
    """Its permissions in admin are nobody's scopes."""
    role = Group.objects.create(name="analyst")
    program = consumers.create("billing", roles=[role])
    anna.groups.add(role)
    subjects = {f"user:{anna.pk}", f"consumer:{program.pk}"}
    assert changed(saved(role)) == set()
    assert changed(saved(role, name="clerk")) == subjects
    assert changed(role.delete) == subjects


@pytest.mark.parametrize(
    "values", [{"enabled": False}, {"plan": "gold"}, {"scopes": ["x"]}, {"kind": "service"}]
)
def test_a_consumer_changes(values: dict[str, object]) -> None:
    consumer = consumers.create("billing")
    assert changed(saved(consumer, **values)) == {f"consumer:{consumer.pk}"}
    assert changed(saved(consumer, notes="for people")) == set()


def test_a_new_consumer_of_an_account_ends_its_tokens_only_if_it_matters(anna: User) -> None:
    """Making a first key must not sign its maker out."""
    assert changed(lambda: accounts.consumer_of(anna)) == set()
    bert = account("bert")
    found = changed(lambda: Consumer.objects.create(name="bert", user=bert, scopes=["x"]))
    assert f"user:{bert.pk}" in found


def test_a_key_changes() -> None:
    """Making one is no change; deleting a live one is."""
    consumer = consumers.create("billing", scopes=["a"])
    keys: list[ApiKey] = []
    assert changed(lambda: keys.append(apikeys.create(consumer, "k", by="test")[0])) == set()
    assert changed(saved(keys[0], scopes=["a"])) == {f"key:{keys[0].pk}"}
    pk = keys[0].pk
    assert changed(ApiKey.objects.all().delete) == {f"key:{pk}"}


def test_deleting_what_was_over_changes_nothing(anna: User) -> None:
    """Housekeeping ends nobody's identity."""
    over, live = (sessions.open(anna, address="", user_agent="").session for _ in range(2))
    sessions.end(over, reason="test", by="anna")
    old = Session.objects.create(user=anna, digest=b"d" * 32, expires_at=timezone.now() - timedelta(days=1))
    assert changed(lambda: Session.objects.filter(pk__in=[over.pk, old.pk]).delete()) == set()
    assert changed(lambda: Session.objects.filter(pk=live.pk).delete()) == {f"session:{live.pk}"}


@pytest.mark.django_db(transaction=True)
def test_what_forms_do_is_watched_over(anna: User, told: list[str]) -> None:
    """As what the services do is."""
    saved(accounts.consumer_of(anna), enabled=False)()
    saved(anna, is_active=False)()
    anna.set_password("battery staple")
    anna.save(update_fields=["password"])
    assert told == ["consumer_disabled", "account_disabled", "password_changed"]


def test_loading_a_backup_tells_of_nothing(anna: User, tmp_path: object) -> None:
    """Rows that `loaddata` writes are as they were; whoever restores starts over."""
    file = f"{tmp_path}/rows.json"
    call_command("dumpdata", "auth.user", "authproxy.consumer", output=file, verbosity=0)
    assert changed(lambda: call_command("loaddata", file, verbosity=0)) == set()


@pytest.mark.parametrize(
    ("values", "state"),
    [({"enabled": False}, "ended"), ({"kind": "user"}, "ended"), ({"plan": "gold"}, "approved")],
)
def test_a_service_that_may_not_register_any_more(values: dict[str, object], state: str) -> None:
    """Has nothing registered."""
    consumer = consumers.create("robot", kind="service")
    registered(by="robot")
    saved(consumer, **values)()
    assert Lease.objects.get().state == state


def test_registrations_follow_a_name_and_end_with_their_account() -> None:
    """So that shutting out the renamed one ends them, too."""
    consumer = consumers.create("robot", kind="service")
    registered(by="robot")
    saved(consumer, name="robot-2")()
    assert Lease.objects.get().consumer == "robot-2"
    Consumer.objects.get().delete()
    assert Lease.objects.get().state == "ended"
