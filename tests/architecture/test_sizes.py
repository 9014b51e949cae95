"""Sizes: what does not fit a screen or a head is split."""

from pathlib import Path
from statistics import median, quantiles

import pytest

from tests.support.source import functions, length, modules, shown, tracked

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
TYPICAL_FILE = 120
USUAL_FUNCTION = 30


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and "migrations" not in path.parts]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.parametrize("path", python_files(), ids=shown)
def test_file_and_its_functions_are_short(path: Path) -> None:
    """No file over 400 lines, no function over 60; tests and benchmarks included."""
    too_long = [f"{each.name}: {length(each)}" for each in functions(path) if length(each) > LONGEST_FUNCTION]

    assert lines(path) <= LONGEST_FILE
    assert too_long == []


def test_most_are_much_shorter() -> None:
    """Half of the product's files have at most 120 lines, nine of ten functions at most 30."""
    lengths = [length(each) for path in modules() for each in functions(path)]

    assert median(map(lines, modules())) <= TYPICAL_FILE
    assert quantiles(lengths, n=10)[-1] <= USUAL_FUNCTION


def test_packages_do_nothing_when_imported() -> None:
    """`__init__.py` files are empty: what a package has is found under its own name."""
    filled = [path for path in tracked() if path.name == "__init__.py" and path.read_text().strip()]

    assert [shown(path) for path in filled] == []
