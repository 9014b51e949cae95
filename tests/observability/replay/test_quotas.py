"""Recorded requests counted by a draft's quotas, in the order of their times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from observability.replay.quotas import Counting, Refusals
from observability.replay.recorded import Recorded
from tests.support.gateway import document, route
from tests.support.replays import by, recorded
from tests.support.snapshots import snapshot_of

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
TWO = {"name": "two", "algorithm": "fixed_window", "limit": 2, "per": "1m", "key": "ip"}


def refusals(requests: list[tuple[float, Recorded]], *quotas: dict[str, Any], **more: Any) -> Refusals:
    names = [each["name"] for each in quotas]
    raw = document(route("r", respond={"status": 200}, quotas=names)) | {"quotas": list(quotas), **more}
    snapshot = snapshot_of(raw)
    counting = Counting(snapshot)
    for after_s, each in requests:
        counting.add(each, NOON + timedelta(seconds=after_s), snapshot.routes["r"])
    return counting.refusals()


def test_each_caller_has_a_bucket_of_its_own() -> None:
    """Whatever the order in which requests are read: that of their times counts, and a new window begins anew."""
    mine, yours = recorded(client="192.0.2.1"), recorded(client="192.0.2.2")
    requests = [(61.0, mine), (3.0, mine), (2.0, mine), (1.0, mine), (2.5, yours)]
    found = refusals(requests, TWO)
    assert (found.counted, found.refused, found.by_quota) == (5, 1, {"two": 1})
    assert "at least 1 of 5 with 429 (1 by two)" in found.sentence()
    assert "may be more" in found.sentence()


def test_what_one_quota_refuses_is_not_taken_from_others() -> None:
    """As the data plane does it."""
    wide = {"name": "wide", "algorithm": "fixed_window", "limit": 3, "per": "1h", "key": "ip"}
    found = refusals([(at, recorded()) for at in (1, 2, 3, 4, 61, 62)], TWO, wide)
    assert found.by_quota == {"two": 2, "wide": 1}


def test_a_bucket_fills_with_time() -> None:
    """Half a minute for each."""
    bucket = {"name": "b", "algorithm": "token_bucket", "limit": 2, "per": "1m", "burst": 2, "key": "global"}
    assert refusals([(at, recorded()) for at in (0, 0, 0, 31, 32)], bucket).refused == 2


def test_a_plan_has_limits_of_its_own() -> None:
    """And a quota that only counts, or of other methods, refuses nobody."""
    ada = recorded(**by(plan="gold"))
    plans = [{"name": "gold", "quotas": [{"name": "two", "limit": 4, "per": "1m"}]}]
    assert refusals([(1, ada)] * 5, TWO, plans=plans).refused == 1
    assert refusals([(1, ada)] * 5, {**TWO, "methods": ["POST"]}) == Refusals(by_quota={})
    assert refusals([], TWO).sentence() == ""


@pytest.mark.parametrize("key", ["api_key", {"header": "x-secret"}])
def test_what_was_not_kept_is_not_guessed(key: Any) -> None:
    """Requests are not counted by it, and that is said."""
    each = recorded(**by(how="api_key"))
    each = replace(each, names=each.names | {b"x-secret"}, masked=frozenset({b"x-secret"}))
    found = refusals([(1, each)] * 3, {**TWO, "key": key})
    assert (found.counted, found.uncounted, found.refused) == (0, 3, 0)
    assert "Not counted: 3." in found.sentence()
