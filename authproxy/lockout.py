"""D: Lockout: after failed sign-ins the next ones wait, by account and address, by address, and by account.

    with lockout.turn(name, address):                # one after another, or guesses side by side would all be looked at
        wait = lockout.check(name, address)          # > 0: answer 429 with Retry-After, verify nothing
        … verify the password …
        wait = lockout.check(name, address)          # again: others may have failed meanwhile, on another worker
        lockout.succeeded(name, address)  or  lockout.failed(name, address)

Unknown names count like known ones. An attempt that was made to wait does not count. Every wait ends by itself, and an
address from which the account signed in before is judged by its own failures with that account alone: so nobody can
keep the owner out by guessing from elsewhere. `name` is the account's username, or what was typed where there is none.

Registrations are bounded alike, by address alone: `claim_registration` counts and judges in one step.
"""

import hashlib
import hmac
import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from authproxy.attempts import (
    ACCOUNT,
    ADDRESS,
    PAIR,
    REGISTRATION,
    Rule,
    Tally,
    after_failure,
    folded,
    network_of,
)
from authproxy.models import FailedSignIn

KNOWN_FOR: Final = timedelta(days=90)
LONGEST_TURN_S: Final = 15.0
_KEPT_FOR: Final = timedelta(days=1)
_PRUNED_AT_ONCE: Final = 1000
_PRUNE_EVERY: Final = timedelta(minutes=10)
_PAIR, _ADDRESS, _ACCOUNT, _KNOWN, _REGISTRATION = "pair", "address", "account", "known", "registration"
_RULES: Final[Mapping[str, Rule]] = {_PAIR: PAIR, _ADDRESS: ADDRESS, _ACCOUNT: ACCOUNT}
_turns: Final = tuple(Lock() for _ in range(1024))
_pruned_at = datetime.min.replace(tzinfo=timezone.get_default_timezone())


@contextmanager
def turn(name: str, address: str) -> Iterator[bool]:
    """Holds back other sign-ins of this account from this address, in this process. False: it took too long."""
    lock = _turns[zlib.crc32(_bucket(_PAIR, folded(name), network_of(address))) % len(_turns)]
    is_held = lock.acquire(timeout=LONGEST_TURN_S)
    try:
        yield is_held
    finally:
        if is_held:
            lock.release()


def check(name: str, address: str, *, now: datetime | None = None) -> int:
    """Whole seconds to wait before a sign-in is looked at; 0: now."""
    moment = now or timezone.now()
    buckets = _buckets(name, address)
    rows = {bytes(row.bucket): row for row in FailedSignIn.objects.filter(bucket__in=buckets.values())}
    known = rows.get(buckets[_KNOWN])
    is_known = known is not None and moment - known.last_at < KNOWN_FOR
    judged = (_PAIR,) if is_known else (_PAIR, _ADDRESS, _ACCOUNT)
    tallies = (_tally(rows.get(buckets[kind])) for kind in judged)
    return max(math.ceil(tally.wait_s(moment.timestamp())) for tally in tallies)


def failed(name: str, address: str, *, now: datetime | None = None) -> int:
    """Counts a failure; the seconds that the next attempt of this account from this address has to wait."""
    moment = now or timezone.now()
    buckets = _buckets(name, address)
    kinds = {buckets[kind]: kind for kind in _RULES}
    with transaction.atomic():
        _add_missing(sorted(kinds), moment)
        locked = FailedSignIn.objects.select_for_update().filter(bucket__in=kinds).order_by("bucket")
        for row in locked:
            _count(row, _RULES[kinds[bytes(row.bucket)]], moment)
    _prune(moment)
    return check(name, address, now=moment)


def succeeded(name: str, address: str, *, now: datetime | None = None) -> None:
    """Forgets the failures of this account from this address, and remembers that the two belong together.

    What the address failed with other accounts stays, or whoever has one account could guess others for ever.
    """
    moment = now or timezone.now()
    buckets = _buckets(name, address)
    FailedSignIn.objects.filter(bucket=buckets[_PAIR]).delete()
    if not FailedSignIn.objects.filter(bucket=buckets[_KNOWN]).update(last_at=moment):
        _add_missing([buckets[_KNOWN]], moment)


def claim_registration(address: str, *, now: datetime | None = None) -> int:
    """Seconds to wait before this address may ask for another account; 0: it may now, and that is counted."""
    moment = now or timezone.now()
    bucket = _bucket(_REGISTRATION, network_of(address))
    wait = 0.0
    with transaction.atomic():
        _add_missing([bucket], moment)
        for row in FailedSignIn.objects.select_for_update().filter(bucket=bucket):
            wait = _tally(row).wait_s(moment.timestamp())
            if not wait:
                _count(row, REGISTRATION, moment)
    _prune(moment)
    return math.ceil(wait)


def _buckets(name: str, address: str) -> dict[str, bytes]:
    account, network = folded(name), network_of(address)
    return {
        _PAIR: _bucket(_PAIR, account, network),
        _ADDRESS: _bucket(_ADDRESS, network),
        _ACCOUNT: _bucket(_ACCOUNT, account),
        _KNOWN: _bucket(_KNOWN, account, network),
    }


def _bucket(*parts: str) -> bytes:
    pepper = str(settings.CONFIG.credential_pepper).encode()
    message = "\0".join(("lockout", *parts)).encode("utf-8", "surrogatepass")
    return hmac.digest(pepper, message, hashlib.sha256)


def _tally(row: FailedSignIn | None) -> Tally:
    if row is None or not row.failures:
        return Tally()
    return Tally(
        row.failures, row.last_at.timestamp(), row.locked_until.timestamp() if row.locked_until else 0.0
    )


def _add_missing(buckets: list[bytes], moment: datetime) -> None:
    rows = [FailedSignIn(bucket=bucket, first_at=moment, last_at=moment) for bucket in buckets]
    FailedSignIn.objects.bulk_create(rows, ignore_conflicts=True)


def _count(row: FailedSignIn, rule: Rule, moment: datetime) -> None:
    now = moment.timestamp()
    tally = after_failure(_tally(row), rule, now)
    row.failures = tally.failures
    row.first_at = moment if tally.failures == 1 else row.first_at
    row.last_at = moment
    wait = tally.wait_s(now)
    row.locked_until = moment + timedelta(seconds=wait) if wait else None
    row.save()


def _prune(moment: datetime) -> None:
    """Drops what no longer counts, now and then and so many at once, however many names are tried."""
    global _pruned_at
    if abs(moment - _pruned_at) < _PRUNE_EVERY:
        return
    _pruned_at = moment
    failures = FailedSignIn.objects.filter(failures__gt=0, last_at__lt=moment - _KEPT_FOR)
    known = FailedSignIn.objects.filter(failures=0, last_at__lt=moment - KNOWN_FOR)
    for old in (failures, known):
        FailedSignIn.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_PRUNED_AT_ONCE])).delete()
