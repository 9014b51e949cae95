"""The upstream's own count of requests."""

import pytest

from benchmarks.errors import BenchmarkError
from benchmarks.upstream import parse_count


def test_third_figure_is_the_requests() -> None:
    """The page that nginx prints, of which only all requests matter."""
    page = "Active connections: 2 \nserver accepts handled requests\n 11 12 345 \nReading: 0 Writing: 1 Waiting: 1 \n"
    assert parse_count(page) == 345


def test_other_page_is_refused_with_its_text() -> None:
    """A page without the figures is quoted."""
    with pytest.raises(BenchmarkError, match="404 Not Found"):
        parse_count("<h1>404 Not Found</h1>")
