"""Sizes: what does not fit a screen or a head is split."""

from pathlib import Path
from statistics import median, quantiles

from tests.support.source import functions, modules, shown, tracked

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
TYPICAL_FILE = 120
USUAL_FUNCTION = 30


def python_files() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and "migrations" not in path.parts]


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_files_and_their_functions_are_short() -> None:
    """No file over 400 lines, no function over 60; tests and benchmarks included."""
    files = {path: lines(path) for path in python_files()}

    assert [f"{shown(path)}: {length}" for path, length in files.items() if length > LONGEST_FILE] == []
    assert [
        f"{shown(path)}: {name}: {length}"
        for path, at_most in files.items()
        if at_most > LONGEST_FUNCTION
        for name, length in functions(path)
        if length > LONGEST_FUNCTION
    ] == []


def test_most_are_much_shorter() -> None:
    """Half of the product's files have at most 120 lines, nine of ten functions at most 30."""
    lengths = [length for path in modules() for _, length in functions(path)]

    assert median(map(lines, modules())) <= TYPICAL_FILE
    assert quantiles(lengths, n=10)[-1] <= USUAL_FUNCTION


def test_packages_do_nothing_when_imported() -> None:
    """`__init__.py` files are empty: what a package has is found under its own name."""
    filled = [path for path in tracked() if path.name == "__init__.py" and path.read_text().strip()]

    assert [shown(path) for path in filled] == []
