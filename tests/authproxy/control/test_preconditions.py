"""Entity tags: of one value one, and what may be written under which."""

import pytest

from authproxy.control.preconditions import etag, is_known, may_write, may_write_all, of_digest

A, B = '"a"', '"b"'


def test_a_tag_is_of_the_value_alone() -> None:
    """The order of keys does not matter, and 1 is not true."""
    assert etag({"a": 1, "b": 2}) == etag({"b": 2, "a": 1})
    assert etag({"a": 1}) != etag({"a": True})
    assert of_digest("f" * 64) == f'"{"f" * 32}"'


@pytest.mark.parametrize(
    ("current", "if_match", "if_none_match", "may"),
    [
        (A, None, None, True),
        (A, A, None, True),
        (A, f"{B}, {A}", None, True),
        (A, B, None, False),
        (A, f"W/{A}", None, False),
        (A, "*", None, True),
        (None, "*", None, False),
        (None, A, None, False),
        (A, "a", None, False),
        (A, "", None, False),
        (None, None, "*", True),
        (A, None, "*", False),
        (A, None, B, True),
        (A, None, f"{B} , W/{A}", False),
    ],
)
def test_what_may_be_written(
    current: str | None, if_match: str | None, if_none_match: str | None, may: bool
) -> None:
    """Strong tags for If-Match; a star for what is there, or is not."""
    assert may_write(current, if_match=if_match, if_none_match=if_none_match) is may


@pytest.mark.parametrize(
    ("field", "known"), [(None, False), (A, True), (f"W/{A}", True), ("*", True), (B, False), ("a", False)]
)
def test_what_the_client_has(field: str | None, known: bool) -> None:
    """Weak comparison."""
    assert is_known(A, if_none_match=field) is known


@pytest.mark.parametrize(
    ("current", "if_match", "if_none_match", "may"),
    [
        ([A, B], f"{B}, {A}", None, True),
        ([A, B], A, None, False),
        ([A, B], "*", None, True),
        ([], "*", None, False),
        ([], A, None, False),
        ([], None, "*", True),
        ([A, B], None, B, False),
    ],
)
def test_what_may_be_written_of_several(
    current: list[str], if_match: str | None, if_none_match: str | None, may: bool
) -> None:
    """Each is wanted; where there is none, a tag is of nothing."""
    assert may_write_all(current, if_match=if_match, if_none_match=if_none_match) is may
