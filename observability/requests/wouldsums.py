"""P: Whom policies in mode log would have refused, summed up until somebody writes it down."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from observability.traffic.record import Record

MOST: Final = 2000


class Key(NamedTuple):
    """`quota` is empty but for quotas; `caller` is a consumer, or an address where nobody is known."""

    route: str
    policy: str
    quota: str
    caller: str


@dataclass(slots=True)
class Sum:
    """Moments in epoch seconds. Code, message and request are those of the last one."""

    count: int
    first_at: float
    last_at: float
    code: str
    message: str
    request_id: str

    def add(self, other: "Sum") -> None:
        self.first_at = min(self.first_at, other.first_at)
        self.count += other.count
        if other.last_at >= self.last_at:
            self.last_at, self.code = other.last_at, other.code
            self.message, self.request_id = other.message, other.request_id


class WouldSums:
    """Bounded: what would be more than MOST callers of policies at a time is counted, and left out."""

    __slots__ = ("_sums", "left_out")

    def __init__(self) -> None:
        self._sums: dict[Key, Sum] = {}
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._sums)

    def note(self, record: Record, offset_s: float) -> None:
        """All that would have refused this request."""
        at = record.ended + offset_s
        request_id = record.request_id.decode("latin-1")
        for policy, refusal in record.would:
            quota = str(refusal.details.get("quota", "")) if policy == "quotas" else ""
            key = Key("" if record.route is None else record.route.name, policy, quota, caller_of(record))
            self._add(key, Sum(1, at, at, refusal.code.value, refusal.message, request_id))

    def take(self) -> dict[Key, Sum]:
        """Everything, which is then no longer here."""
        taken, self._sums = self._sums, {}
        return taken

    def put_back(self, taken: Mapping[Key, Sum]) -> None:
        """What could not be written."""
        for key, found in taken.items():
            self._add(key, found)

    def _add(self, key: Key, found: Sum) -> None:
        known = self._sums.get(key)
        if known is not None:
            known.add(found)
        elif len(self._sums) >= MOST:
            self.left_out += found.count
        else:
            self._sums[key] = found


def caller_of(record: Record) -> str:
    """Who it was, as far as it is known."""
    if record.identity is not None:
        return record.identity.consumer
    return "" if record.origin is None else record.origin.client_ip


def digest(key: Key) -> str:
    """What makes a row's key short."""
    return hashlib.sha256("\0".join(key).encode("utf-8", "replace")).hexdigest()[:32]
