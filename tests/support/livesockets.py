"""D: Live connections as workers write them down, without a worker."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from realtime.models import LiveSocket
from routing.models import Route, Service


def live_route(name: str = "live") -> Route:
    """A route of that name, to the service `chat`."""
    service, _ = Service.objects.get_or_create(name="chat")
    return Route.objects.create(name=name, service=service)


def live(number: int = 1, *, age_s: float = 5.0, **more: Any) -> LiveSocket:
    """One connection of the worker `w1`."""
    now = timezone.now()
    values = {
        "node": "w1",
        "user": "ada",
        "address": "192.0.2.1",
        "route": "live",
        "service": "chat",
        "target": "http://127.0.0.1:9000",
        "since": now - timedelta(seconds=age_s),
        "seen_at": now,
        **more,
    }
    return LiveSocket.objects.create(number=number, **values)
