"""Limits, by counting what passes: of ISaaS and CraftNudge, of several at once, of plans, and what callers are told."""

from typing import Any

import pytest

from resilience.policies import QuotaPolicy
from routing.traffic import TrafficDefaults
from tests.support.callers import Callers
from tests.support.gateway import Answer, document, route
from tests.support.traffic import EPOCH_S, TrafficPlane, Upstream, counted, error, quotas, traffic

MonkeyPatch = pytest.MonkeyPatch
ISAAS = {"name": "default", "limit": 10, "per": "1s", "burst": 20}
FIXED = {"status": 200, "body": "x"}


def limited(*entries: dict[str, Any], **keys: Any) -> dict[str, Any]:
    """A route of a fixed answer that names all these quotas."""
    names = [entry["name"] for entry in entries]
    return {**document(route(respond=FIXED, quotas=names, **keys)), **quotas(*entries)}


def told(answer: Answer) -> tuple[str | None, ...]:
    names = ("limit", "remaining", "reset")
    return tuple(answer.header(f"x-ratelimit-{name}") for name in names)


async def admitted(plane: TrafficPlane, count: int, path: str = "/", *headers: str, **options: Any) -> int:
    """How many of so many requests pass; the others are refused."""
    found = counted(await plane.statuses(count, path, *headers, **options))
    assert set(found) <= {200, 429}
    return found.get(200, 0)


async def test_isaas(monkeypatch: MonkeyPatch) -> None:
    """Ten a second, twenty at once: a full bucket, then what a second, half of one, and a long pause bring back."""
    async with traffic(limited(ISAAS), monkeypatch) as plane:
        passed = [await admitted(plane, 50)]
        for pause_s in (1.0, 0.5, 0.099, 0.001, 60.0):
            plane.time.pass_s(pause_s)
            passed.append(await admitted(plane, 50))
    assert passed == [20, 10, 5, 0, 1, 20]


async def test_isaas_through_a_minute(monkeypatch: MonkeyPatch) -> None:
    """At five times the limit: what was in the bucket, and exactly ten for each second."""
    async with traffic(limited(ISAAS), monkeypatch) as plane:
        passed = 0
        for _ in range(60):
            passed += await admitted(plane, 50)
            plane.time.pass_s(1.0)
    assert passed == 20 + 59 * 10


CRAFTNUDGE = (
    {"name": "read", "algorithm": "sliding_window", "limit": 100, "per": "1m", "methods": ["GET"]},
    {"name": "write", "algorithm": "sliding_window", "limit": 20, "per": "1m", "methods": ["POST", "PUT"]},
    {"name": "analytics", "algorithm": "fixed_window", "limit": 10, "per": "1m"},
    {"name": "notifications", "algorithm": "token_bucket", "limit": 5, "per": "1h"},
)


async def test_craftnudge(monkeypatch: MonkeyPatch) -> None:
    """Reading, writing, analytics and notifications have budgets of their own; none takes from another."""
    raw = {
        **document(
            route("commits", path="/commits", respond=FIXED, quotas=["read", "write"]),
            route("analytics", path="/analytics", respond=FIXED, quotas=["analytics"]),
            route("send", path="/notifications/send", respond=FIXED, quotas=["notifications"]),
        ),
        **quotas(*CRAFTNUDGE),
    }
    async with traffic(raw, monkeypatch) as plane:
        written = await admitted(plane, 30, "/commits", method="POST")
        read = await admitted(plane, 130, "/commits/1")
        analysed = await admitted(plane, 12, "/analytics/patterns") + await admitted(plane, 5, "/analytics/x")
        sent = await admitted(plane, 9, "/notifications/send", method="POST")
        put = await admitted(plane, 3, "/commits", method="PUT")
        deleted = await admitted(plane, 30, "/commits", method="DELETE")
        answer = await plane.ask("/commits")
        plane.time.pass_s(60.0)
        later = [await admitted(plane, 12, path) for path in ("/analytics/x", "/notifications/send")]
    assert (written, read, analysed, sent, put, deleted) == (20, 100, 10, 5, 0, 30)
    assert (answer.status, error(answer)["details"]["quota"]) == (429, "read")
    assert later == [10, 0]


async def test_sliding_window_counts_the_last_minute(monkeypatch: MonkeyPatch) -> None:
    """Half a minute into the next window, half of the one before still counts."""
    async with traffic(limited(CRAFTNUDGE[0]), monkeypatch) as plane:
        first = await admitted(plane, 120)
        plane.time.pass_s(60.0)
        at_once = await admitted(plane, 20)
        plane.time.pass_s(30.0)
        half_way = await admitted(plane, 80)
    assert (first, at_once, half_way) == (100, 0, 50)


