"""Every test can fail by an assertion of its own, not by a time limit or an exception alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.source import ROOT

# Beside `assert`: pytest's own, Playwright's, pytest-django's.
ASSERTING = ("raises", "warns", "expect", "django_assert_num_queries", "django_assert_max_num_queries")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(source: str) -> Iterator[Function]:
    """At the top, or under a condition there: only such are collected."""
    top = ast.parse(source).body
    for node in [*top, *(below for each in top if isinstance(each, ast.If) for below in each.body)]:
        if isinstance(node, Function) and node.name.startswith("test"):
            yield node


def asserts(test: Function) -> bool:
    """Whether something within it says what must be; what functions that it calls assert does not count."""
    return any(
        isinstance(node, ast.Assert) or _called(node).startswith(("assert_", *ASSERTING))
        for node in ast.walk(test)
    )


def _called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def without(file: Path) -> list[str]:
    return [
        f"{file.relative_to(ROOT)}:{test.lineno}"
        for test in functions_of(file.read_text())
        if not asserts(test)
    ]


def test_every_test_asserts_something() -> None:
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    assert [place for file in files for place in without(file)] == []


@pytest.mark.parametrize(
    ("body", "does"),
    [
        ("assert x", True),
        ("with pytest.raises(E): x()", True),
        ("await expect(page).to_be_visible()", True),
        ("x()", False),
        ("await asyncio.wait_for(x.wait(), 5)", False),
    ],
)
def test_the_rule_itself(body: str, *, does: bool) -> None:
    (test,) = functions_of(f"async def test_x():\n    {body}")
    assert asserts(test) == does
