"""What is counted adds up, and survives a row."""

from observability.rollups.figures import (
    Figures,
    packed,
    status_of,
    summed,
    unpacked,
    unpacked_buckets,
)
from observability.traffic.folding import Spent
from tests.support.traffic_rows import cell


def some() -> Figures:
    figures = Figures()
    figures.take(200, "", cell(90, 0.01))
    figures.take(429, "RATE_LIMIT", cell(4, 0.001))
    figures.take(404, "", cell(1))
    figures.take(502, "", cell(3, 1.0))
    figures.take(499, "", cell(2))
    return figures


def test_counts_by_status() -> None:
    figures = some()
    assert figures.count == 100
    assert figures.statuses == {"200": 90, "429 RATE_LIMIT": 4, "404": 1, "502": 3, "499": 2}
    assert figures.classes == {"2xx": 90, "4xx": 5, "5xx": 3, "left": 2}
    assert figures.codes == {"RATE_LIMIT": 4}
    assert (figures.errors, figures.refused, figures.left, figures.valid) == (3, 4, 2, 98)


def test_an_answer_that_was_not_given_is_an_error() -> None:
    figures = Figures()
    figures.take(0, "", cell(1))
    assert (figures.errors, figures.classes) == (1, {"none": 1})


def test_durations() -> None:
    figures = some()
    assert abs(figures.quantile_s(0.5) - 0.01) < 0.01 * 0.05
    assert abs(figures.quantile_s(0.99) - 1.0) < 0.05
    assert figures.within(0.05) == 94
    assert Figures().quantile_s(0.99) == Figures().mean_s == 0.0


def test_what_was_spent_has_durations_and_no_statuses() -> None:
    """As often as is asked; what was given stays as it was."""
    spent, figures = Spent(), Figures()
    for seconds in (0.01, 0.01, 1.0):
        spent.note(seconds)
    figures.spend(spent)
    figures.spend(spent)
    assert (figures.count, figures.statuses, sum(spent.buckets.values())) == (6, {}, 3)
    assert abs(figures.mean_s - 0.34) < 1e-9
    assert abs(figures.quantile_s(0.5) - 0.01) < 0.01 * 0.05


def test_merged_figures_are_those_of_all() -> None:
    """In any order; what is merged stays as it was."""
    one = some()
    both = summed([one, some()])
    assert both.count == 200
    assert both.statuses["429 RATE_LIMIT"] == 8
    assert both.quantile_s(0.5) == one.quantile_s(0.5)
    assert one.count == 100


def test_columns() -> None:
    figures = some()
    assert unpacked(packed(figures.statuses)) == figures.statuses
    assert unpacked_buckets(packed(figures.buckets)) == figures.buckets
    assert status_of("503 CIRCUIT_OPEN") == 503