async def test_day_begins_at_midnight(monkeypatch: MonkeyPatch) -> None:
    """In UTC, whatever algorithm was named; the time until then is told."""
    until_midnight_s = 86_400 - EPOCH_S % 86_400
    async with traffic(limited({"name": "daily", "limit": 3, "per": "day"}), monkeypatch) as plane:
        first = await admitted(plane, 5)
        refused = await plane.ask()
        plane.time.pass_s(until_midnight_s - 1)
        before = await admitted(plane, 1)
        plane.time.pass_s(1)
        after = await admitted(plane, 5)
    assert (first, before, after) == (3, 0, 3)
    assert refused.header("retry-after") == str(until_midnight_s)


async def test_several_quotas_are_one_step(monkeypatch: MonkeyPatch) -> None:
    """What one refuses is not taken from another: after an hour's worth of refusals, nothing of it is missing."""
    per_second = {"name": "second", "limit": 2, "per": "1s"}
    per_hour = {"name": "hour", "algorithm": "fixed_window", "limit": 10, "per": "1h"}
    async with traffic(limited(per_second, per_hour), monkeypatch) as plane:
        passed = []
        for _ in range(7):
            passed.append(await admitted(plane, 30))
            plane.time.pass_s(1.0)
        last = await plane.ask()
    assert passed == [2, 2, 2, 2, 2, 0, 0]
    assert error(last)["details"] == {"quota": "hour", "limit": 10, "window_s": 3600.0, "retry_after": 3593}


async def test_what_callers_are_told(monkeypatch: MonkeyPatch) -> None:
    """On what passes as on what does not: limit, what is left, when all is there again; of each quota in one field."""
    hour = {"name": "hour", "algorithm": "fixed_window", "limit": 100, "per": "1h"}
    async with traffic(limited({"name": "burst", "limit": 2, "per": "10s"}, hour), monkeypatch) as plane:
        answers = [await plane.ask() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 429]
    assert [told(answer) for answer in answers] == [
        ("2", "1", str(EPOCH_S + 5)),
        ("2", "0", str(EPOCH_S + 10)),
        ("2", "0", str(EPOCH_S + 10)),
    ]
    assert answers[0].header("ratelimit") == '"burst";r=1;t=5, "hour";r=99;t=3600'
    assert answers[2].header("ratelimit") == '"burst";r=0;t=10, "hour";r=98;t=3600'
    assert {answer.header("ratelimit-policy") for answer in answers} == {
        '"burst";q=2;w=10, "hour";q=100;w=3600'
    }
    assert [answer.header("retry-after") for answer in answers] == [None, None, "5"]
    assert error(answers[2]) == {
        "code": "RATE_LIMIT",
        "message": "Too many requests: the quota burst is used up.",
        "details": {"quota": "burst", "limit": 2, "window_s": 10.0, "retry_after": 5},
    }


@pytest.mark.parametrize(("told_status", "status"), [(200, 200), (404, 404), (500, 500), (0, 502)])
async def test_every_answer_tells_what_is_left(
    told_status: int, status: int, monkeypatch: MonkeyPatch
) -> None:
    """An upstream's error, one that sends fields of the same names, and one that does not answer."""
    fields = (("X-RateLimit-Limit", "7"), ("RateLimit", "mine"), ("X-Else", "kept"))
    async with Upstream(told_status, headers=fields) as upstream:
        raw = {**document(route(service="s", quotas=["default"]), services={"s": upstream.url})}
        async with traffic({**raw, **quotas(ISAAS)}, monkeypatch) as plane:
            answer = await plane.ask()
    assert (answer.status, told(answer)) == (status, ("10", "19", str(EPOCH_S + 1)))
    assert answer.values("x-ratelimit-limit") == ["10"]
    assert answer.values("ratelimit") == ['"default";r=19;t=1']
    assert answer.header("x-else") == ("kept" if told_status else None)


async def test_log_mode_lets_pass_and_says_whom_it_would_have_refused(monkeypatch: MonkeyPatch) -> None:
    """A quota's own mode, and that of one route; the enforced one of another route refuses as ever."""
    watched = {"name": "watched", "limit": 2, "per": "1h", "mode": "log"}
    strict = {"name": "strict", "limit": 3, "per": "1h"}
    raw = {
        **document(
            route("a", path="/a", respond=FIXED, quotas=["watched"]),
            route("b", path="/b", respond=FIXED, quotas=[{"name": "strict", "mode": "log"}]),
            route("c", path="/c", respond=FIXED, quotas=["strict", "watched"]),
        ),
        **quotas(watched, strict),
    }
    async with traffic(raw, monkeypatch) as plane:
        passed = [await admitted(plane, 5, path) for path in ("/a", "/b", "/c")]
        quiet = await plane.ask("/a")
        recent = list(plane.limiter.recent)
        decisions = dict(plane.limiter.decisions)
    assert passed == [5, 5, 0]
    assert quiet.header("x-ratelimit-limit") is None
    assert decisions["watched", "would_refuse"] == 3 + 5 + 1
    assert decisions["strict", "would_refuse"] == 2
    assert decisions["strict", "refused"] == 5
    assert counted(each.route for each in recent) == {"a": 3 + 1, "b": 2, "c": 10}
    assert _who(recent[0]) == ("watched", "ip:127.0.0.1", "a", False)
    assert _who(recent[-2]) == ("watched", "ip:127.0.0.1", "c", False)


