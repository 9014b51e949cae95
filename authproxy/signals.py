"""D: Whatever changes somebody's standing, by whatever door, is told to every worker.

Saves and deletes of single rows come by here; `QuerySet.update` does not, so whoever uses it records by itself.
Before the first row of a change is locked, the order of changes is held (see `authproxy.revocation`).
"""

from typing import Any, Final

from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save
from django.utils import timezone

from authproxy import revocation, sessions
from authproxy.consumers import SERVICE, subjects_of
from authproxy.models import ApiKey, Consumer, Session
from authproxy.telling import tell_on_commit
from routing import leases

_WATCHED: Final = ("username", "is_active", "is_staff", "password")
_CONSUMER: Final = ("name", "user_id", "kind", "plan", "scopes", "enabled")
_CHANGED: Final = "_torana_changed"
_BEFORE: Final = "_torana_before"


def connect() -> None:
    """Called once, when the application is ready."""
    for signal, receiver, sender in (
        (pre_save, _before_user, User),
        (post_save, _after_user, User),
        (pre_delete, _user_goes, User),
        (pre_save, _before_group, Group),
        (post_save, _after_group, Group),
        (pre_delete, _group_goes, Group),
        (m2m_changed, _groups_of_users, User.groups.through),
        (m2m_changed, _roles_of_consumers, Consumer.roles.through),
        (pre_save, _before_consumer, Consumer),
        (post_save, _after_consumer, Consumer),
        (pre_delete, _consumer_goes, Consumer),
        (pre_save, _hold, ApiKey),
        (post_save, _after_key, ApiKey),
        (pre_delete, _hold, ApiKey),
        (post_delete, _key_goes, ApiKey),
        (post_delete, _session_goes, Session),
    ):
        signal.connect(receiver, sender=sender, dispatch_uid=f"torana.{receiver.__name__}.{sender.__name__}")


def _hold(instance: Model, raw: bool = False, **_more: Any) -> None:
    if not instance._state.adding and not raw:
        revocation.hold_order()


def _by(instance: Model) -> str:
    """Who saves the row, where a service says so."""
    return getattr(instance, "changed_by", "")


# Accounts


def _before_user(instance: User, raw: bool, update_fields: frozenset[str] | None, **_more: Any) -> None:
    """Notes which of the watched fields are about to change. Signing in writes others, and costs nothing here."""
    watched = _WATCHED if update_fields is None else tuple(set(_WATCHED) & update_fields)
    setattr(instance, _CHANGED, frozenset())
    if instance._state.adding or raw or not watched or _is_rehash(instance, update_fields):
        return
    revocation.hold_order()
    before = User.objects.filter(pk=instance.pk).values(*watched).first()
    if before is not None:
        changed = {name for name in watched if before[name] != getattr(instance, name)}
        setattr(instance, _CHANGED, frozenset(changed))


def _is_rehash(user: User, update_fields: frozenset[str] | None) -> bool:
    """Whether Django only stores the same password under a newer hash, as it does at a sign-in."""
    return update_fields == frozenset({"password"}) and getattr(user, "_password", None) is None


def _after_user(instance: User, **_more: Any) -> None:
    changed: frozenset[str] = getattr(instance, _CHANGED, frozenset())
    if not changed:
        return
    name = instance.get_username()
    if "username" in changed:
        Consumer.objects.filter(user=instance).update(name=name)
    if "password" in changed:
        tell_on_commit("password_changed", actor=_by(instance), subject=name)
        sessions.end_all(instance, reason="password changed", by=_by(instance))
    if "is_active" in changed and not instance.is_active:
        tell_on_commit("account_disabled", actor=_by(instance), subject=name)
        sessions.end_all(instance, reason="account disabled", by=_by(instance))
    revocation.record(revocation.user(instance.pk), reason=f"{', '.join(sorted(changed))} changed")


def _user_goes(instance: User, **_more: Any) -> None:
    revocation.record(revocation.user(instance.pk), reason="account deleted")


# Roles


def _before_group(instance: Group, raw: bool, **_more: Any) -> None:
    setattr(instance, _CHANGED, False)
    if instance._state.adding or raw:
        return
    revocation.hold_order()
    before = Group.objects.filter(pk=instance.pk).values_list("name", flat=True).first()
    setattr(instance, _CHANGED, before != instance.name)


