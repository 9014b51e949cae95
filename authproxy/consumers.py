"""D: Consumers: making, changing and deleting those who call the API."""

from collections.abc import Iterable
from typing import Final

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet

from authproxy import accounts, revocation
from authproxy.identity import Identity
from authproxy.models import Consumer
from authproxy.telling import tell_on_commit
from routing import leases
from routing.auditing import Deed, changed, ordered, record

SERVICE: Final = "service"
"""The kind of consumer that may register targets."""
_SUBJECT: Final = "consumer:"


def create(
    name: str,
    *,
    kind: str = "user",
    plan: str = "",
    roles: Iterable[Group] = (),
    scopes: Iterable[str] = (),
) -> Consumer:
    """A new consumer that is no account. Raises ValidationError by field."""
    consumer = Consumer(name=name, kind=kind, plan=plan, scopes=list(dict.fromkeys(scopes)) or None)
    consumer.clean_fields()
    if accounts.is_taken(name):
        raise ValidationError({"name": accounts.NAME_TAKEN}, code="unique")
    with transaction.atomic():
        consumer.save()
        consumer.roles.set(roles)
        given = {"kind": kind, "plan": plan, "scopes": consumer.scopes}
        given |= {"roles": sorted(group.name for group in consumer.roles.all())}
        ordered("consumer.create", "consumer", name, by="", after=given)
    return consumer


def set_enabled(consumers: QuerySet[Consumer], enabled: bool, *, by: str) -> int:
    """Lets consumers in or shuts them out, everywhere within a second; how many it changed."""
    with transaction.atomic():
        revocation.hold_order()
        found = list(consumers.exclude(enabled=enabled))
        Consumer.objects.filter(pk__in=[consumer.pk for consumer in found]).update(enabled=enabled)
        revocation.record(*subjects_of(found), reason="enabled" if enabled else "disabled")
        if not enabled:
            leases.shut_out([each.name for each in found if each.kind == SERVICE], by=by)
            for consumer in found:
                tell_on_commit("consumer_disabled", actor=by, subject=consumer.name)
        _note(found, "consumer.enable" if enabled else "consumer.disable", by, "enabled", enabled)
    return len(found)


def may_register(identity: Identity) -> bool:
    """Whether the row that the identity rests on, if it is one of ours, is a service that is let in, as of now."""
    keys = [subject.removeprefix(_SUBJECT) for subject in identity.subjects if subject.startswith(_SUBJECT)]
    return not keys or Consumer.objects.filter(pk__in=keys, enabled=True, kind=SERVICE).exists()


def delete(consumer: Consumer) -> None:
    """Deletes the consumer with its keys, everywhere within a second; an account of that name stays."""
    with transaction.atomic():
        was = {"kind": consumer.kind, "plan": consumer.plan, "scopes": consumer.scopes}
        consumer.delete()  # what follows from it: authproxy.signals
        ordered("consumer.delete", "consumer", consumer.name, by="", before=was)


def assign_plan(consumers: QuerySet[Consumer], plan: str) -> int:
    """Puts consumers on a plan; how many it changed."""
    with transaction.atomic():
        revocation.hold_order()
        found = list(consumers.exclude(plan=plan))
        Consumer.objects.filter(pk__in=[consumer.pk for consumer in found]).update(plan=plan)
        revocation.record(*subjects_of(found), reason="plan")
        _note(found, "consumer.assign_plan", "", "plan", plan)
    return len(found)


def _note(found: list[Consumer], action: str, by: str, name: str, value: object) -> None:
    """One event about all of them; `found` are as they were before."""
    if found:
        about = tuple(("consumer", each.name) for each in found)
        pictures = [
            changed("consumer", each.name, {name: getattr(each, name)}, {name: value}) for each in found
        ]
        record(Deed(action, about, by, changes=tuple(change for (change,) in pictures)))


def subjects_of(consumers: Iterable[Consumer]) -> list[str]:
    """What changes with them. An account's identities may be older than its consumer, so the account is one, too."""
    found = []
    for consumer in consumers:
        found.append(revocation.consumer(consumer.pk))
        if consumer.user_id is not None:
            found.append(revocation.user(consumer.user_id))
    return found
