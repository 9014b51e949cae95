"""The port of the audit trail: who is told, from where, and what is gathered into one."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from routing import auditing
from routing.auditing import Deed, Origin, changed, coming_from, gathering, merged, ordered, record

pytestmark = pytest.mark.django_db
Told = list[tuple[Deed, Origin]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    monkeypatch.setattr(auditing, "_ports", [])
    heard: Told = []
    unbind = auditing.bind(lambda deed, origin: heard.append((deed, origin)))
    yield heard
    unbind()
    record(Deed("nobody.hears"))
    assert all(deed.action != "nobody.hears" for deed, _ in heard)


def test_a_deed_comes_from_somewhere(told: Told) -> None:
    here = Origin("api", "10.0.0.1", "anna")
    record(Deed("one"))
    with coming_from(lambda: here):
        ordered(
            "two", "routes", "a", by="bert", reason="why", before={"x": 1}, after={"x": 2, "y": 3}, more=4
        )
    assert told[0] == (Deed("one"), Origin())
    deed, origin = told[1]
    assert origin == here
    assert (deed.objects, deed.by, deed.reason, deed.details) == (
        (("routes", "a"),),
        "bert",
        "why",
        {"more": 4},
    )
    fields = [{"path": "x", "before": 1, "after": 2}, {"path": "y", "after": 3}]
    assert deed.changes == ({"kind": "routes", "name": "a", "action": "changed", "fields": fields},)


def test_what_is_gathered_is_one(told: Told) -> None:
    with gathering(reason="r"), gathering():
        record(Deed("one", (("a", "1"),), "anna"))
        record(Deed("two", (("a", "2"), ("a", "1")), "bert"))
    with gathering():
        pass
    assert [deed for deed, _ in told] == [Deed("one", (("a", "1"), ("a", "2")), "anna", "r")]


def test_what_fails_is_not_told(told: Told) -> None:
    def fail() -> None:
        with gathering():
            record(Deed("one"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    record(Deed("two"))
    assert [deed.action for deed, _ in told] == ["two"]


def test_a_trail_that_cannot_be_written_undoes_the_change(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.models import Group

    def refuse(_deed: Deed, _origin: Origin) -> None:
        raise RuntimeError("no trail")

    def change() -> None:
        with transaction.atomic():
            Group.objects.create(name="new")
            record(Deed("group.create"))

    monkeypatch.setattr(auditing, "_ports", [refuse])
    with pytest.raises(RuntimeError, match="no trail"):
        change()
    assert not Group.objects.filter(name="new").exists()


def test_pictures() -> None:
    assert changed("group", "a", None, {"x": 1})[0]["action"] == "added"
    assert changed("group", "a", {"x": 1}, None)[0]["fields"] == [{"path": "x", "before": 1}]
    assert merged([Deed("a", reason="x"), Deed("b", reason="y")], action="c").reason == "x; y"
