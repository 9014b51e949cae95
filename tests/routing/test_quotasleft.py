"""Who is asked what is left of quotas."""

import pytest

from resilience.policies import QuotaPolicy
from routing import quotasleft
from routing.knowledge import Counted, Left
from tests.support.documents import document
from tests.support.snapshots import snapshot_of

QUOTAS = [QuotaPolicy("a", 1, 1.0), QuotaPolicy("b", 1, 1.0)]
REQUEST = Counted(snapshot_of(document({})).routes["r0"])


def test_whoever_bound_itself_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last one; nobody knows anything without one."""
    monkeypatch.setattr(quotasleft, "_bound", [])
    assert quotasleft.left(QUOTAS, REQUEST) == (quotasleft.NOBODY, quotasleft.NOBODY)
    left = Left(True, 1, 0.0, 0.0)
    quotasleft.bind(lambda *_: ())
    quotasleft.bind(lambda quotas, request: [left, request.address])
    assert quotasleft.left(QUOTAS, REQUEST) == [left, ""]
