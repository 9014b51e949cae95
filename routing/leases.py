"""D: Leases begin, are renewed, approved and ended here, whoever asks: the API, admin, the command line, a worker.

Whoever changes one holds the row of LeaseCount first, so that everybody takes locks in the same order and workers see
changes in the order of the commits. A renewal changes nothing that workers would have to know.
"""

import logging
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from routing.auditing import Deed, changed, record
from routing.dbtext import db_text
from routing.lately import answers, number
from routing.leasing import Registration, Scheme
from routing.locking import clear_errors
from routing.models import Lease, LeaseCount, LeaseState, Trust
from routing.notify import tell
from routing.rows.leases import WHO_LENGTH, WHY_LENGTH

LOG: Final = logging.getLogger("torana.discovery")
CHANNEL: Final = "torana_leases"
MOST_OF_ONE: Final = 20_000
"""Live leases of one account."""
QUARANTINE: Final = timedelta(days=7)
"""For so long a lease without ttl waits for approval."""
KEPT_FOR: Final = timedelta(days=30)
KEPT_ROWS: Final = 100_000
AT_ONCE: Final = 1000
EXPIRED: Final = "it was not renewed"
FORGOTTEN: Final = "nobody approved it"
LAPSED: Final = "its check failed"
LEFT: Final = "it left"
REJECTED: Final = "rejected"
SHUT_OUT: Final = "its account was shut out"
_NEWEST: Final = "SELECT number FROM routing_leasecount WHERE id = 1"
_MAY_EXPIRE: Final = "SELECT MIN(expires_at) FROM routing_lease WHERE ended_at IS NULL"


class LeaseRefused(Exception):  # noqa: N818 - a refusal, told in one sentence
    """What was asked for cannot be done; `reason` says so to programs."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Registered(NamedTuple):
    """The lease; `is_new` False: there was one for this address, which is renewed."""

    lease: Lease
    is_new: bool


def register(
    registration: Registration,
    *,
    consumer: str,
    approves: bool,
    scheme: Scheme = "http",
    may: Callable[[], bool] = lambda: True,
) -> Registered:
    """Begins a lease, or renews the account's own one for that address. `approves`: without anybody's word.

    `scheme` is what stands before addresses whose registration names none. `may` says whether the account may register
    still: nobody ends its leases between that and the end of this.
    """
    if not 0 < len(consumer) <= WHO_LENGTH or "\0" in consumer:
        raise LeaseRefused("caller", "The name of this account is too long to be kept.")
    url = registration.url(scheme)
    with clear_errors(), transaction.atomic():
        count = hold()
        if not may():
            raise LeaseRefused("caller", "This account may not register any more.")
        now = database_now()
        there = list(Lease.objects.filter(url=url, ended_at=None))
        if any(lease.consumer != consumer for lease in there):
            raise LeaseRefused("taken", f"Somebody else has registered {url}.")
        mine = next((lease for lease in there if lease.service == registration.service), None)
        if mine is not None:
            _renew_by_registration(mine, registration, count, now)
            return Registered(mine, False)
        if Lease.objects.filter(consumer=consumer, ended_at=None).count() >= MOST_OF_ONE:
            raise LeaseRefused("too_many", f"This account has {MOST_OF_ONE} registrations already.")
        return Registered(_begin(registration, url, consumer, approves, count, now), True)


def renew(lease_id: UUID, *, consumer: str | None) -> Lease:
    """A lease goes on for another ttl. `consumer` None: staff may renew anybody's."""
    with clear_errors():
        lease = _live_one(lease_id, consumer)
        now = database_now()
        lease.renewed_at, lease.expires_at = now, _expiry(lease.ttl_s, now)
        same = Lease.objects.filter(pk=lease_id, ended_at=None)
        if not same.update(renewed_at=lease.renewed_at, expires_at=lease.expires_at):
            raise _unknown()
        return lease


def leave(lease_id: UUID, *, consumer: str | None, by: str, why: str = LEFT) -> Lease:
    """Ends one lease. `consumer` None: staff may end anybody's."""
    with clear_errors(), transaction.atomic():
        hold()
        lease = _live_one(lease_id, consumer)
        end([lease_id], by=by, why=why)
        return lease


def approve(leases: Iterable[UUID], *, by: str) -> list[Lease]:
    """Lets leases out of quarantine, and later ones of the same account for the same service with them."""
    with clear_errors(), transaction.atomic():
        count, now = hold(), database_now()
        found = list(Lease.objects.filter(pk__in=list(leases), state=LeaseState.PENDING))
        if found:
            _change(
                Lease.objects.filter(pk__in=[lease.pk for lease in found]),
                count,
                state=LeaseState.APPROVED,
                decided_at=now,
                decided_by=by[:WHO_LENGTH],
            )
            _decide(found, True, by=by, now=now)
        _log("approved", found, by)
        _note("approve", found, by, "", state=LeaseState.APPROVED)
        return found


