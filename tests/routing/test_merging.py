"""A document laid over what exists."""

from typing import Any

import pytest

from routing.merging import merge, patch

CURRENT = {
    "version": 1,
    "defaults": {"timeout": "5s"},
    "services": [{"name": "a", "protocol": "h2c"}, {"name": "b"}],
    "routes": [{"name": "r", "service": "a"}],
}


def test_what_the_file_does_not_name_is_left_alone() -> None:
    """Entries of the file replace those of the same name, whole; others stay."""
    merged = merge(CURRENT, {"services": [{"name": "c"}, {"name": "a"}]}, prune=False)
    assert merged.document == {
        "defaults": {"timeout": "5s"},
        "services": [{"name": "c"}, {"name": "a"}, {"name": "b"}],
        "routes": [{"name": "r", "service": "a"}],
    }
    assert merged.pruned == ()


def test_pruning_lists_what_goes() -> None:
    """With prune the file is everything, and what it leaves out is named."""
    given = {"services": [{"name": "a"}]}
    merged = merge(CURRENT, given, prune=True)
    assert merged.document == given
    assert merged.pruned == ("defaults", "services b", "routes r")


def test_entries_of_the_file_keep_their_places() -> None:
    """A problem's path in the merged document is its path in the file."""
    given = {"routes": [{"name": "z"}, {"name": "y"}, {"name": "z"}]}
    assert merge(CURRENT, given, prune=False).document["routes"][:3] == given["routes"]


@pytest.mark.parametrize(
    "given",
    [
        None,
        [],
        "text",
        {"services": "a"},
        {"services": ["a"]},
        {"routes": [{}]},
        {"routes": [{"name": 1}]},
        {"routes": {"name": "r"}},
    ],
)
def test_what_is_no_document_is_left_to_validation(given: Any) -> None:
    """Merging neither fails on nonsense nor hides it."""
    assert merge(CURRENT, given, prune=False).document is given


def test_empty_kinds_are_nothing() -> None:
    """`routes:` with nothing after it names no routes."""
    assert merge(CURRENT, {"routes": None}, prune=False).document["routes"] == CURRENT["routes"]


def test_a_patch_changes_single_keys() -> None:
    """What it does not name stays, null removes a key, and a new entry is whole."""
    current = {
        "version": 1,
        "routes": [{"name": "r", "limits": {"max_body": 1, "queue": 2}, "timeout": "5s"}],
    }
    given = {
        "routes": [{"name": "r", "limits": {"queue": 3}, "timeout": None}, {"name": "new", "service": "a"}],
        "defaults": {"timeout": "9s"},
    }
    assert patch(current, given) == {
        "routes": [{"name": "r", "limits": {"max_body": 1, "queue": 3}}, {"name": "new", "service": "a"}],
        "defaults": {"timeout": "9s"},
    }


@pytest.mark.parametrize(
    "given", [None, [], {"routes": 1}, {"routes": [{"name": 7}]}, {"routes": {"name": "r"}}]
)
def test_a_patch_that_is_no_document_comes_back(given: Any) -> None:
    """Validation says what is wrong with it."""
    assert patch(CURRENT, given) == given
