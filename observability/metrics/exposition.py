"""P: Samples as text: Prometheus text, or OpenMetrics if it is asked for.

prometheus_client chooses the form and writes what is said of each metric. Its lines of values take too long for ten
thousand routes with a histogram each, so they are written here, to the same bytes. It comes in pieces, each made in
about a millisecond, so that nobody is kept waiting.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, islice
from typing import Final

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from observability.metrics.catalogue import BOUNDS_S, FAMILIES, Family
from observability.metrics.samples import Distribution, Labels, Samples, Value

ROWS: Final = 100
"""Of one piece; a histogram is twenty samples."""
_LE: Final = (*(f"{bound:g}" for bound in BOUNDS_S), "+Inf")
_PLAIN: Final = 1_000_000
"""Whole numbers below it are written with all their digits."""
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
        rows = iter(list(samples.values.get(name, {}).items()))
        head = encode(_Heads(head_of(family))).removesuffix(end)
        while part := list(islice(rows, ROWS)):
            yield head + "".join([_line(family, row) for row in part]).encode()
            head = b""
    if end:
        yield end


def head_of(family: Family) -> Metric:
    """A family of prometheus_client, without values."""
    base = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    return Metric(base, family.help, family.kind)


def _line(family: Family, row: tuple[Labels, Value]) -> str:
    """The lines of one row. Labels stand in alphabetical order, as prometheus_client has them."""
    values, value = row
    pairs = sorted(zip(family.labels, values, strict=True))
    labels = ",".join([f'{label}="{_escaped(text)}"' for label, text in pairs])
    if isinstance(value, Distribution):
        return _histogram(family.name, labels, value)
    return f"{family.name}{{{labels}}} {_number(value)}\n" if labels else f"{family.name} {_number(value)}\n"


def _histogram(name: str, labels: str, value: Distribution) -> str:
    start, rest = f'{name}_bucket{{le="', f'",{labels}}} ' if labels else '"} '
    counts = list(accumulate(value.counts))
    lines = [f"{start}{le}{rest}{_number(count)}\n" for le, count in zip(_LE, counts, strict=True)]
    braced = f"{{{labels}}}" if labels else ""
    lines.append(f"{name}_count{braced} {_number(counts[-1])}\n{name}_sum{braced} {_number(value.seconds)}\n")
    return "".join(lines)


def _number(value: float) -> str:
    if type(value) is int and 0 <= value < _PLAIN:
        return f"{value}.0"
    return str(floatToGoString(value))  # type: ignore[no-untyped-call]


def _escaped(text: str) -> str:
    if "\\" in text or '"' in text or "\n" in text:
        return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
    return text
