"""D: Security events, told once what they tell of is committed."""

from typing import Any

from django.db import transaction

from authproxy.security import Kind, SecurityEvent, emit


def tell_on_commit(kind: Kind, *, actor: str = "", subject: str, address: str = "", **details: Any) -> None:
    """Tells the listeners when the current transaction commits, and not if it does not."""
    event = SecurityEvent(kind, actor, subject, address, details)
    transaction.on_commit(lambda: emit(event), robust=True)
