"""D: Alert duties of two workers, whose rounds and time are the test's."""

import time
from collections.abc import Callable
from datetime import datetime
from random import Random

from observability.alerts.conditions import BREAKER, Condition
from observability.alerts.duty import AlertDuty
from observability.alerts.gathering import Source
from observability.alerts.secrets import sealed
from observability.alerts.signing import new_secret
from observability.models import AlertReceiver
from observability.rows.alerts import EMAIL, WEBHOOK

SECRET = new_secret(b"s" * 32)
OPEN = Condition(BREAKER, "orders", "orders", "The breaker of orders is open", "critical")


class World:
    """What is wrong, and when it is."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.wrong: list[Condition] = []
        self.kinds = (BREAKER,)

    def source(self, look: Callable[[datetime], list[Condition]] | None = None) -> Source:
        return Source(BREAKER, 0.0, look or (lambda _now: list(self.wrong)))

    def duty(self, name: str = "w1", *sources: Source, timeout_s: float = 5.0) -> AlertDuty:
        return AlertDuty(
            sources or (self.source(),),
            holder=name,
            gateway="torana",
            rng=Random(1),
            wall_clock=lambda: self.now,
            timeout_s=timeout_s,
        )


def hook_receiver(url: str, name: str = "ops", **more: object) -> AlertReceiver:
    return AlertReceiver.objects.create(name=name, kind=WEBHOOK, url=url, sealed=sealed(SECRET), **more)


def mail_receiver(name: str = "mail", **more: object) -> AlertReceiver:
    return AlertReceiver.objects.create(name=name, kind=EMAIL, addresses="a@example.org", **more)


def until(done: Callable[[], bool], *duties: AlertDuty, within_s: float = 20.0) -> None:
    """Rounds of all, until what is waited for."""
    end = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        for duty in duties:
            duty.woken.wait(0.05)
            duty.look()
