"""P: Samples as text: Prometheus text, or OpenMetrics if it is asked for.

prometheus_client chooses the form and writes what is said of each metric. Its lines of values take too long for ten
thousand routes with a histogram each, so they are written here, to the same bytes. It comes in pieces, each made in
about a millisecond, so that nobody is kept waiting.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import accumulate
from typing import Final

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from observability.metrics.catalogue import BOUNDS_S, FAMILIES, Family
from observability.metrics.samples import Distribution, Labels, Samples, Value, unpacked

_LE: Final = (*(f"{bound:g}" for bound in BOUNDS_S), "+Inf")
_PLAIN: Final = 1_000_000
"""Whole numbers below it are written with all their digits."""
_HERE: Final = "\0"
"""Where labels stand in a template."""
Encode = Callable[[Collector], bytes]


class _Heads(Collector):
    def __init__(self, *metrics: Metric) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def encoder_for(accept: str) -> tuple[Encode, str]:
    """What makes bytes of a collector, and their content type."""
    return choose_encoder(accept)


def pieces(samples: Samples, encode: Encode) -> Iterator[bytes]:
    """In the order of the catalogue; metrics without values are left out."""
    end = encode(_Heads())
    for name, family in FAMILIES.items():
        head = encode(_Heads(head_of(family))).removesuffix(end)
        for rows in samples.parts_of(name):
            yield head + "".join([_line(name, labels, value) for labels, value in rows.items()]).encode()
            head = b""
    if end:
        yield end


def head_of(family: Family) -> Metric:
    """A family of prometheus_client, without values."""
    base = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    return Metric(base, family.help, family.kind)


def _line(name: str, labels: Labels, value: Value) -> str:
    """The lines of one row."""
    if isinstance(value, bytes):
        return _histogram(name, labels, value)
    return f"{name}{{{labels}}} {_number(value)}\n" if labels else f"{name} {_number(value)}\n"


def _histogram(name: str, labels: Labels, value: Distribution) -> str:
    """Made by one template: a format string for the numbers, in which labels stand for themselves as _HERE."""
    *counts, seconds = unpacked(value)
    numbers = list(accumulate(counts))
    numbers.append(numbers[-1])
    if numbers[-1] < _PLAIN:
        made = _template(name, "%d.0") % (*numbers, _number(seconds))
    else:
        made = _template(name, "%s") % (*map(_number, numbers), _number(seconds))
    if labels:
        return made.replace(_HERE, labels)
    return made.replace(f",{_HERE}", "").replace(f"{{{_HERE}}}", "")


@cache
def _template(name: str, number: str) -> str:
    """`le` comes first: no label of a histogram stands before it in the alphabet."""
    buckets = "".join([f'{name}_bucket{{le="{le}",{_HERE}}} {number}\n' for le in _LE])
    return f"{buckets}{name}_count{{{_HERE}}} {number}\n{name}_sum{{{_HERE}}} %s\n"


def _number(value: float) -> str:
    if type(value) is int and 0 <= value < _PLAIN:
        return f"{value}.0"
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]