def reject(leases: Iterable[UUID], *, by: str, why: str = "") -> list[Lease]:
    """Ends leases; later ones of the same account for the same service wait for approval."""
    reason = f"{REJECTED}: {why}" if why else REJECTED
    with clear_errors(), transaction.atomic():
        found = end(leases, by=by, why=reason)
        _decide(found, False, by=by, now=database_now())
        return found


def end(leases: Iterable[UUID], *, by: str, why: str) -> list[Lease]:
    """Ends those of these leases that are live; they were these."""
    with clear_errors(), transaction.atomic():
        count = hold()
        found = list(Lease.objects.filter(pk__in=list(leases), ended_at=None))
        if found:
            _end(Lease.objects.filter(pk__in=[lease.pk for lease in found]), count, by=by, why=why)
        _log(f"ended ({why})", found, by)
        word = "reject" if why.startswith(REJECTED) else "leave" if why == LEFT else "end"
        _note(word, found, by, why, state=LeaseState.ENDED)
        return found


def shut_out(consumers: Iterable[str], *, by: str) -> int:
    """Ends all that these accounts registered, in the transaction that shuts them out; how many.

    Whoever registers for one of them meanwhile was first, and it ends, or comes later, and is refused.
    """
    names = list(consumers)
    if not names:
        return 0
    with transaction.atomic():
        count, ended = hold(), 0
        for begin in range(0, len(names), AT_ONCE // 2):
            rows = Lease.objects.filter(consumer__in=names[begin : begin + AT_ONCE // 2], ended_at=None)
            if rows.exists():
                ended += _end(rows, count, by=by, why=SHUT_OUT)
    if ended:
        LOG.info("%d discovered targets ended: %s by %s", ended, SHUT_OUT, ascii(by))
    return ended


def rename(consumer: str, new: str) -> None:
    """An account has another name: what it registered, and what was decided about it, goes with it."""
    with transaction.atomic():
        hold()
        Trust.objects.filter(consumer=new).delete()
        Trust.objects.filter(consumer=consumer).update(consumer=new)
        Lease.objects.filter(consumer=consumer).update(consumer=new)


def forget(consumer: str, *, by: str) -> None:
    """An account is gone: what it registered ends, and an account of that name is nobody that staff have trusted."""
    with transaction.atomic():
        shut_out([consumer], by=by)
        Trust.objects.filter(consumer=consumer).delete()


def expire(*, in_contact_s: float) -> int:
    """Ends what was not renewed in time, whichever worker comes first; how many.

    `in_contact_s` is for how long the database has answered without a gap: before, nobody could renew, so that a
    lease ends only after one whole ttl of that.
    """
    return _end_those(Q(expires_at__lt=database_now(), ttl_s__lte=in_contact_s), EXPIRED)


def forget_unapproved() -> int:
    """Ends what has waited for approval too long and has no ttl; how many."""
    since = database_now() - QUARANTINE
    return _end_those(Q(ttl_s=None, state=LeaseState.PENDING, renewed_at__lt=since), FORGOTTEN)


def prune(now: datetime, *, kept: int = KEPT_ROWS) -> bool:
    """Deletes some of the history that is too old or too much; True if there may be more of it."""
    ended = Lease.objects.exclude(ended_at=None)
    beyond = ended.order_by("-ended_at").values_list("ended_at", flat=True)[kept : kept + 1]
    limit = max([now - KEPT_FOR, *(at for at in beyond if at is not None)])
    keys = list(ended.filter(ended_at__lte=limit).order_by("ended_at").values_list("pk", flat=True)[:AT_ONCE])
    if keys:
        Lease.objects.filter(pk__in=keys, ended_at__lte=limit).delete()
    return len(keys) == AT_ONCE


def database_now() -> datetime:
    """The time by the clock that all workers share: on PostgreSQL the server's, on SQLite this machine's."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
        return now


def newest() -> int:
    """The number of the last change; 0 before the first."""
    return LeaseCount.objects.filter(pk=1).values_list("number", flat=True).first() or 0


def newest_lately(*, seen: int | None) -> int:
    """The same, in a poller's thread perhaps of a moment ago; one below `seen` is of now."""
    return number(_NEWEST, seen=seen)


def may_expire() -> bool:
    """Whether any lease has an end; in a poller's thread perhaps as of a moment ago."""
    return answers(_MAY_EXPIRE)[0] is not None


def hold() -> LeaseCount:
    """The row that everybody holds who changes leases, until the end of the transaction."""
    count = LeaseCount.objects.select_for_update().filter(pk=1).first()
    if count is None:
        LeaseCount.objects.bulk_create([LeaseCount(pk=1)], ignore_conflicts=True)
        count = LeaseCount.objects.select_for_update().get(pk=1)
    return count


def _next(count: LeaseCount) -> int:
    """A new number; workers are told when the transaction commits."""
    count.number += 1
    count.save(update_fields=["number"])
    tell(CHANNEL, str(count.number))
    return count.number


def _change(rows: QuerySet[Lease], count: LeaseCount, **columns: object) -> int:
    return rows.update(changed=_next(count), **columns)


def _end(rows: QuerySet[Lease], count: LeaseCount, *, by: str, why: str) -> int:
    return _change(
        rows,
        count,
        state=LeaseState.ENDED,
        ended_at=database_now(),
        ended_by=by[:WHO_LENGTH],
        ended_why=db_text(why, WHY_LENGTH),
    )


def _end_those(which: Q, why: str) -> int:
    rows = Lease.objects.filter(which, ended_at=None)
    if not rows.exists():
        return 0
    with transaction.atomic():
        count = hold()
        ended = (
            _end(rows, count, by="", why=why) if rows.exists() else 0
        )  # another worker may have come first
    if ended:
        LOG.info("%d discovered targets ended: %s", ended, why)
    return ended


def _begin(
    registration: Registration, url: str, consumer: str, approves: bool, count: LeaseCount, now: datetime
) -> Lease:
    lease = Lease(
        service=registration.service,
        url=url,
        consumer=consumer,
        state=_first_state(registration.service, consumer, approves),
        created_at=now,
        changed=_next(count),
    )
    _take_over(lease, registration, now)
    lease.save(force_insert=True)
    _note("register", [lease], consumer, "", state=LeaseState(lease.state), is_new=True)
    LOG.info("%s registered %s: %s", ascii(consumer), lease, lease.state)
    return lease


def _renew_by_registration(
    lease: Lease, registration: Registration, count: LeaseCount, now: datetime
) -> None:
    before = _picture(lease)
    _take_over(lease, registration, now)
    if _picture(lease) != before:
        lease.changed = _next(count)
        about = (("services", lease.service), ("lease", lease.url))
        changes = changed("lease", lease.url, before, _picture(lease))
        record(Deed("discovery.change", about, lease.consumer, changes=changes))
    lease.save()


def _take_over(lease: Lease, registration: Registration, now: datetime) -> None:
    lease.weight = registration.weight
    lease.check_endpoint = registration.check_endpoint
    lease.check_interval_s = registration.check_interval_s
    lease.ttl_s = registration.ttl_s
    lease.renewed_at, lease.expires_at = now, _expiry(registration.ttl_s, now)


def _expiry(ttl_s: float | None, now: datetime) -> datetime | None:
    return None if ttl_s is None else now + timedelta(seconds=ttl_s)


def _first_state(service: str, consumer: str, approves: bool) -> LeaseState:
    """What was decided about this account and service counts for later registrations, too."""
    decided = Trust.objects.filter(service=service, consumer=consumer).values_list("is_trusted", flat=True)
    return LeaseState.APPROVED if next(iter(decided), approves) else LeaseState.PENDING


def _decide(leases: Collection[Lease], is_trusted: bool, *, by: str, now: datetime) -> None:
    for service, consumer in sorted({(lease.service, lease.consumer) for lease in leases}):
        Trust.objects.update_or_create(
            service=service,
            consumer=consumer,
            defaults={"is_trusted": is_trusted, "decided_at": now, "decided_by": by[:WHO_LENGTH]},
        )


def _live_one(lease_id: UUID, consumer: str | None) -> Lease:
    lease = Lease.objects.filter(pk=lease_id, ended_at=None).first()
    if lease is None or consumer not in (None, lease.consumer):
        raise _unknown()
    return lease


def _unknown() -> LeaseRefused:
    """Of somebody else's lease no more is said than of none."""
    return LeaseRefused("unknown", "There is no such lease, or it has ended: register again.")


def _note(
    word: str, leases: Collection[Lease], by: str, why: str, *, state: LeaseState, is_new: bool = False
) -> None:
    """For the audit trail: an event, whatever number of leases it is about. They are as they were before."""
    if leases:
        about = [("services", name) for name in sorted({each.service for each in leases})]
        about += [("lease", each.url) for each in leases]
        changes = [
            changed(
                "lease", each.url, None if is_new else _picture(each), {**_picture(each), "state": str(state)}
            )
            for each in leases
        ]
        record(Deed(f"discovery.{word}", tuple(about), by, why, tuple(one for (one,) in changes)))


def _picture(lease: Lease) -> dict[str, object]:
    """What workers know of it, and how it stands."""
    columns = ("service", "weight", "check_endpoint", "check_interval_s", "ttl_s")
    return {**{name: getattr(lease, name) for name in columns}, "state": str(lease.state)}


def _log(what: str, leases: Collection[Lease], by: str) -> None:
    """The rows tell it, too."""
    if leases:
        first = next(iter(leases))
        more = f" and {len(leases) - 1} more" if len(leases) > 1 else ""
        LOG.debug("%s%s: %s by %s", first, more, ascii(what), ascii(by))
