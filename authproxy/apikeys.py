"""D: API keys: making one, whose secret is shown once, narrowing it, and revoking it."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from authproxy import revocation, tickets
from authproxy.granting import standing_of_consumer
from authproxy.models import ApiKey, Consumer
from authproxy.telling import tell_on_commit
from routing.auditing import Deed, changed, record

MOST_KEYS: Final = 1000
"""Live keys of one consumer."""
_SPACES: Final = frozenset(' \t\r\n\f\v"\\')


def create(
    consumer: Consumer,
    name: str,
    *,
    scopes: Iterable[str] | None = None,
    expires_at: datetime | None = None,
    by: str,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept. Without `scopes` it has all that the consumer has, for ever.

    `by` names who does it. Raises ValidationError by field: `name`, `scopes`, `expires_at`.
    """
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": "This is in the past."})
    ticket = tickets.mint(tickets.API_KEY, pepper=pepper(), choice=secrets.choice)
    key = ApiKey(
        consumer=consumer,
        name=name,
        prefix=ticket.prefix,
        digest=ticket.digest,
        scopes=narrowed(consumer, scopes),
        expires_at=expires_at,
    )
    key.clean_fields(exclude=["consumer"])
    if consumer.keys.filter(revoked_at=None).count() >= MOST_KEYS:
        raise ValidationError({"name": f"There are {MOST_KEYS} keys already; revoke some."})
    try:
        with transaction.atomic():
            key.save(force_insert=True)
            given = {"name": name, "scopes": key.scopes, "expires_at": expires_at and expires_at.isoformat()}
            _note("key.create", key, by, changed("api key", key.prefix, None, given))
            tell_on_commit("key_created", actor=by, subject=consumer.name, key=key.prefix, name=name)
    except IntegrityError as error:
        raise ValidationError({"name": f'There is a key "{name}" already.'}) from error
    return key, ticket.text


def narrowed(consumer: Consumer, scopes: Iterable[str] | None) -> list[str] | None:
    """The scopes in order, once each; refused where they are not the consumer's own. None means all that it has."""
    if scopes is None:
        return None
    wanted = sorted(set(scopes))
    standing = standing_of_consumer(consumer)
    granted = standing.scopes if standing is not None else frozenset()
    missing = [scope for scope in wanted if scope not in granted or _SPACES & set(scope)]
    if missing:
        has = ", ".join(sorted(granted)) or "none"
        raise ValidationError(
            {"scopes": f"{consumer.name} does not have {', '.join(missing)}. It has: {has}."}
        )
    return wanted


def revoke(key: ApiKey, *, by: str) -> bool:
    """Ends the key for good, everywhere within a second; False if it was revoked before."""
    with transaction.atomic():
        revocation.hold_order()
        now = timezone.now()
        if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
            return False
        revocation.record(revocation.key(key.pk), reason="key revoked")
        was, is_now = {"revoked": False}, {"revoked": True}
        _note("key.revoke", key, by, changed("api key", key.prefix, was, is_now))
        tell_on_commit("key_revoked", actor=by, subject=key.consumer.name, key=key.prefix, name=key.name)
    key.revoked_at = now
    return True


def _note(action: str, key: ApiKey, by: str, changes: tuple[dict[str, Any], ...]) -> None:
    about = (("api key", key.prefix), ("consumer", key.consumer.name))
    record(Deed(action, about, by, changes=changes, details={"name": key.name}))


def pepper() -> bytes:
    """The key of the hashes under which credentials are kept."""
    return str(settings.CONFIG.credential_pepper).encode()
