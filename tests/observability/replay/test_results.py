"""What a replay found, for people and programs."""

from dataclasses import replace

from observability.replay.judging import Judgement, Place
from observability.replay.quotas import Refusals
from observability.replay.results import Found, Group, Item, told
from tests.support.kept import AT

MOVED = Judgement("elsewhere", Place("a", "old"), Place("b", "new"), "by route b instead of a")
REFUSED = Judgement("refused", Place("a", "old"), Place("a", "", 403, "FORBIDDEN"), "No.")


def item(key: int, judged: Judgement) -> Item:
    return Item(key, AT, f"id{key}", "GET", "api.test", "/a?b=1", 7, judged)


FOUND = Found(
    "draft",
    7,
    10,
    10,
    counts={"same": 7, "elsewhere": 2, "refused": 1},
    items=[item(9, MOVED), item(8, REFUSED), item(3, MOVED)],
    unjudged={"quotas of route a": 4},
)


def test_numbers_come_first() -> None:
    """And what was not judged comes last."""
    assert list(FOUND.summary()) == [
        "Of 10 kept requests, by the draft instead of revision 7: 2 would go elsewhere, 1 would be refused.",
        "Not judged, for 4: quotas of route a.",
    ]
    assert list(Found(3, 7, 0, 0).summary()) == ["No kept request to replay against revision 3."]
    same = Found(3, 7, 2, 2, counts={"same": 2})
    assert next(same.summary()).endswith("by revision 3 instead of revision 7: all would be the same.")
    assert (
        "The time was over after 2 of 5."
        in Found(3, 7, 2, 5, is_complete=False, counts={"same": 2}).summary()
    )


def test_what_quotas_would_refuse_is_said() -> None:
    """For people and programs."""
    found = Found("draft", 7, 9, 9, counts={"same": 9}, quotas=Refusals(8, 1, 3, {"a": 1, "b": 2}))
    assert list(found.summary())[1].startswith(
        "Quotas would refuse at least 3 of 8 with 429 (2 by b, 1 by a): only"
    )
    assert found.as_json()["quotas"] == {
        "counted": 8,
        "not_counted": 1,
        "refused_at_least": 3,
        "by_quota": [{"quota": "b", "requests": 2}, {"quota": "a", "requests": 1}],
    }


def test_groups() -> None:
    """The most frequent first, with the newest as their example."""
    assert FOUND.groups() == [Group(2, FOUND.items[0]), Group(1, FOUND.items[1])]
    assert FOUND.groups("refused") == [Group(1, FOUND.items[1])]
    assert FOUND.differing == 3
    assert Found("draft", 7, 2, 2, counts={"same": 1, "unknown": 1}).differing == 0


def test_what_is_of_one_request_alone_divides_no_group() -> None:
    """Each has its own words, all have one sentence."""
    items = [item(key, replace(MOVED, detail=str(key))) for key in (3, 2)]
    (group,) = Found("draft", 7, 2, 2, items=items).groups()
    assert (group.count, group.as_json()["because"]) == (2, "by route b instead of a")
    assert items[0].as_json()["because"] == "by route b instead of a: 3"


def test_for_programs() -> None:
    """All counts, also those that are 0."""
    assert FOUND.as_json()["counts"] == {
        "same": 7, "elsewhere": 2, "refused": 1, "admitted": 0, "refused_otherwise": 0, "unknown": 0
    }  # fmt: skip
    shown = FOUND.items[1].as_json()
    assert (shown["before"]["service"], shown["after"]["code"], shown["url"]) == (
        "old",
        "FORBIDDEN",
        "/a?b=1",
    )
    assert FOUND.groups()[0].as_json()["example"] == 9


def test_in_words() -> None:
    """What is to be said of one."""
    assert told(MOVED) == "a → old ⇒ b → new: by route b instead of a"
    assert told(REFUSED) == "refused: a → old ⇒ 403 FORBIDDEN by a: No."
    assert told(Judgement("unknown", because="its body")) == "cannot be judged: not kept is its body"
