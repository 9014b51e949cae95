"""P: Requests that quotas refused, or would have refused: summed up by caller, and told to people.

A sum is what one quota refused one caller on one route. It lives in memory until it is written down.
"""

import re
from collections import deque
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final, NamedTuple

from routing.document.scalars import format_duration

MOST_CALLERS: Final = 500
MOST_IDS: Final = 20
_PERIODS: Final = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86_400.0: "24 hours"}
_DIGEST: Final = re.compile(r"%[0-9a-f]{32}")
_NAMES: Final = {
    "consumer": "consumer",
    "ip": "address",
    "api_key": "API key",
    "route": "route",
    "service": "service",
}
_Key = tuple[str, str, str]


class Limited(NamedTuple):
    """A request that a quota refused, or would have refused."""

    at: float  # epoch seconds
    quota: str
    caller: str  # whose requests are counted together
    route: str
    request_id: str
    limit: int
    per_s: float
    retry_after_s: float
    is_enforced: bool
    calendar: str = ""  # day or month, of which `per_s` is the longest


class Sum:
    """How often, since when, and the last of them."""

    __slots__ = ("first_at", "ids", "last", "refused", "would_refuse")

    def __init__(self, limited: Limited) -> None:
        self.first_at = limited.at
        self.last = limited
        self.refused = 0
        self.would_refuse = 0
        self.ids: deque[str] = deque(maxlen=MOST_IDS)

    def add(self, limited: Limited) -> None:
        """One more request."""
        if limited.is_enforced:
            self.refused += 1
        else:
            self.would_refuse += 1
        self.last = limited
        self.ids.append(limited.request_id)

    def add_later(self, later: "Sum") -> None:
        """What came after."""
        self.refused += later.refused
        self.would_refuse += later.would_refuse
        self.last = later.last
        self.ids.extend(later.ids)


class Sums:
    """Sums of some callers; not safe for threads without a lock around it."""

    def __init__(self, *, limit: int = MOST_CALLERS) -> None:
        self._sums: dict[_Key, Sum] = {}
        self._limit = limit
        self.left_out = 0
        """How many requests are in no sum, because there were too many callers at a time."""

    def __len__(self) -> int:
        return len(self._sums)

    def note(self, limited: Limited) -> None:
        """Takes a request in."""
        key = (limited.quota, limited.caller, limited.route)
        found = self._sums.get(key)
        if found is None:
            if len(self._sums) >= self._limit:
                self.left_out += 1
                return
            found = self._sums[key] = Sum(limited)
        found.add(limited)

    def take(self) -> Mapping[_Key, Sum]:
        """All of them; what comes now begins anew."""
        taken, self._sums = self._sums, {}
        return taken

    def put_back(self, sums: Mapping[_Key, Sum]) -> None:
        """Sums that were taken and not written come before those that are here."""
        later, self._sums = self._sums, dict(sums)
        for key, each in later.items():
            found = self._sums.get(key)
            if found is not None:
                found.add_later(each)
            elif len(self._sums) < self._limit:
                self._sums[key] = each
            else:
                self.left_out += each.refused + each.would_refuse


def digest(quota: str, caller: str, route: str) -> str:
    """What a sum is known by: callers may have long names."""
    whole = "\0".join((quota, caller, route)).encode("utf-8", "surrogatepass")
    return blake2b(whole, digest_size=16).hexdigest()


def period_text(per_s: float, calendar: str = "") -> str:
    """What stands after "per": minute, 5m, day (UTC)."""
    if calendar:
        return f"{calendar} (UTC)"
    return _PERIODS.get(per_s) or format_duration(per_s)


def caller_text(caller: str) -> str:
    """A bucket's key for people: `consumer ada, route orders`."""
    return ", ".join(_part_text(part) for part in caller.split("|"))


def why(*, quota: str, limit: int, per: str, caller: str, is_enforced: bool) -> str:
    """One sentence about a refusal."""
    verb = "were refused" if is_enforced else "would have been refused if the quota were enforced"
    return f"Quota {quota} allows {limit} requests per {per} to {caller_text(caller)}: further ones {verb}."


def _part_text(part: str) -> str:
    if part == "global":
        return "everybody together"
    kind, _, value = part.partition(":")
    if kind == "header":
        name, _, value = value.partition("=")
        return f"header {name}: {_plain(value)}"
    return f"{_NAMES.get(kind, kind)} {_plain(value)}".rstrip()


def _plain(value: str) -> str:
    """Without the escapes that keep parts apart; of a long or secret value there is only a digest."""
    if _DIGEST.fullmatch(value):
        return f"#{value[1:]}"
    return value.replace("%7C", "|").replace("%25", "%")
