"""Who says what becomes of a caller."""

import pytest

from routing import callers
from routing.callers import UnknownCaller, bind, judge_of
from routing.snapshot import CompiledRoute, Snapshot
from routing.standing import Admission, nobody


@pytest.fixture(autouse=True)
def unbound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "_bound", [])


def test_without_anybody_who_knows_callers_there_is_nobody() -> None:
    """A name is refused rather than taken for nobody."""
    assert judge_of(None) is nobody
    with pytest.raises(UnknownCaller, match='named "anna"'):
        judge_of("anna")


def test_whoever_binds_last_decides() -> None:
    """About names and about nobody."""

    def judge(_route: CompiledRoute, _snapshot: Snapshot) -> Admission:
        return Admission()

    bind(lambda _name: nobody)
    bind(lambda _name: judge)
    assert judge_of("anna") is judge_of(None) is judge
