"""Recorded requests counted by a draft's quotas, in the order of their times."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.counting import bucket_key
from observability.replay.quotas import Counting, Refusals
from observability.replay.recorded import Recorded
from resilience.limiter import meter_of, prefix_of
from routing.snapshot import Snapshot
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
    by_key = by(how="api_key")
    each = recorded(**{**by_key, "headers": (*by_key["headers"], ("x-secret", "…"))})
    found = refusals([(1, each)] * 3, {**TWO, "key": key})
    assert (found.counted, found.uncounted, found.refused) == (0, 3, 0)
    assert "Not counted: 3." in found.sentence()


KEYS = ["ip", "consumer", "route", "global", "api_key", {"header": "x-a"}, ["consumer", "route"]]
QUOTAS = st.lists(
    st.fixed_dictionaries({
        "algorithm": st.sampled_from(["fixed_window", "token_bucket", "sliding_window"]),
        "limit": st.integers(1, 3),
        "per": st.sampled_from(["1s", "1m"]),
        "key": st.sampled_from(KEYS),
        "methods": st.sampled_from([["GET"], ["GET", "POST"]]),
        "mode": st.sampled_from(["enforce", "log"]),
    }),
    min_size=1,
    max_size=3,
)  # fmt: skip
CALLS = st.tuples(
    st.floats(0, 120).map(lambda number: round(number, 3)),
    st.sampled_from([{}, by(), by(plan="gold"), by("eve", how="api_key")]),
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["1", "2", "…"]),
    st.sampled_from(["", "192.0.2.1", "2001:db8::1"]),
)


@given(QUOTAS, st.lists(CALLS, max_size=12))
def test_requests_are_counted_as_one_by_one(
    quotas: list[dict[str, Any]], calls: list[tuple[float, dict[str, Any], str, str, str]]
) -> None:
    """Whatever is remembered of quotas: what is found is what asking each of them about each request finds."""
    named = [{"name": f"q{number}", **quota} for number, quota in enumerate(quotas)]
    raw = document(route("r", respond={"status": 200}, quotas=[each["name"] for each in named]))
    plan = {"name": "gold", "quotas": [{"name": "q0", "limit": 5, "per": "1m"}]}
    snapshot = snapshot_of(raw | {"quotas": named, "plans": [plan]})
    requests = []
    for after_s, who, method, value, address in calls:
        headers = (*who.get("headers", ()), ("x-a", value))
        given_ = {**who, "method": method, "headers": headers, "client": address}
        requests.append((NOON + timedelta(seconds=after_s), recorded(**given_)))
    counting = Counting(snapshot)
    for at, each in requests:
        counting.add(each, at, snapshot.routes["r"])
    assert counting.refusals() == plainly(snapshot, requests)


def plainly(snapshot: Snapshot, requests: list[tuple[datetime, Recorded]]) -> Refusals:
    """All of it worked out for each request anew."""
    there, states = snapshot.routes["r"], dict[str, Any]()
    counted = uncounted = 0
    refused: Counter[str] = Counter()
    order = sorted(range(len(requests)), key=lambda number: (requests[number][0], -number))
    for at, each in (requests[number] for number in order):
        policies = [p for p in there.quotas if p.is_enforced and each.request.method in p.methods]
        replaced = snapshot.plans.get(each.caller.plan if each.caller else "", {})
        policies = [replaced.get(policy.name, policy) for policy in policies]
        policies = [policy for policy in policies if policy.is_enforced]
        uncounted += bool(policies) and any(is_lost(each, policy.keys) for policy in policies)
        if not policies or any(is_lost(each, policy.keys) for policy in policies):
            continue
        counted += 1
        origin = SimpleNamespace(client_ip=each.request.address)
        scope = {"headers": each.request.headers}
        asked = SimpleNamespace(identity=each.caller, route=there, origin=origin, scope=scope)
        buckets = [prefix_of(policy) + bucket_key(policy, asked, service="") for policy in policies]
        taken = [
            meter_of(policy).consume(states.get(bucket), round(at.timestamp() * 1_000_000))
            for policy, bucket in zip(policies, buckets, strict=True)
        ]
        refusing = [policy.name for policy, found in zip(policies, taken, strict=True) if found[3]]
        refused.update(refusing[:1])
        if not refusing:
            states.update((bucket, found[0]) for bucket, found in zip(buckets, taken, strict=True))
    return Refusals(counted, uncounted, refused.total(), refused)


def is_lost(given_: Recorded, keys: tuple[str, ...]) -> bool:
    """Whether a quota goes by what was not kept."""
    caller = given_.caller
    by_key = "api_key" in keys and caller is not None and caller.method == "api_key"
    by_field = "header:x-a" in keys and given_.lacks_field(b"x-a", value=True)
    return by_key or by_field or (caller is None and not given_.request.address)
