"""Rows are figures, and figures rows."""

import pytest

from observability.models import TrafficRow
from observability.rollups.figures import Figures
from observability.rollups.minutes import Subject
from observability.rollups.writing import COLUMNS, figures_of, traffic_row, write_traffic
from tests.support.traffic_rows import AT, cell

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_row_is_read_as_it_was_written() -> None:
    figures = Figures()
    figures.take(200, "", cell(3, 0.02))
    figures.take(429, "RATE_LIMIT", cell(1))
    write_traffic([traffic_row(60, AT, "w1", Subject("route", "orders"), figures, service="shop")])
    assert figures_of(TrafficRow.objects.values_list(*COLUMNS).get()) == figures
    row = TrafficRow.objects.get()
    assert (row.errors, row.refused, row.is_summed) == (0, 1, False)


def test_a_row_takes_the_place_of_an_earlier_one() -> None:
    """And is to be summed up again."""
    key = (60, AT, "w1", Subject("all", ""))
    write_traffic([traffic_row(*key, Figures())])
    TrafficRow.objects.update(is_summed=True)
    figures = Figures()
    figures.take(500, "", cell(2))
    write_traffic([traffic_row(*key, figures)])
    row = TrafficRow.objects.get()
    assert (row.count, row.errors, row.is_summed) == (2, 2, False)
