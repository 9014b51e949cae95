"""Compiled configurations for pages: right after every edit, and not compiled twice."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from routing import served
from routing.admin import snapshots
from routing.compiler import compile_snapshot
from routing.drafts import Actor
from routing.loader import read_rows
from routing.models import Revision, Route
from routing.problems import ConfigurationInvalid
from routing.publishing import apply_document
from routing.snapshot import Snapshot
from tests.support.configuration import large, route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_nothing_is_live_before_the_first_revision() -> None:
    """The draft of no rows is an empty configuration."""
    assert snapshots.live() is None
    assert not snapshots.draft().snapshot.routes


def test_live_is_the_revision_and_draft_is_the_rows() -> None:
    """An edit that is not published shows in one and not in the other."""
    apply_document(small(), actor=Actor("ada"))
    Route.objects.update(path="/draft", version=2)
    live, draft = snapshots.live(), snapshots.draft()
    assert live is not None
    assert live.snapshot.revision == 1
    assert live.snapshot.routes["orders"].source["match"]["path"] == "/orders"
    assert draft.snapshot.routes["orders"].source["match"]["path"] == "/draft"


def test_compiled_once_until_a_row_changes() -> None:
    """The same object serves page after page; any change of a row, its addition and removal make a new one."""
    apply_document(small(), actor=Actor("ada"))
    first = snapshots.draft()
    assert snapshots.draft() is first
    for document in (
        {"version": 1, "routes": [route("b", "/b")]},
        {"version": 1, "routes": [route("b", "/c")]},
    ):
        apply_document(document, actor=Actor("ada"))
        second = snapshots.draft()
        assert second is not first
        first = second
    Route.objects.filter(name="b").delete()
    assert set(snapshots.draft().snapshot.routes) == {"orders"}


def test_shadows_are_found_with_it() -> None:
    """Routes that are never reached come along."""
    apply_document(
        {**small(), "routes": [route(), route("late", "/orders/x", priority=-1)]}, actor=Actor("ada")
    )
    assert set(snapshots.draft().shadows) == {"late"}


def test_shadows_are_looked_for_again_where_something_is_matched_otherwise() -> None:
    """And only then."""
    apply_document(
        {**small(), "routes": [route(), route("late", "/orders/x", priority=-1)]}, actor=Actor("ada")
    )
    first = snapshots.draft().shadows
    Route.objects.filter(name="late").update(timeout="9s", version=2)
    second = snapshots.draft()
    assert second.snapshot.routes["late"].timeout_s == 9.0
    assert second.shadows is first
    Route.objects.filter(name="late").update(path="/elsewhere", version=3)
    assert not snapshots.draft().shadows
    assert set(first) == {"late"}


def test_rows_that_do_not_compile_raise() -> None:
    """Whoever asks decides what to say."""
    apply_document({"version": 1, "services": [service()], "routes": [route()]}, actor=Actor("ada"))
    Route.objects.update(path="no-slash", version=9)
    with pytest.raises(ConfigurationInvalid):
        snapshots.draft()


@pytest.fixture
def serves() -> Iterator[Snapshot]:
    """This process serves what is live, and has made no page yet."""
    apply_document(large(5), actor=Actor("ada"))
    live, options = Revision.objects.get(), snapshots.options()
    compiled = compile_snapshot(large(5), revision=1, options=options, digest=live.digest)
    snapshots._kept.clear()
    served.bind(read := lambda: compiled, options)
    yield compiled
    served.unbind(read)


def test_what_is_served_is_not_compiled_again(serves: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what is live, nor a draft in which nothing was changed."""
    monkeypatch.setattr(snapshots, "compile_snapshot", None)
    live, draft = snapshots.live(), snapshots.draft()
    assert live is not None
    assert live.snapshot is serves
    assert (draft.snapshot.revision, draft.snapshot.routes is serves.routes) == (0, True)


def test_rows_that_were_published_are_not_read(serves: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their key says so, also to a worker that has just begun. A key that says nothing makes them be read."""
    read: list[str] = []
    monkeypatch.setattr(snapshots, "_rows", SimpleNamespace(read=lambda: read.append("") or read_rows()))
    assert snapshots.draft().snapshot.routes is serves.routes
    assert not read
    monkeypatch.setattr(snapshots, "rows_key", str)
    assert snapshots.draft().snapshot.routes is serves.routes
    assert len(read) == 1


def test_of_a_draft_only_what_changed_is_compiled(serves: Snapshot) -> None:
    """The rest is what is served."""
    Route.objects.filter(name="r00001").update(path="/draft", version=2)
    found = snapshots.draft().snapshot.routes
    assert [name for name, each in found.items() if each is not serves.routes[name]] == ["r00001"]


def test_a_worker_that_is_behind_does_not_say_what_is_live(serves: Snapshot) -> None:
    """The newest revision is; it is made of what the worker has."""
    apply_document({"version": 1, "routes": [route("new", "/new", "s001")]}, actor=Actor("ada"))
    live = snapshots.live()
    assert live is not None
    assert (live.snapshot.revision, "new" in live.snapshot.routes) == (2, True)
    assert live.snapshot.routes["r00001"] is serves.routes["r00001"]
