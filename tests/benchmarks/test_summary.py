"""Medians over rounds and ratios within them."""

import math

import pytest

from benchmarks import summary
from benchmarks.summary import Sample


def sample(cpu_us: float, *, errors: int = 0) -> Sample:
    return Sample(cpu_us, requests_per_s=1000, p50_ms=1, p99_ms=2, errors=errors)


def test_line_holds_median_extremes_and_all_errors() -> None:
    """One bad round moves neither the median nor hides its errors."""
    line = summary.line([sample(40), sample(400, errors=3), sample(42, errors=1)])
    assert (line.cpu_us, line.cpu_low, line.cpu_high, line.errors) == (42, 40, 400, 4)


def test_ratio_compares_within_each_round() -> None:
    """A machine that slows down from round to round leaves the ratio as it is."""
    samples = {"a": [sample(20), sample(40), sample(80)], "b": [sample(10), sample(20), sample(40)]}
    assert summary.ratio(samples, "a", to="b") == 2


@pytest.mark.parametrize("samples", [{}, {"a": [sample(1)]}, {"a": [sample(1)], "b": [sample(0)]}])
def test_ratio_to_an_absent_peer_is_no_number(samples: dict[str, list[Sample]]) -> None:
    """Neither an error nor a made-up figure."""
    assert math.isnan(summary.ratio(samples, "a", to="b"))


def test_ratio_passes_over_rounds_without_requests() -> None:
    """A round in which either did nothing says nothing."""
    samples = {
        "a": [sample(20), sample(math.nan), sample(30)],
        "b": [sample(10), sample(10), sample(math.nan)],
    }
    assert summary.ratio(samples, "a", to="b") == 2


def test_difference_is_the_median_of_differences() -> None:
    """Rounds are paired, not the medians of each."""
    assert summary.difference([sample(11), sample(52), sample(31)], [sample(10), sample(50), sample(30)]) == 1
