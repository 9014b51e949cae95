"""A document laid over what exists."""

from typing import Any

import pytest

from routing.merging import keeping_mark, laid_over, managed_part, merge, merge_managed, patch
from routing.problems import ConfigurationInvalid

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


OWNED = {
    "version": 1,
    "defaults": {"timeout": "5s"},
    "services": [{"name": "a", "managed_by": "ci"}, {"name": "b", "managed_by": "ci"}, {"name": "c"}],
    "routes": [{"name": "r", "service": "a", "managed_by": "ops"}],
}


def test_a_source_marks_what_it_writes_and_prunes_only_that() -> None:
    """Whatever others made, and the defaults, which are everybody's, stay."""
    given = {"services": [{"name": "a", "protocol": "h2c"}, {"name": "n"}]}
    merged = merge_managed(OWNED, given, "ci", prune=True, take_over=False)
    assert merged.document == {
        "services": [
            {"name": "a", "protocol": "h2c", "managed_by": "ci"},
            {"name": "n", "managed_by": "ci"},
            {"name": "c"},
        ],
        "routes": OWNED["routes"],
        "defaults": {"timeout": "5s"},
    }
    assert merged.pruned == ("services b",)
    kept = merge_managed(OWNED, given, "ci", prune=False, take_over=False)
    assert [each["name"] for each in kept.document["services"]] == ["a", "n", "b", "c"]
    assert kept.pruned == ()


def test_what_others_made_is_taken_over_only_on_purpose() -> None:
    """All of it is told at once, with its place in the file."""
    given = {
        "services": [{"name": "a"}, {"name": "c"}],
        "routes": [{"name": "r"}, {"name": "s", "managed_by": "x"}],
    }
    with pytest.raises(ConfigurationInvalid) as refusal:
        merge_managed(OWNED, given, "ci", prune=False, take_over=False)
    assert [str(each) for each in refusal.value.problems] == [
        'services[1].managed_by: "c" is there already and belongs to nobody: "ci" has to be told to take it over',
        'routes[0].managed_by: "r" is managed by "ops": "ci" has to be told to take it over',
        'routes[1].managed_by: "s" is written as managed by "x", not by "ci"',
    ]
    del given["routes"][1]
    merged = merge_managed(OWNED, given, "ci", prune=True, take_over=True)
    assert {each["managed_by"] for kind in ("services", "routes") for each in merged.document[kind]} == {"ci"}
    assert merged.pruned == ("services b",)


def test_a_mark_stays_unless_it_is_taken_away() -> None:
    """Who replaces an entry without a word about whose it is leaves that as it is."""
    marked = {"name": "a", "managed_by": "ci"}
    assert keeping_mark(marked, {"name": "a"}) == marked
    assert keeping_mark(marked, {"name": "a", "managed_by": None})["managed_by"] is None
    assert keeping_mark(None, {"name": "a"}) == {"name": "a"}
    given = {"services": [{"name": "a"}, {"name": "b", "managed_by": None}]}
    assert merge(OWNED, given, prune=True).document["services"] == [marked, {"name": "b", "managed_by": None}]
    patched = patch(
        OWNED, {"services": [{"name": "a", "managed_by": None}, {"name": "b", "protocol": "h2c"}]}
    )
    assert [each["managed_by"] for each in merge(OWNED, patched, prune=False).document["services"][:2]] == [
        None,
        "ci",
    ]


def test_the_part_of_a_source() -> None:
    """As a document, which it may apply again."""
    assert managed_part(OWNED, "ci") == {"version": 1, "services": OWNED["services"][:2]}
    assert managed_part(OWNED, "nobody") == {"version": 1}
    again = laid_over(OWNED, managed_part(OWNED, "ci"), prune=True, managed_by="ci")
    assert again.document == laid_over(OWNED, OWNED, prune=False).document | {"version": 1}
    assert merge_managed(OWNED, ["no", "document"], "ci", prune=True, take_over=False).document == [
        "no",
        "document",
    ]
