"""D: What operators order of services: the refusal that every door tells, and the service that must be there."""

from typing import Final

from routing.models import Service
from routing.problems import did_you_mean

MOST_NAMES: Final = 1000


class OrderRefused(Exception):  # noqa: N818 - a refusal, told in one sentence
    """What was asked for cannot be done; `field` is what is wrong with it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class OrderConflict(OrderRefused):
    """It could be done, but not as things stand."""


def require_service(name: str) -> None:
    """Refuses, whatever somebody typed, unless there is such a service."""
    if "\0" in name or not Service.objects.filter(name=name).exists():
        names = Service.objects.values_list("name", flat=True)[:MOST_NAMES]
        raise OrderRefused("service", f'there is no service "{name}"{did_you_mean(name, names)}')
