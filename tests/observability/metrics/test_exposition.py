"""Samples as text."""

from collections.abc import Iterable
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from prometheus_client.registry import Collector

from observability.metrics import catalogue as names
from observability.metrics.catalogue import BOUNDS_S, FAMILIES
from observability.metrics.exposition import encoder_for, pieces
from observability.metrics.samples import PLACES, ROWS, Samples, distribution

OPENMETRICS = "application/openmetrics-text; version=1.0.0,text/plain;q=0.5"


def text(samples: Samples, accept: str = "") -> str:
    encode, _ = encoder_for(accept)
    return b"".join(pieces(samples, encode)).decode()


def some(number: int = 1) -> Samples:
    found = Samples()
    for route in range(number):
        found.put(names.REQUESTS, 3, f"r{route}", "s", "GET", "200")
        found.put(names.DURATION, distribution((1, 2, *[0] * (PLACES - 3), 4), 2.5), f"r{route}", "s")
    found.put(names.REVISION, 7)
    return found


def test_prometheus_reads_it() -> None:
    families = {family.name: family for family in prometheus(text(some()))}
    (requests,) = families["gateway_requests"].samples
    buckets = {
        sample.labels["le"]: sample.value
        for sample in families[names.DURATION].samples
        if sample.name.endswith("_bucket")
    }

    assert requests.labels == {"route": "r0", "service": "s", "method": "GET", "status": "200"}
    assert requests.value == 3
    assert (buckets["0.0005"], buckets["0.001"], buckets["32.768"], buckets["+Inf"]) == (1, 3, 3, 7)
    assert families["gateway_config_revision"].samples[0].value == 7


def test_openmetrics_reads_it() -> None:
    """Strictly: with its end, and nothing after."""
    found = text(some(), OPENMETRICS)
    families = {family.name: family for family in openmetrics(found)}

    assert families["gateway_requests"].samples[0].value == 3
    assert found.endswith("# EOF\n")
    assert found.count("# EOF") == 1


def test_content_types() -> None:
    assert encoder_for(OPENMETRICS)[1].startswith("application/openmetrics-text; version=1.0.0")
    assert encoder_for("*/*")[1].startswith("text/plain; version=0.0.4")


def test_many_rows_are_many_pieces_with_one_head() -> None:
    """Each is small, and they make one text that is read as a whole."""
    samples = some(3 * ROWS)
    for accept, parse in (("", prometheus), (OPENMETRICS, openmetrics)):
        encode, _ = encoder_for(accept)
        found = list(pieces(samples, encode))
        whole = b"".join(found).decode()

        assert max(piece.count(b"_sum{") + piece.count(b"_total{") for piece in found) == ROWS
        assert whole.count("# TYPE gateway_request_duration_seconds ") == 1
        assert sum(len(family.samples) for family in parse(whole)) == 3 * ROWS * (1 + PLACES + 2) + 1


def test_names_of_the_configuration_may_hold_anything() -> None:
    samples = Samples()
    samples.put(names.RETRIES, 1, 'a "b"\n\\c')
    (family,) = prometheus(text(samples))

    assert family.samples[0].labels == {"service": 'a "b"\n\\c'}


@given(
    st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), min_size=1, max_size=3, unique=True),
    st.lists(st.one_of(st.integers(0, 2**40), st.integers(0, 90_000)), min_size=PLACES, max_size=PLACES),
    st.floats(0, 1e12),
    st.sampled_from(["", OPENMETRICS]),
)
def test_it_is_what_prometheus_client_writes(
    keys: list[tuple[str, str]], counts: list[int], seconds: float, accept: str
) -> None:
    """To the byte, whatever names hold."""
    samples, theirs = Samples(), CollectorRegistry()
    histogram = HistogramMetricFamily(
        names.DURATION, FAMILIES[names.DURATION].help, labels=("route", "service")
    )
    bounds = [*(f"{bound:g}" for bound in BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, accumulate(counts), strict=True))
    bare = HistogramMetricFamily(names.LAG, FAMILIES[names.LAG].help)
    samples.put(names.LAG, distribution(counts, seconds))
    bare.add_metric((), buckets, seconds)
    gauge = GaugeMetricFamily(names.TARGET_UP, FAMILIES[names.TARGET_UP].help, labels=("service", "target"))
    for key in keys:
        samples.put(names.DURATION, distribution(counts, seconds), *key)
        histogram.add_metric(key, buckets, seconds)
        samples.put(names.TARGET_UP, seconds, *key)
        gauge.add_metric(key, seconds)

    class Theirs(Collector):
        def collect(self) -> Iterable[Metric]:
            return (histogram, gauge, bare)

    theirs.register(Theirs())

    assert text(samples, accept) == encoder_for(accept)[0](theirs).decode()


def test_nothing_counted_is_an_empty_text() -> None:
    assert text(Samples()) == ""
    assert text(Samples(), OPENMETRICS) == "# EOF\n"
