"""What templates say about times and values."""

from datetime import UTC, datetime, timedelta

import pytest

from routing.templatetags.torana import ago, says_something, shown, told


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(minutes=5), "5\xa0minutes ago"),
        (timedelta(hours=3, minutes=10), "3\xa0hours ago"),
    ],
)
def test_ago(past: timedelta, text: str) -> None:
    """The largest unit is enough."""
    assert ago(datetime.now(UTC) - past) == text
    assert ago(None) == "–"


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (5, "5"), (True, "true"), ({"a": [1]}, '{"a": [1]}')]
)
def test_values_are_shown_as_the_document_writes_them(value: object, text: str) -> None:
    """A text without quotes, everything else as JSON."""
    assert shown(value) == text


def test_details_of_an_explanation() -> None:
    """Without the marks of a notation."""
    assert told({"name": "ada", "roles": ["a", "b"], "plan": None}) == "name ada, roles a b"
    assert told([1]) == "[1]"


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"set": {}, "remove": []}, False), ({"set": {"a": "b"}}, True), (0, True), (None, False)],
)
def test_what_says_nothing_is_left_out(value: object, expected: bool) -> None:
    """Zero is something; empty sections inside sections are not."""
    assert says_something(value) is expected
