"""P: Samples as text, in prometheus_client's families and encoders: Prometheus text, or OpenMetrics if it is asked for.

It comes in pieces, each made in a few milliseconds, so that ten thousand routes keep nobody waiting.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, islice
from typing import Final

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from observability.metrics.catalogue import BOUNDS_S, FAMILIES, Family
from observability.metrics.samples import Distribution, Labels, Samples, Value

ROWS: Final = 100
"""Of one piece; a histogram is twenty samples."""
_LE: Final = (*(f"{bound:g}" for bound in BOUNDS_S), "+Inf")
Encode = Callable[[Collector], bytes]


class _Part(Collector):
    def __init__(self, *metrics: Metric) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def encoder_for(accept: str) -> tuple[Encode, str]:
    """What makes bytes of a collector, and their content type."""
    return choose_encoder(accept)


def pieces(samples: Samples, encode: Encode) -> Iterator[bytes]:
    """In the order of the catalogue; metrics without values are left out."""
    end = encode(_Part())
    for name, family in FAMILIES.items():
        rows = iter(sorted(samples.values.get(name, {}).items()))
        is_first = True
        while part := list(islice(rows, ROWS)):
            piece = encode(_Part(metric_of(family, part))).removesuffix(end)
            yield piece if is_first else _without_head(piece)
            is_first = False
    if end:
        yield end


def metric_of(family: Family, rows: Iterable[tuple[Labels, Value]]) -> Metric:
    """A family of prometheus_client."""
    base = family.name.removesuffix("_total") if family.kind == "counter" else family.name
    metric = Metric(base, family.help, family.kind)
    for values, value in rows:
        labels = dict(zip(family.labels, values, strict=True))
        if isinstance(value, Distribution):
            _add_distribution(metric, labels, value)
        else:
            metric.add_sample(family.name, labels, value)
    return metric


def _add_distribution(metric: Metric, labels: dict[str, str], value: Distribution) -> None:
    count = 0
    for le, count in zip(_LE, accumulate(value.counts), strict=True):
        metric.add_sample(f"{metric.name}_bucket", {**labels, "le": le}, count)
    metric.add_sample(f"{metric.name}_count", labels, count)
    metric.add_sample(f"{metric.name}_sum", labels, value.seconds)


def _without_head(piece: bytes) -> bytes:
    """HELP and TYPE are said once."""
    while piece.startswith(b"# "):
        piece = piece.partition(b"\n")[2]
    return piece
