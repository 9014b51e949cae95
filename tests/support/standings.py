"""D: Targets that were checked or ejected, as workers write them down."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from resilience.models import TargetEjection, TargetHealth
from routing.models import Service, Target

A, B, C = (f"http://{name}:1" for name in "abc")


def shop() -> Service:
    """The service `shop`, with A and B."""
    row = Service.objects.create(name="shop")
    for url in (A, B):
        Target.objects.create(service=row, url=url)
    return row


def checked(url: str, healthy: bool | None = False, **more: Any) -> TargetHealth:
    """Its checks say so now."""
    now = timezone.now()
    values = {"since": now, "checked_at": now, "ok": bool(healthy), "why": "status 500", "node": "n", **more}
    return TargetHealth.objects.create(service="shop", target=url, healthy=healthy, **values)


def ejected(url: str, node: str = "w1", *, for_s: float = 30.0, **more: Any) -> TargetHealth:
    """One worker leaves it out for so long from now on."""
    now = timezone.now()
    row, _ = TargetHealth.objects.get_or_create(
        service="shop", target=url, defaults={"ok": False, "node": ""}
    )
    until = now + timedelta(seconds=for_s)
    TargetEjection.objects.create(
        service="shop", target=url, node=node, since=now, until=until, **{"errors": 5, **more}
    )
    return row
