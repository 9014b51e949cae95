"""Edits: what is between two documents, carried out on a third, and taken back."""

from typing import Any

import orjson
from hypothesis import given

from routing.diff import ABSENT
from routing.document.canonical import canonicalise
from routing.edits import Edit, carry_out, edits_between, from_json, overlapping
from tests.support.configuration import documents, route, small


def changed(**more: Any) -> dict[str, Any]:
    """The small document, whose route has more keys."""
    return canonicalise({**small(), "routes": [route(**more)]})


BASE = changed()


@given(documents(), documents())
def test_edits_lead_from_one_document_to_the_other_and_back(one: Any, two: Any) -> None:
    """Whatever the documents are; also after they were kept as JSON."""
    old, new = canonicalise(one), canonicalise(two)
    kept = orjson.loads(orjson.dumps([edit.as_json() for edit in edits_between(old, new)]))
    there = carry_out(old, from_json(kept))
    assert canonicalise(there.document) == new
    assert there.conflicts == ()
    back = carry_out(new, [edit.reversed() for edit in reversed(there.done)])
    assert canonicalise(back.document) == old


def test_only_what_an_edit_names_is_taken_back() -> None:
    """What somebody changed elsewhere in the same route stays."""
    off = edits_between(BASE, changed(enabled=False))
    meanwhile = carry_out(changed(timeout="9s"), off)
    assert carry_out(meanwhile.document, [off[0].reversed()]).document == changed(timeout="9s")


def test_what_somebody_else_changed_is_a_conflict() -> None:
    """It is left alone, and its place is told."""
    edits = edits_between(changed(timeout="1s"), changed(timeout="5s", enabled=False))
    carried = carry_out(changed(timeout="3s"), edits)
    assert [str(each) for each in carried.conflicts] == [
        'route "orders" timeout was changed by somebody else meanwhile'
    ]
    assert [edit.key for edit in carried.done] == [("enabled",)]
    assert carried.document["routes"][0]["timeout"] == changed(timeout="3s")["routes"][0]["timeout"]


def test_what_is_so_already_is_nobodys_work() -> None:
    """It is not among what was done, so it is not taken back either."""
    edits = edits_between(BASE, changed(enabled=False))
    carried = carry_out(changed(enabled=False), edits)
    assert (carried.done, carried.conflicts) == ((), ())


def test_a_key_of_an_entry_that_is_gone_is_a_conflict() -> None:
    """Nothing is made anew around it."""
    edits = edits_between(BASE, changed(enabled=False))
    carried = carry_out({**BASE, "routes": []}, edits)
    assert len(carried.conflicts) == 1
    assert carried.document.get("routes", []) == []


def test_true_is_not_one() -> None:
    """A document tells them apart."""
    edit = Edit("routes", "orders", ("priority",), ABSENT, 1)
    document = {**BASE, "routes": [{**BASE["routes"][0], "priority": True}]}
    assert len(carry_out(document, [edit]).conflicts) == 1
    assert edit.place == 'route "orders" priority'


def test_the_document_is_left_as_it_is() -> None:
    """Carrying out makes another one."""
    before = orjson.dumps(BASE)
    carry_out(BASE, edits_between(BASE, changed(enabled=False)))
    assert orjson.dumps(BASE) == before


def test_edits_overlap_where_one_holds_the_other() -> None:
    """The same key, a key in it, or the whole entry; not its neighbours, nor another entry's."""

    def at(*key: str, name: str = "orders") -> Edit:
        return Edit("routes", name, key, 1, 2)

    mine = [at("match", "path"), at("timeout"), at("timeout", name="users")]
    assert overlapping(mine, [at("match")]) == mine[:1]
    assert overlapping(mine, [at()]) == mine[:2]
    assert overlapping(mine, [at("match", "hosts"), at("cache")]) == []
