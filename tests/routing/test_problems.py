"""Problems: their places, their words, and what they never say."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.problems import (
    IDS,
    MASK,
    ConfigurationInvalid,
    Problem,
    as_written,
    did_you_mean,
    format_path,
    nearest,
    quote,
)

ROOT = Path(__file__).parents[2]


def test_problem_reads_as_place_and_sentence() -> None:
    """The text of a problem is its path, a colon and its message; a problem of the whole has no path."""
    problem = Problem("gateway.E011", "routes[3].service", 'no service named "ordrs"', "ordrs")

    assert str(problem) == 'routes[3].service: no service named "ordrs"'
    assert str(Problem("gateway.E001", "", "cannot be read")) == "cannot be read"
    assert json.loads(json.dumps(problem.as_json())) == {
        "id": "gateway.E011",
        "path": "routes[3].service",
        "message": 'no service named "ordrs"',
        "value": "ordrs",
    }


def test_every_id_that_is_used_stands_in_the_table() -> None:
    """No module reports an id without a title, and no title is left over."""
    used = set()
    for source in (each for app in ("routing", "authproxy") for each in (ROOT / app).rglob("*.py")):
        if source.name != "problems.py":
            used |= set(re.findall(r"gateway\.[EW]\d{3}", source.read_text()))

    assert used == set(IDS)


def test_exception_holds_every_problem() -> None:
    """A refused document lists all its problems, one a line."""
    error = ConfigurationInvalid(
        [Problem("gateway.E003", "a", "is missing"), Problem("gateway.E003", "b", "is missing")]
    )

    assert str(error) == "a: is missing\nb: is missing"
    assert [problem.path for problem in error.problems] == ["a", "b"]


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (("routes", 3, "match", "hosts", 0), "routes[3].match.hosts[0]"),
        (("set", "X-Tenant_1"), "set.X-Tenant_1"),
        (("set", "a.b", "c"), 'set["a.b"].c'),
        (("set", ""), 'set[""]'),
        (("a\nb",), '["a\\nb"]'),
        ((), ""),
    ],
)
def test_path_is_spelt_as_people_write_it(location: tuple[str | int, ...], path: str) -> None:
    """List positions stand in brackets; keys that could be misread are quoted."""
    assert format_path(location) == path


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (1.5, "1.5"),
        (10**40, "a huge number"),
        ([1], "a list"),
        ({"a": 1}, "a mapping"),
        ("a\x1b[31m\n", '"a\\x1b[31m\\n"'),
        ("x" * 100, f'"{"x" * 79}…"'),
    ],
)
def test_values_are_quoted_briefly(value: object, text: str) -> None:
    """Messages never carry control characters, and never a whole novel."""
    assert quote(value) == text


@pytest.mark.parametrize(
    "secret", ["http://user:pw@h/", "-----BEGIN RSA PRIVATE KEY-----\nabc", "begin private key"]
)
def test_secrets_are_masked(secret: str) -> None:
    """Keys and credentials inside URLs are recognised by their looks."""
    assert as_written(secret) == MASK
    assert quote(secret) == f'"{MASK}"'


@given(st.text() | st.integers() | st.floats() | st.none())
def test_quoting_gives_one_printable_line(value: object) -> None:
    """Whatever the value: one short printable line."""
    assert quote(value).isprintable()
    assert len(quote(value)) < 600


@pytest.mark.parametrize(
    ("word", "meant"),
    [("ordrs", "orders"), ("Orders", "orders"), ("zzz", None), ("", None), ("o" * 9999, None)],
)
def test_nearest_word(word: str, meant: str | None) -> None:
    """A near word is suggested, in any case; a far one is not."""
    assert nearest(word, ["orders", "users"]) == meant
    assert did_you_mean(word, ["orders", "users"]) == (f' (did you mean "{meant}"?)' if meant else "")


def test_suggestions_stay_quick_among_many_names() -> None:
    """Among many names only those that begin alike are compared, and a near one is still found."""
    many = [f"service-{number}" for number in range(20_000)]

    assert nearest("orderz", [*many, "orders"]) == "orders"
    assert nearest("xyz", many) is None
