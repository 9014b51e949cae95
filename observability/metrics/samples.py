"""P: What a worker has counted, and how that of several becomes one; as lines, for files.

Labels are kept as the text that they are shown as, which is made once in the life of a worker. Whoever handles many
rows does so in steps of at most ROWS and calls `rest` after each: the event loop gets its turns in between.

There are texts, numbers and bytes here, and dictionaries of them: nothing that the garbage collector looks into. Ten
thousand lists of numbers would set it off, and it holds the interpreter for 5 to 20 ms while it walks through them.
"""

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from operator import add
from struct import Struct
from typing import Final

import orjson

from observability.metrics.catalogue import BOUNDS_S, FAMILIES, Family

ROWS: Final = 32
"""Of one step, and of one line in a file."""
PLACES: Final = len(BOUNDS_S) + 1
"""The last is for what is longer than every bound."""

Labels = str
"""`method="GET",route="a"`: in alphabetical order, without braces."""
Distribution = bytes
"""Packed: how many durations each of PLACES buckets holds, not cumulated, and behind them all durations in seconds."""
_PACKED: Final = Struct(f"={PLACES}qd")
Value = float | Distribution
Rows = Mapping[Labels, Value]
Part = tuple[str, dict[Labels, Value]]
"""A metric, and at most ROWS of its rows."""


def distribution(counts: Iterable[int] = (0,) * PLACES, seconds: float = 0.0) -> Distribution:
    """Of the counts of PLACES buckets."""
    return packed([*counts, seconds])


def packed(numbers: Iterable[float]) -> Distribution:
    """Of the counts, and the seconds behind them."""
    return _PACKED.pack(*numbers)


def unpacked(value: Distribution) -> tuple[float, ...]:
    """The counts, and the seconds behind them."""
    return _PACKED.unpack(value)


def labels_of(family: Family, values: Iterable[str]) -> Labels:
    """As prometheus_client writes them. ValueError: not one value for each label of the family."""
    pairs = sorted(zip(family.labels, values, strict=True))
    return ",".join([f'{label}="{_escaped(text)}"' for label, text in pairs])


def _escaped(text: str) -> str:
    if "\\" in text or '"' in text or "\n" in text:
        return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return text


class Samples:
    """Values by metric and labels. `rest` is called at least once for each ROWS rows."""

    __slots__ = ("_handled", "rest", "values")

    def __init__(self, rest: Callable[[], object] = bool) -> None:
        self.rest = rest
        self.values: dict[str, dict[Labels, Value]] = {}
        self._handled = 0

    def put(self, name: str, value: Value, *labels: str) -> None:
        """Sets one; a metric that is not in the catalogue is a KeyError."""
        self.values.setdefault(name, {})[labels_of(FAMILIES[name], labels)] = value
        self._handled += 1
        if not self._handled % ROWS:
            self.rest()

    def put_rows(self, name: str, rows: Rows) -> None:
        """Sets up to ROWS of them, whose labels are written already."""
        self.values.setdefault(name, {}).update(rows)
        self.rest()

    def get(self, name: str, *labels: str) -> Value | None:
        """One of them, if it is there."""
        return self.values.get(name, {}).get(labels_of(FAMILIES[name], labels))

    def add(self, other: "Samples") -> None:
        """Those of another worker, which has none afterwards."""
        for name, rows in other.parts():
            self.add_rows(name, rows)
        other.let_go()

    def add_rows(self, name: str, rows: Rows) -> None:
        """Up to ROWS of another worker's."""
        own = self.values.setdefault(name, {})
        together = _TOGETHER[FAMILIES[name].merge]
        for labels, value in rows.items():
            known = own.get(labels)
            if known is None:
                own[labels] = value
            elif isinstance(known, bytes) and isinstance(value, bytes):
                own[labels] = packed(map(add, unpacked(known), unpacked(value)))
            else:
                own[labels] = together(known, value)
        self.rest()

    def let_go(self) -> None:
        """Nobody needs them any more: to free many at once would be a long step."""
        while self.values:
            name = next(iter(self.values))
            rows = self.values[name]
            while rows:
                for _ in range(min(ROWS, len(rows))):
                    rows.popitem()
                self.rest()
            del self.values[name]

    def parts(self) -> Iterator[Part]:
        """All of them, at most ROWS at a time, in the order in which they came."""
        for name in list(self.values):
            for part in self.parts_of(name):
                yield name, part

    def parts_of(self, name: str) -> Iterator[dict[Labels, Value]]:
        """The rows of one metric, at most ROWS at a time, in the order in which they came."""
        rows = iter(self.values.get(name, {}).items())
        while part := dict(islice(rows, ROWS)):
            yield part


_TOGETHER: Final[dict[str, Callable[..., float]]] = {"sum": add, "max": max, "min": min}


def to_lines(samples: Samples) -> Iterator[bytes]:
    """Each ends in a line feed."""
    for name, rows in samples.parts():
        is_histogram = FAMILIES[name].kind == "histogram"
        shown = {labels: _text_of(value) for labels, value in rows.items()} if is_histogram else rows
        yield orjson.dumps([name, shown]) + b"\n"
        samples.rest()


def from_lines(lines: Iterable[bytes], *, only_counts: bool = False) -> Iterator[Part]:
    """What `to_lines` wrote, a part for each line. A metric that is not known any more is left out; ValueError: it is
    something else. `only_counts`: its worker is gone, and how it stood says nothing any more."""
    for line in lines:
        try:
            name, rows = orjson.loads(line)
            family = FAMILIES.get(name)
            if family is None or (only_counts and family.kind == "gauge"):
                continue
            if family.kind == "histogram":
                rows = {labels: _distribution_of(text) for labels, text in rows.items()}
            else:
                sum(rows.values())  # that all are numbers
        except (TypeError, AttributeError) as error:
            raise ValueError(str(error)) from error
        yield name, rows


def _text_of(value: Value) -> str:
    assert isinstance(value, bytes)
    return b2a_base64(value, newline=False).decode()


def _distribution_of(text: str) -> Distribution:
    """TypeError or ValueError: it is none."""
    found = a2b_base64(text)
    if len(found) != _PACKED.size:
        raise ValueError("no distribution")
    return found