def _who(each: Any) -> tuple[str, str, str, bool]:
    return each.quota, each.caller, each.route, each.is_enforced


async def test_plans(monkeypatch: MonkeyPatch) -> None:
    """A plan's quota takes the place of the route's of that name; consumers have buckets of their own."""
    callers = Callers()
    for name, plan in (("ada", "gold"), ("bob", ""), ("eve", "no-such-plan")):
        callers.token(name, consumer=name, plan=plan)
    plans = [{"name": "gold", "quotas": [{"name": "default", "limit": 100, "per": "1s", "burst": 200}]}]
    raw = {**limited(ISAAS, {"name": "other", "limit": 150, "per": "1h"}), "plans": plans}
    async with traffic(raw, monkeypatch, callers=callers) as plane:
        passed = {
            name: await admitted(plane, 220, "/", f"Authorization: Bearer {name}")
            for name in ("ada", "bob", "eve")
        }
        anonymous = await admitted(plane, 30)
        plane.time.pass_s(0.1)
        more = await admitted(plane, 20, "/", "Authorization: Bearer bob")
    assert passed == {"ada": 150, "bob": 20, "eve": 20}
    assert (anonymous, more) == (20, 1)


async def test_ipv6_customers_are_networks(monkeypatch: MonkeyPatch) -> None:
    """Whoever has a /64 has one bucket, not as many as addresses; IPv4 within IPv6 is IPv4."""
    raw = limited({"name": "q", "limit": 4, "per": "1h", "key": "ip"})

    async with traffic(raw, monkeypatch, trusted_proxies=("127.0.0.1",)) as plane:

        async def of(*addresses: str) -> list[int]:
            fields = [f"X-Forwarded-For: {address}" for address in addresses]
            return [(await plane.ask("/", field)).status for field in fields]

        same = await of(*(f"2001:db8:1:2::{number:x}" for number in range(6)))
        other = await of("2001:db8:1:3::1")
        mapped = await of("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1")
        neighbour = await of("192.0.2.2")
    assert counted(same) == {200: 4, 429: 2}
    assert counted(mapped) == {200: 4, 429: 1}
    assert other == neighbour == [200]


async def test_keys(monkeypatch: MonkeyPatch) -> None:
    """By header field, by route, by all together, and by a list of them."""
    by = {
        "tenant": {"header": "X-Tenant"}, "route": "route", "all": "global", "both": ["route", {"header": "X-Tenant"}],
    }  # fmt: skip
    raw = {
        **document(
            *(route(f"{key}{n}", path=f"/{key}/{n}", respond=FIXED, quotas=[key]) for key in by for n in "12")
        ),
        **quotas(*({"name": name, "limit": 3, "per": "1h", "key": key} for name, key in by.items())),
    }
    async with traffic(raw, monkeypatch) as plane:
        passed = {
            key: [
                await admitted(plane, 4, f"/{key}/{n}", f"X-Tenant: {tenant}")
                for n in "12"
                for tenant in "xy"
            ]
            for key in by
        }
    assert passed == {
        "tenant": [3, 3, 0, 0],
        "route": [3, 0, 3, 0],
        "all": [3, 0, 0, 0],
        "both": [3, 3, 3, 3],
    }


async def test_default_quotas_are_of_routes_that_name_none(monkeypatch: MonkeyPatch) -> None:
    """All that are given apply, and not where a route has its own; switched off, none does."""
    given = (
        QuotaPolicy("per minute", 6, 60.0),
        QuotaPolicy("per second", 4, 1.0, burst=4),
    )
    raw = {
        **document(
            route("a", path="/a", respond=FIXED), route("b", path="/b", respond=FIXED, quotas=["own"])
        ),
        **quotas({"name": "own", "limit": 9, "per": "1h"}),
    }
    async with traffic(raw, monkeypatch, defaults=TrafficDefaults(quotas=given)) as plane:
        first, own = await admitted(plane, 20, "/a"), await admitted(plane, 20, "/b")
        plane.time.pass_s(1.0)
        second = await admitted(plane, 20, "/a")
    async with traffic(raw, monkeypatch, defaults=TrafficDefaults(quotas=given, limits=False)) as plane:
        off = await admitted(plane, 20, "/a"), await admitted(plane, 20, "/b")
    assert (first, own, second) == (4, 9, 2)
    assert off == (20, 20)


async def test_publishing_gives_nobody_more(monkeypatch: MonkeyPatch) -> None:
    """What is used up stays so; a higher limit gives what it has more, and a lower one holds at once."""
    window = {"name": "q", "algorithm": "fixed_window", "limit": 10, "per": "1h"}
    async with traffic(limited(window), monkeypatch) as plane:
        passed = [await admitted(plane, 7)]
        for limit in (10, 15, 5, 15):
            plane.publish({**limited({**window, "limit": limit}), "services": []})
            passed.append(await admitted(plane, 20))
    assert passed == [7, 3, 5, 0, 0]
