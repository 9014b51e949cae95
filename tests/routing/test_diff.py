"""What differs between two documents."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.diff import ABSENT, Changes, FieldChange, diff
from routing.document.canonical import canonicalise
from tests.support.configuration import large
from tests.support.documents import ROUTE, documents

OLD: dict[str, Any] = {
    "services": [
        {
            "name": "b",
            "targets": [{"url": "http://h:1"}, {"url": "http://h:2", "weight": 2}],
            "timeout": {"read": "31s"},
            "tls": {"key": "${A}"},
        },
        {"name": "gone", "targets": [{"url": "http://g:1"}]},
    ],
    "routes": [
        {"name": "r", "match": {"path": "/a", "methods": ["GET"], "headers": {"x.y": "1"}}, "service": "b"},
    ],
}
NEW: dict[str, Any] = {
    "services": [
        {
            "name": "b",
            "targets": [
                {"url": "http://h:2", "weight": 3},
                {"url": "http://h:3", "zone": "z"},
                {"url": "http://h:4"},
            ],
            "timeout": {"read": "1s", "total": "5s"},
            "tls": {"key": "hunter2"},
        },
    ],
    "routes": [
        {
            "name": "r",
            "match": {"path": "/b", "methods": ["GET", "POST"]},
            "service": "b",
            "request_headers": {"set": {"a": "b\nc"}},
        },
        {"name": "n", "match": {"path": "/n"}, "service": "b", "auth": {"level": "public"}},
    ],
    "defaults": {"timeout": "3s"},
    "identity_providers": [{"name": "i"}, {"name": "j"}],
}


def test_text_for_people() -> None:
    """A summary, then each entry with what changes in it; items of lists by their name; no secret."""
    assert diff(OLD, NEW).render() == (
        "1 service removed, 1 changed; 1 route added, 1 changed; 2 identity providers added; defaults added\n"
        "services\n"
        "  ~ b\n"
        "      targets[http://h:2].weight: 2 → 3\n"
        "      targets[http://h:3]: added (zone z)\n"
        "      targets[http://h:4]: added\n"
        "      targets[http://h:1]: removed\n"
        "      timeout.read: 31s → 1s\n"
        "      timeout.total: + 5s\n"
        "      tls.key: ${A} → ***\n"
        "  - gone  http://g:1\n"
        "routes\n"
        "  + n  /n → b\n"
        "      match.path: + /n\n"
        "      service: + b\n"
        "      auth.level: + public\n"
        "  ~ r\n"
        "      match.path: /a → /b\n"
        '      match.methods: ["GET"] → ["GET", "POST"]\n'
        '      match.headers["x.y"]: - 1\n'
        '      request_headers.set.a: + "b\\nc"\n'
        "identity_providers\n"
        "  + i\n"
        "  + j\n"
        "defaults\n"
        "  +\n"
        "      timeout: + 3s"
    )


def test_json_for_programs() -> None:
    """The same as data; a value that is not there is left out."""
    changes = diff(OLD, NEW).as_json()

    assert changes["summary"].startswith("1 service removed")
    first = changes["entries"][0]
    assert (first["kind"], first["name"], first["action"]) == ("services", "b", "changed")
    assert first["fields"][:2] == [
        {"path": "targets[http://h:2].weight", "before": 2, "after": 3},
        {"path": "targets[http://h:3]", "after": {"url": "http://h:3", "zone": "z"}},
    ]
    assert "hunter2" not in json.dumps(changes)


def test_nothing_changes() -> None:
    """Another way of writing the same is no change."""
    rewritten = copy.deepcopy(OLD)
    rewritten["services"].reverse()
    rewritten["services"][1]["protocol"] = "http"
    rewritten["routes"][0]["priority"] = 0

    assert not diff(OLD, rewritten)
    assert diff(OLD, rewritten).render() == "no changes"
    assert Changes() == diff({}, {"version": 1})


def test_names_by_action() -> None:
    """Programs ask for names."""
    changes = diff(OLD, NEW)

    assert changes.of("services", "removed") == ("gone",)
    assert changes.of("routes", "added") == ("n",)
    assert changes.of("plans", "added") == ()
    assert len(changes) == 7


def test_kinds_of_values_differ() -> None:
    """1, true and "1" are three values."""
    routes = [{"routes": [{"name": "r", "cache": {"ttl": value}}]} for value in (1, True, "1")]

    assert all(diff(a, b) for a in routes for b in routes if a is not b)


def test_order_of_items() -> None:
    """The order of targets counts, and is one change."""
    turned = copy.deepcopy(OLD)
    turned["services"][0]["targets"].reverse()

    [change] = diff(OLD, turned).entries
    assert [field.path for field in change.fields] == ["targets"]
    assert str(change.fields[0]) == 'targets: ["http://h:1", "http://h:2"] → ["http://h:2", "http://h:1"]'


def test_field_change_reads_well() -> None:
    """Long values are cut, odd ones quoted."""
    assert str(FieldChange("a", ABSENT, "")) == 'a: + ""'
    assert str(FieldChange("a", " x", ABSENT)) == 'a: - " x"'
    assert str(FieldChange("a", None, "x" * 200)) == f"a: null → {'x' * 119}…"


def test_number_of_entries_in_words() -> None:
    """One is singular."""
    assert diff({}, {"routes": [ROUTE]}).summary() == "1 route added"
    assert diff({"routes": [ROUTE]}, {"routes": [{**ROUTE, "name": n} for n in "ab"]}).summary() == (
        "2 routes added, 1 removed"
    )
    assert diff({"defaults": {"timeout": "1s"}}, {}).summary() == "defaults removed"
    assert (
        diff({"defaults": {"timeout": "1s"}}, {"defaults": {"timeout": "2s"}}).summary() == "defaults changed"
    )


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


@given(documents, st.data())
def test_what_is_written_alike_is_left_out_of_nothing(old: dict[str, Any], data: st.DataObject) -> None:
    """Entries that both have are not looked at again: the changes are those of the two canonical forms."""
    other = data.draw(documents)
    new = {key: data.draw(st.sampled_from([old, other])).get(key) for key in {**old, **other}}
    for kind in ("services", "routes"):
        both = [each for given in (old, other) for each in listed(given.get(kind))]
        new[kind] = [each for each in both if data.draw(st.booleans())]

    whole = diff(old, new)
    assert whole == diff(canonicalise(old), canonicalise(new), are_canonical=True)
    for told in (0, 1, 2):
        found = diff(old, new, detailed=told)
        assert found.entries[:told] == whole.entries[:told]
        assert [(e.kind, e.name, e.action, (), "") for e in whole.entries[told:]] == [
            (e.kind, e.name, e.action, e.fields, e.summary) for e in found.entries[told:]
        ]


def test_of_what_is_not_told_nothing_is_made_canonical(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that came or went need only be named."""
    taken: list[int] = []

    def counted(raw: Any) -> dict[str, Any]:
        taken.append(sum(len(entry) > 1 for kind in ("services", "routes") for entry in raw.get(kind, ())))
        return canonicalise(raw)

    monkeypatch.setattr("routing.diff.canonicalise", counted)
    assert (len(diff({}, large(100), detailed=5)), taken) == (150, [0, 10])
    assert (len(diff(large(100), {}, detailed=5)), taken[2:]) == (150, [10, 0])


@given(documents, documents)
def test_any_two_documents(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Whatever they hold: no change from itself, and the way back undoes the way there."""
    there, back = diff(old, new), diff(new, old)

    assert not diff(old, canonicalise(old))
    there.render()
    json.dumps(there.as_json())
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    assert {(e.kind, e.name, opposite[e.action]) for e in there.entries} == {
        (e.kind, e.name, e.action) for e in back.entries
    }
