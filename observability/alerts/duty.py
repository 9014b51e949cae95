"""D: Tells people what is wrong. A thread of each worker; the one that holds the lease looks, writes down and sends.

    rows of workers ─▶ conditions ─▶ incidents, messages (rows) ─▶ couriers (threads) ─▶ webhooks, mail servers

Requests never wait for any of it. A receiver that hangs holds up nobody but itself: each has one message on its way at
a time, webhooks and mail have threads of their own, and each attempt ends in seconds.
"""

import logging
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from random import Random
from typing import Final

from django.db import DatabaseError, InterfaceError

from observability.alerts import mailing, posting, recording
from observability.alerts.conditions import Condition
from observability.alerts.gathering import Source
from observability.alerts.messages import as_json, as_mail
from observability.alerts.retrying import Result
from observability.alerts.secrets import unsealed
from observability.models import AlertDelivery
from observability.rows.alerts import EMAIL, WAITING
from routing.leadership import hold
from routing.polling import Poller

LOG: Final = logging.getLogger("torana.alerts")
LEASE: Final = "alerts"
LEASE_S: Final = 15.0
ROUND_S: Final = 1.0
WEBHOOKS, MAILS = 8, 2
"""Threads; as many may be on their way at a time."""
_PRUNE_EVERY_S: Final = 600.0


class AlertDuty:
    """One per worker. `gateway` is how messages name this installation."""

    def __init__(
        self,
        sources: Sequence[Source],
        *,
        holder: str,
        gateway: str,
        rng: Random,
        round_s: float = ROUND_S,
        wall_clock: Callable[[], float] = time.time,
        timeout_s: float = posting.TIMEOUT_S,
    ) -> None:
        self._sources = sources
        self._holder = holder
        self._gateway = gateway
        self._rng = rng
        self._wall_clock = wall_clock
        self._timeout_s = timeout_s
        self._looked: dict[str, float] = {}
        self._pruned = 0.0
        self._busy: set[int] = set()
        self._results: queue.SimpleQueue[tuple[AlertDelivery, Result]] = queue.SimpleQueue()
        self.counts: Counter[str] = Counter()
        """Messages since the start: sent, failed (given up), retried (to be tried again), dropped."""
        self.is_ours = False
        """Whether this worker looks, of all."""
        self.waiting = 0
        """Messages that are still to be sent, of all workers, if this one sends them."""
        self.woken = threading.Event()
        """Some message has come back."""
        self._webhooks = ThreadPoolExecutor(WEBHOOKS, "alert-webhook")
        self._mails = ThreadPoolExecutor(MAILS, "alert-mail")
        self._poller = Poller(
            "alerts", self.look, complaint="alerts are not told", poll_s=round_s, goodbye=self._leave
        )

    def start(self) -> None:
        """On the running event loop."""
        self._poller.start()

    async def stop(self) -> None:
        """What waits is sent by another worker, or after the next start."""
        self._webhooks.shutdown(wait=False, cancel_futures=True)
        self._mails.shutdown(wait=False, cancel_futures=True)
        await self._poller.stop()

    # From here on: the poller's own thread, but for `_carry`.

    def look(self) -> None:
        """One round. A database that fails ends it; the next one goes on."""
        with self._poller.asking():
            self._settle()
            self.is_ours = hold(LEASE, self._holder, LEASE_S)
            if not self.is_ours:
                self.waiting = 0
                self._looked.clear()
                return
            now = datetime.fromtimestamp(self._wall_clock(), UTC)
            self._record(now)
            self._send(now)
            self.waiting = recording.waiting()
            if now.timestamp() - self._pruned >= _PRUNE_EVERY_S:
                self._pruned = now.timestamp()
                recording.prune(now)

    def _record(self, now: datetime) -> None:
        found: list[Condition] = []
        looked_at = set()
        for source in self._sources:
            if now.timestamp() - self._looked.get(source.kind, 0.0) < source.every_s:
                continue
            self._looked[source.kind] = now.timestamp()
            try:
                found += source.look(now)
            except (DatabaseError, InterfaceError):
                self._looked.clear()
                raise
            except Exception:
                LOG.exception("alerts of kind %s cannot be judged", source.kind)
                continue  # what was told of this kind stays as it is
            looked_at.add(source.kind)
        if looked_at:
            self.counts["dropped"] += recording.record(found, looked_at, now).dropped

    def _send(self, now: datetime) -> None:
        for delivery in recording.due(now, self._busy, WEBHOOKS + MAILS):
            receiver = delivery.receiver
            pool = self._mails if receiver.kind == EMAIL else self._webhooks
            self._busy.add(receiver.pk)
            try:
                pool.submit(self._carry, delivery)
            except RuntimeError:  # the worker stops
                self._busy.discard(receiver.pk)
                return

    def _settle(self) -> None:
        self.woken.clear()
        while not self._results.empty():
            delivery, result = self._results.get()
            self._busy.discard(delivery.receiver_id)
            if not result.ok:
                LOG.warning("alert to %s: %s", delivery.receiver.name, result.error)
            now = datetime.fromtimestamp(self._wall_clock(), UTC)
            state = recording.settle(delivery, result, now, self._rng.random())
            self.counts["retried" if state == WAITING else state] += 1

    def _carry(self, delivery: AlertDelivery) -> None:
        """In a thread of a pool: no database here."""
        try:
            result = self._carried(delivery)
        except Exception as error:
            LOG.exception("an alert could not be sent")
            result = Result(False, type(error).__name__)
        self._results.put((delivery, result))
        self.woken.set()
        self._poller.wake()

    def _carried(self, delivery: AlertDelivery) -> Result:
        receiver, told = delivery.receiver, recording.told(delivery, self._gateway)
        if receiver.kind == EMAIL:
            subject, text = as_mail(told)
            return mailing.mail(receiver.addresses.split(), subject, text, id=delivery.message_id)
        secret = unsealed(bytes(receiver.sealed))
        if secret is None:
            return Result(False, "its secret was sealed under another SECRET_KEY: set it anew")
        at = int(self._wall_clock())
        moment = delivery.at.isoformat(timespec="seconds").replace("+00:00", "Z")
        return posting.post(
            receiver.url,
            secret,
            id=delivery.message_id,
            at=at,
            body=as_json(told, moment),
            timeout_s=self._timeout_s,
        )

    def _leave(self) -> None:
        self._settle()
        hold(LEASE, self._holder, None)
