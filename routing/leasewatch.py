"""D: Brings discovered targets from the database to one worker, and lets go of old ones.

It looks five times a second and when woken. A database that is away takes no target with it: what was known last is
kept, and nothing expires until a whole ttl after it answers again. At a start without one, what VAR_DIR has is used.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.db import DatabaseError
from django.db.models import QuerySet

from routing import leases
from routing.lanes import FOLLOWING
from routing.leasefile import LeaseFile
from routing.leasing import Checked, LeasedTarget, Targets, lapsed
from routing.models import Lease, LeaseState
from routing.polling import FIRST_ANSWER_S, POLL_S, Poller

LOG: Final = logging.getLogger(__name__)
SILENCE_S: Final = 3.0
"""After so long without an answer of the database, leases begin their ttl anew."""
CHECK_S: Final = 1.0
SAVE_S: Final = 5.0
PRUNE_S: Final = 3600.0
_COLUMNS: Final = (
    "pk",
    "service",
    "state",
    "url",
    "weight",
    "check_endpoint",
    "check_interval_s",
    "ttl_s",
)
OnChange = Callable[[str, Targets], None]
Passes = Callable[[str], bool | None]


class Standing(NamedTuple):
    """What a worker knows of discovered targets. `silent_s`: so long ago the database answered last; None: it does."""

    targets: Mapping[str, Targets]
    failing: frozenset[str]
    """Leases whose checks fail, but which are kept."""
    silent_s: float | None


def _unchecked(_url: str) -> bool | None:
    return None


class LeaseWatch:
    """One per worker. `on_change` is called on the event loop with all of a service's targets, in the order of URLs.

    `passes` says what the checks of a URL say: True, False, or None where nothing is known. It is called in the
    watch's thread.
    """

    def __init__(
        self,
        on_change: OnChange,
        *,
        passes: Passes = _unchecked,
        var_dir: Path | None = None,
        poll_s: float = POLL_S,
        first_answer_s: float = FIRST_ANSWER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_change = on_change
        self._passes = passes
        self._file = LeaseFile(var_dir) if var_dir is not None else None
        self._first_answer_s = first_answer_s
        self._clock = clock
        self._poller = Poller(
            "lease-watch",
            self._look,
            complaint="discovered targets are not followed",
            poll_s=poll_s,
            lane=FOLLOWING,
            goodbye=lambda: self._keep(at_once=True),
        )
        self.wake = self._poller.wake
        self.targets: dict[str, Targets] = {}
        """By service; as `on_change` was told."""
        self._is_loaded = False
        self._known: dict[str, dict[str, LeasedTarget]] = {}
        self._service_of: dict[str, str] = {}
        self._failing: dict[str, float] = {}
        self._seen: int | None = None
        self._answered_at: float | None = None
        self._contact_since = 0.0
        self._check_at = self._save_at = self._prune_at = 0.0
        self._is_dirty = False

    @property
    def database_error(self) -> str:
        """Why the database cannot be used now; empty while it can."""
        return self._poller.error

    @property
    def standing(self) -> Standing:
        """May be read from any thread."""
        answered = self._answered_at
        silent_s = float("inf") if answered is None else self._clock() - answered
        is_silent = bool(self._poller.error) or silent_s > SILENCE_S
        return Standing(self.targets, frozenset(self._failing), silent_s if is_silent else None)

    def listen(self, *, redis_url: str | None = None) -> None:
        """Before `start`: also be woken over PostgreSQL, if that is the database, and over Redis."""
        self._poller.listen(leases.CHANNEL, redis_url)

    async def start(self) -> None:
        """Returns once the targets are known, or the database did not answer in time and the kept ones are used."""
        self._loop = asyncio.get_running_loop()
        self._poller.start()
        await self._poller.first_answer(self._first_answer_s)
        if not self._is_loaded and self._file is not None:
            if kept := self._file.load():
                LOG.warning("the discovered targets of %d services are the kept ones", len(kept))
            self._tell(kept)
        _running.append(self)

    async def stop(self) -> None:
        """Ends the threads without waiting for a database that hangs."""
        if self in _running:
            _running.remove(self)
        await self._poller.stop()

    def _tell_all(self, found: Mapping[str, Targets]) -> None:
        self._is_loaded = True
        self._tell({**dict.fromkeys(self.targets, ()), **found})

    def _tell(self, found: Mapping[str, Targets]) -> None:
        """On the event loop."""
        for service, targets in found.items():
            if targets == self.targets.get(service, ()):
                continue
            if targets:
                self.targets[service] = targets
            else:
                del self.targets[service]
            try:
                self._on_change(service, targets)
            except Exception:
                LOG.exception("the targets of %s could not be taken over", service)

    # From here on: the poller's own thread.

    def _look(self) -> None:
        with self._poller.asking():
            now = self._clock()
            last = self._answered_at
            if self._poller.error or last is None or now - last > SILENCE_S:
                self._contact_since = now
            self._read(leases.newest_lately(seen=self._seen), now)
            self._answered_at = self._clock()
            try:
                self._let_go(now)
            except DatabaseError as error:
                if "locked" not in str(error):
                    raise
                LOG.debug("leases wait for another write: %s", error)
        self._keep()

    def _read(self, newest: int, now: float) -> None:
        if self._seen is None or newest < self._seen:
            if self._seen is not None:
                LOG.warning(
                    "the database is older than what is known of discovered targets: they are read anew"
                )
                self._contact_since = now
            rows = _rows(Lease.objects.filter(state=LeaseState.APPROVED))
            self._known, self._service_of = {}, {}
            self._take(rows)
            self._seen = newest
            self._call(partial(self._tell_all, self._all()))
        elif newest > self._seen:
            touched = self._take(_rows(Lease.objects.filter(changed__gt=self._seen)))
            self._seen = newest
            self._call(partial(self._tell, {service: self._of(service) for service in touched}))

    def _take(self, rows: Iterable[tuple[Any, ...]]) -> set[str]:
        """Takes rows over; the services that they belong to."""
        touched = set()
        for pk, service, state, *columns in rows:
            lease = str(pk)
            if state == LeaseState.APPROVED:
                self._known.setdefault(service, {})[lease] = LeasedTarget(lease, *columns)
                self._service_of[lease] = service
            elif self._service_of.pop(lease, None) is not None:
                del self._known[service][lease]
            touched.add(service)
        self._is_dirty = True
        return touched

    def _of(self, service: str) -> Targets:
        return tuple(sorted(self._known.get(service, {}).values(), key=lambda target: target.url))

    def _all(self) -> dict[str, Targets]:
        return {service: found for service in self._known if (found := self._of(service))}

    def _let_go(self, now: float) -> None:
        if leases.may_expire():
            leases.expire(in_contact_s=now - self._contact_since)
        if now >= self._check_at:
            self._check_at = now + CHECK_S
            if gone := lapsed(self._checked(now)):
                leases.end(gone, by="", why=leases.LAPSED)  # type: ignore[arg-type] # texts of UUIDs do
        if now >= self._prune_at:
            leases.forget_unapproved()
            more = leases.prune(datetime.now(UTC))
            self._prune_at = now if more else now + PRUNE_S

    def _checked(self, now: float) -> list[Checked]:
        """The targets of services of which a check says no, and for how long it has said so."""
        failing: dict[str, float] = {}
        services = set()
        for service, targets in self._known.items():
            for lease, target in targets.items():
                if self._passes(target.url) is False:
                    failing[lease] = self._failing.get(lease, now)
                    services.add(service)
        self._failing = failing
        return [
            Checked(
                lease=lease,
                service=service,
                check_interval_s=target.check_interval_s,
                has_ttl=target.ttl_s is not None,
                passes=False if lease in failing else self._passes(target.url),
                failing_s=now - failing[lease] if lease in failing else None,
            )
            for service in services
            for lease, target in self._known[service].items()
        ]

    def _keep(self, *, at_once: bool = False) -> None:
        """Writes what is known to VAR_DIR, now and then."""
        now = self._clock()
        if self._file is None or not self._is_dirty or (now < self._save_at and not at_once):
            return
        self._save_at = now + SAVE_S
        try:
            self._file.save(self._all())
            self._is_dirty = False
        except OSError as error:
            LOG.warning("discovered targets are not kept in %s: %s", self._file.path, error)

    def _call(self, function: Callable[[], None]) -> None:
        if not self._poller.stopped:
            self._loop.call_soon_threadsafe(function)


def _rows(found: QuerySet[Lease]) -> list[tuple[Any, ...]]:
    return list(found.values_list(*_COLUMNS))


_running: list[LeaseWatch] = []


def running() -> LeaseWatch | None:
    """This process's watch, if it has one."""
    return _running[-1] if _running else None
