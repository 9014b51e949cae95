"""Who says what becomes of a caller."""

import pytest

from authproxy.identity import Identity
from routing import callers
from routing.callers import UnknownCaller, bind, caller_of, judge_of
from routing.snapshot import CompiledRoute, Snapshot
from routing.standing import Admission, nobody
from tests.support.documents import document
from tests.support.snapshots import snapshot_of

EMPTY = snapshot_of(document())


@pytest.fixture(autouse=True)
def unbound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "_bound", [])
    monkeypatch.setattr(callers, "_callers", [])


def test_without_anybody_who_knows_callers_there_is_nobody() -> None:
    """A name is refused rather than taken for nobody."""
    assert judge_of(None) is nobody
    with pytest.raises(UnknownCaller, match='named "anna"'):
        judge_of("anna")
    with pytest.raises(UnknownCaller, match='named "anna"'):
        caller_of("anna", EMPTY)


def test_whoever_binds_last_decides() -> None:
    """About names and about nobody."""

    def judge(_route: CompiledRoute, _snapshot: Snapshot) -> Admission:
        return Admission()

    anna = Identity(method="jwt", name="anna")
    bind(lambda _name: nobody, lambda _name, _snapshot: (anna, frozenset()))
    bind(lambda _name: judge, lambda _name, _snapshot: (anna, frozenset({"read"})))
    assert judge_of("anna") is judge_of(None) is judge
    assert caller_of("anna", EMPTY) == (anna, {"read"})