def _after_group(instance: Group, **_more: Any) -> None:
    if getattr(instance, _CHANGED, False):
        _record_members(instance, "role renamed")


def _group_goes(instance: Group, **_more: Any) -> None:
    _record_members(instance, "role deleted")


def _record_members(group: Group, reason: str) -> None:
    users = User.objects.filter(groups=group).values_list("pk", flat=True)
    consumers = Consumer.objects.filter(roles=group).only("pk", "user_id")
    revocation.record(*map(revocation.user, users), *subjects_of(consumers), reason=reason)


def _groups_of_users(
    instance: User | Group, action: str, reverse: bool, pk_set: set[int] | None, **_more: Any
) -> None:
    if action in ("pre_add", "pre_remove"):
        revocation.hold_order()
    elif action == "pre_clear" and reverse:
        members = User.objects.filter(groups=instance.pk).values_list("pk", flat=True)
        revocation.record(*map(revocation.user, members), reason="roles changed")
    elif action in ("post_add", "post_remove", "pre_clear") and (pk_set or action == "pre_clear"):
        pks = (pk_set or ()) if reverse else (instance.pk,)
        revocation.record(*map(revocation.user, pks), reason="roles changed")


def _roles_of_consumers(
    instance: Consumer | Group, action: str, reverse: bool, pk_set: set[int] | None, **_more: Any
) -> None:
    if action in ("pre_add", "pre_remove"):
        revocation.hold_order()
    elif action in ("post_add", "post_remove", "pre_clear") and (pk_set or action == "pre_clear"):
        if not reverse:
            changed = Consumer.objects.filter(pk=instance.pk)
        elif action == "pre_clear":
            changed = Consumer.objects.filter(roles=instance.pk)
        else:
            changed = Consumer.objects.filter(pk__in=pk_set or ())
        revocation.record(*subjects_of(changed.only("pk", "user_id")), reason="roles changed")


# Consumers, keys, sessions


def _before_consumer(instance: Consumer, raw: bool, **_more: Any) -> None:
    before = Consumer(user_id=instance.user_id, name=instance.name, kind=instance.kind)
    if not instance._state.adding and not raw:
        revocation.hold_order()
        before = Consumer.objects.filter(pk=instance.pk).first() or before
    # A new consumer that brings nothing changes nothing for its account.
    changed = {name for name in _CONSUMER if getattr(before, name) != getattr(instance, name)}
    setattr(instance, _CHANGED, frozenset(changed))
    setattr(instance, _BEFORE, before)


def _after_consumer(instance: Consumer, created: bool, raw: bool, **_more: Any) -> None:
    changed: frozenset[str] = getattr(instance, _CHANGED, frozenset())
    if raw or not changed or (created and instance.user_id is None):
        return
    if "enabled" in changed and not instance.enabled:
        tell_on_commit("consumer_disabled", actor=_by(instance), subject=instance.name)
    revocation.record(*subjects_of([instance]), reason=f"{', '.join(sorted(changed))} changed")
    _registrations_follow(instance, getattr(instance, _BEFORE), changed)


def _registrations_follow(consumer: Consumer, before: Consumer, changed: frozenset[str]) -> None:
    """Whoever may not register any more has nothing registered."""
    if before.kind != SERVICE:
        return
    if "name" in changed:
        leases.rename(before.name, consumer.name)
    if not consumer.enabled or consumer.kind != SERVICE:
        leases.shut_out([consumer.name], by=_by(consumer))


def _consumer_goes(instance: Consumer, **_more: Any) -> None:
    revocation.record(*subjects_of([instance]), reason="consumer deleted")
    if instance.kind == SERVICE:
        leases.forget(instance.name, by=_by(instance))


def _after_key(instance: ApiKey, created: bool, raw: bool, **_more: Any) -> None:
    if not created and not raw:
        revocation.record(revocation.key(instance.pk), reason="key changed")


def _key_goes(instance: ApiKey, **_more: Any) -> None:
    if instance.revoked_at is None:
        revocation.record(revocation.key(instance.pk), reason="key deleted")


def _session_goes(instance: Session, **_more: Any) -> None:
    if instance.ended_at is None and instance.expires_at > timezone.now():
        revocation.record(revocation.session(instance.pk), reason="session deleted")
