"""D: Registrations for tests."""

from datetime import timedelta
from typing import Any

from django.db.models import F

from routing import leases
from routing.leases import Registered
from routing.leasing import Registration
from routing.models import Lease


def registration(service: str = "orders", host: str = "orders", port: int = 1, **more: Any) -> Registration:
    return Registration(service, host, port, **more)


def registered(
    service: str = "orders",
    host: str = "orders",
    port: int = 1,
    *,
    by: str = "robot",
    approves: bool = True,
    **more: Any,
) -> Registered:
    """A lease of the account `by`."""
    return leases.register(registration(service, host, port, **more), consumer=by, approves=approves)


def grow_old(lease: Lease, seconds: float) -> None:
    """As if it had been renewed so much earlier."""
    by = timedelta(seconds=seconds)
    rows = Lease.objects.filter(pk=lease.pk)
    rows.update(renewed_at=F("renewed_at") - by)
    rows.exclude(expires_at=None).update(expires_at=F("expires_at") - by)
