"""D: What is recorded of calendar quotas, in words: whose count, of which limit, what is left, and when it ends."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from authproxy.limited import caller_text
from authproxy.models import ApiKey, Consumer
from authproxy.moments import rfc3339
from authproxy.quotalog import CALENDARS
from resilience.models import QuotaCount, QuotaReset
from resilience.policies import QuotaPolicy
from routing.admin import snapshots
from routing.problems import ConfigurationInvalid
from routing.snapshot import Snapshot

_DIGEST_LENGTH: Final = 32
_Plan = str


class Told(NamedTuple):
    """One count. `limit` and `left` are None where the live configuration has no such quota of that period."""

    quota: str
    period: str
    key: str
    caller: str
    used: int
    limit: int | None
    left: int | None
    ends_at: datetime
    is_over: bool

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.is_over:
            return "over"
        return "used up" if self.left == 0 else "has room"


def current(now: datetime | None = None) -> Q:
    """Of rows: those whose window has not ended."""
    return Q(ends_s__gt=(now or timezone.now()).timestamp())


def of_quota(name: str) -> Q:
    """Of rows: those of one quota, by the day and by the month."""
    found = Q()
    for letter in CALENDARS:
        found |= Q(bucket__startswith=f"{letter}|{name}|")
    return found


def of_period(period: str) -> Q:
    """Of rows: by the `day` or by the `month`."""
    return Q(bucket__startswith=f"{period[:1]}|")


def of_key(quota: str, key: str) -> Q:
    """Of rows: one caller's of one quota."""
    return Q(bucket__in=[f"{letter}|{quota}|{key}" for letter in CALENDARS])


def quota_names() -> list[str]:
    """The calendar quotas of the live configuration."""
    snapshot = _snapshot()
    return sorted(name for name, each in snapshot.quotas.items() if each.calendar) if snapshot else []


def told(rows: Iterable[QuotaCount]) -> list[Told]:
    """In their order. The limit is the one of the caller's plan, if that has one."""
    found = list(rows)
    snapshot, plans = _snapshot(), _plans([_parts(row.bucket)[2] for row in found])
    now = timezone.now().timestamp()
    return [_told(row, snapshot, plans, now) for row in found]


def as_json(rows: Iterable[QuotaCount]) -> list[dict[str, Any]]:
    """For programs, in their order."""
    return [
        {
            "quota": each.quota,
            "per": each.period,
            "key": each.key,
            "caller": each.caller,
            "used": each.used,
            "limit": each.limit,
            "left": each.left,
            "ends_at": rfc3339(each.ends_at),
        }
        for each in told(rows)
    ]


def history(bucket: str) -> QuerySet[QuotaReset]:
    """Who had it counted anew, the latest first."""
    return QuotaReset.objects.filter(bucket=bucket)


def _snapshot() -> Snapshot | None:
    try:
        kept = snapshots.live()
    except ConfigurationInvalid:
        return None
    return None if kept is None else kept.snapshot


def _parts(bucket: str) -> tuple[str, str, str]:
    """Letter, quota and key."""
    letter, quota, key = (*bucket.split("|", 2), "", "")[:3]
    return letter, quota, key


def _told(
    row: QuotaCount, snapshot: Snapshot | None, plans: Mapping[str, _Plan], now: float
) -> Told:  # fmt: skip
    letter, quota, key = _parts(row.bucket)
    period = CALENDARS.get(letter, "")
    policy = _policy(snapshot, quota, next((plans[part] for part in key.split("|") if part in plans), ""))
    limit = policy.limit if policy is not None and policy.calendar == period else None
    is_over = row.ends_s <= now
    left = None if limit is None else max(0, limit - row.count)
    ends_at = datetime.fromtimestamp(row.ends_s, UTC)
    return Told(quota, period, key, _caller(key), row.count, limit, left, ends_at, is_over)


def _policy(snapshot: Snapshot | None, quota: str, plan: _Plan) -> QuotaPolicy | None:
    if snapshot is None:
        return None
    return snapshot.plans.get(plan, {}).get(quota) or snapshot.quotas.get(quota)


def _caller(key: str) -> str:
    """Of a key that is too long only a digest is known."""
    if len(key) == _DIGEST_LENGTH and not set(key) - set("0123456789abcdef"):
        return f"#{key}"
    return caller_text(key)


def _plans(keys: Sequence[str]) -> dict[str, _Plan]:
    """The plans of the consumers and keys that these keys name, by the part that names them."""
    parts = {part for key in keys for part in key.split("|")}
    numbers = {part.removeprefix("api_key:"): part for part in parts if part.startswith("api_key:")}
    names = [part.removeprefix("consumer:") for part in parts if part.startswith("consumer:")]
    consumers = Consumer.objects.filter(name__in=names)
    found = {f"consumer:{name}": plan for name, plan in consumers.values_list("name", "plan")}
    by_key = ApiKey.objects.filter(pk__in=[number for number in numbers if number.isdecimal()])
    return found | {numbers[str(pk)]: plan for pk, plan in by_key.values_list("pk", "consumer__plan")}
