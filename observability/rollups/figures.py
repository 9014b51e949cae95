"""P: What is counted of requests, added up over a span of time, and how it is written into a row."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import orjson

from observability.traffic.folding import Cell, Spent
from observability.traffic.histogram import quantile, up_to

LEFT: Final = 499
"""The client left: nobody's failure."""
_ERROR: Final = 500


@dataclass(slots=True)
class Figures(Cell):
    """Requests of any status. Durations in seconds, sizes in bytes."""

    statuses: dict[str, int] = field(default_factory=dict)
    """How many had which status: "200"; with the code, if the gateway refused them: "429 RATE_LIMIT"."""

    def take(self, status: int, code: str, cell: Cell) -> None:
        """Adds requests of one status."""
        Cell.add(self, cell)
        key = f"{status} {code}" if code else str(status)
        self.statuses[key] = self.statuses.get(key, 0) + cell.count

    def spend(self, spent: Spent) -> None:
        """Adds what some requests took of something, which has no statuses."""
        Cell.add(self, Cell(sum(spent.buckets.values()), spent.seconds, buckets=spent.buckets))

    def merge(self, other: "Figures") -> None:
        Cell.add(self, other)
        for key, count in other.statuses.items():
            self.statuses[key] = self.statuses.get(key, 0) + count

    @property
    def errors(self) -> int:
        """Answers of 500 and more, and those that a stopping gateway did not give."""
        return sum(count for key, count in self.statuses.items() if is_error(status_of(key)))

    @property
    def refused(self) -> int:
        """What the gateway answered itself with 4xx."""
        return sum(count for key, count in self.statuses.items() if " " in key and key[0] == "4")

    @property
    def left(self) -> int:
        """Clients that went before their answer."""
        return sum(count for key, count in self.statuses.items() if status_of(key) == LEFT)

    @property
    def valid(self) -> int:
        """What an objective is a share of: all but those whose client left."""
        return self.count - self.left

    @property
    def classes(self) -> dict[str, int]:
        """By the status's first digit: 2xx and so on; `left` are 499, `none` had no answer."""
        found: dict[str, int] = {}
        for key, count in self.statuses.items():
            name = class_of(status_of(key))
            found[name] = found.get(name, 0) + count
        return found

    @property
    def codes(self) -> dict[str, int]:
        """What the gateway refused, by its code."""
        found: dict[str, int] = {}
        for key, count in self.statuses.items():
            code = key.partition(" ")[2]
            if code:
                found[code] = found.get(code, 0) + count
        return found

    @property
    def mean_s(self) -> float:
        return self.seconds / self.count if self.count else 0.0

    def quantile_s(self, share: float) -> float:
        """The duration that `share` (0 to 1) did not exceed, within 4.5 %; 0.0 for no requests."""
        return quantile(self.buckets, share)

    def within(self, seconds: float) -> int:
        """How many took no longer: exact if `seconds` is a bound of a bucket, else within 9 % of it."""
        return up_to(self.buckets, seconds)


def status_of(key: str) -> int:
    """Of a key of `statuses`."""
    return int(key.partition(" ")[0])


def is_error(status: int) -> bool:
    """Whether the gateway, or what is behind it, failed."""
    return status >= _ERROR or status == 0


def class_of(status: int) -> str:
    if status == LEFT:
        return "left"
    return f"{status // 100}xx" if status else "none"


def summed(many: Iterable[Figures]) -> Figures:
    total = Figures()
    for each in many:
        total.merge(each)
    return total


def packed(counts: Mapping[str, int] | Mapping[int, int]) -> str:
    """As a column keeps them: JSON."""
    return orjson.dumps(counts, option=orjson.OPT_NON_STR_KEYS).decode()


def unpacked(text: str) -> dict[str, int]:
    found: dict[str, int] = orjson.loads(text)
    return found


def unpacked_buckets(text: str) -> dict[int, int]:
    return {int(number): count for number, count in unpacked(text).items()}
