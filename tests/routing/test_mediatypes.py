"""Which media types a list takes."""

import pytest

from routing.mediatypes import ANY_TYPE, MediaTypes, is_json


@pytest.mark.parametrize(
    ("listed", "media_type", "is_taken"),
    [
        (("image/png",), "image/png", True),
        (("image/png",), "image/jpeg", False),
        (("image/*",), "image/jpeg", True),
        (("image/*",), "imagery/x", False),
        (("text/csv", "image/*"), "text/plain", False),
        ((), "text/plain", True),
    ],
)
def test_types(listed: tuple[str, ...], media_type: str, is_taken: bool) -> None:
    """By name, or by range; an empty list takes any."""
    assert MediaTypes(listed).takes(media_type) is is_taken
    assert MediaTypes(listed).takes_any(["x/y", media_type]) is is_taken


def test_lists_are_true_when_they_say_something() -> None:
    """As sections are there or not."""
    assert MediaTypes(("a/b",))
    assert not ANY_TYPE


def test_json() -> None:
    """RFC 6839 section 3.1."""
    assert is_json("application/json")
    assert is_json("application/problem+json")
    assert not is_json("application/jsonlines")
