"""What explaining says of quotas, faults, places, breakers, balancing, checks and retries."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from authproxy.counting import bucket_key
from authproxy.identity import Identity
from authproxy.limited import caller_text
from resilience.policies import BreakerPolicy, QuotaPolicy
from routing import trafficnotes
from routing.compiler import CompileOptions, compile_snapshot
from routing.explanation import PolicyNote
from routing.knowledge import NOTHING, Counted, Knowledge, Left, Remaining
from routing.snapshot import Snapshot
from routing.traffic import TrafficDefaults

FREE = {"name": "free", "limit": 10, "per": "1m", "burst": 20}
MONTHLY = {
    "name": "monthly",
    "limit": 100,
    "per": "month",
    "key": "global",
    "methods": ["POST"],
    "mode": "log",
}
GOLD = {"name": "gold", "quotas": [{"name": "free", "limit": 1000, "per": "2m"}]}
ANNA = {"consumer": "anna", "plan": "gold", "method": "jwt"}


def snapshot_with(
    service: dict[str, Any] | None = None,
    traffic: TrafficDefaults | None = None,
    defaults: dict[str, Any] | None = None,
    **keys: Any,
) -> Snapshot:
    raw = {
        "defaults": {"auth": {"level": "public"}, **(defaults or {})},
        "services": [{"name": "s", "targets": [{"url": "http://h"}], **(service or {})}],
        "quotas": [FREE, MONTHLY],
        "plans": [GOLD],
        "routes": [{"name": "r", "service": "s", **keys}],
    }
    options = CompileOptions(traffic=traffic or TrafficDefaults())
    return compile_snapshot(raw, revision=1, options=options)


def quotas(snapshot: Snapshot, source: str = "route", caller: Any = None, **more: Any) -> list[PolicyNote]:
    route = snapshot.routes["r"]
    given = {"method": "GET", "request": Counted(route, caller), **more}
    return list(trafficnotes.quota_notes(snapshot, route, source, **given))


def test_each_quota_says_whom_it_counts() -> None:
    """Its limit, whose budget it is, and whether it only counts; one for other methods passes."""
    snapshot = snapshot_with(quotas=["free", {"name": "monthly", "mode": "log"}])
    free, monthly = quotas(snapshot)
    assert (free.name, free.source, free.outcome) == ("quotas", "route", "applies")
    assert free.details == {
        "quota": "free",
        "limit": 10,
        "per": "60s",
        "algorithm": "token_bucket",
        "burst": 20,
        "counted_for": "the client's address",
        "methods": [],
        "mode": "enforce",
        "on_store_failure": "local",
    }
    assert (monthly.outcome, monthly.details["counted_for"], monthly.details["per"]) == (
        "pass",
        None,
        "month",
    )
    [_, counted] = quotas(snapshot, method="POST")
    assert (counted.outcome, counted.details["counted_for"]) == ("applies", "everybody together")
    assert (counted.details["mode"], counted.details["algorithm"]) == ("log", "fixed_window")


def test_a_plan_puts_another_limit_in_its_place() -> None:
    """For callers on it; what only counts goes on only to count."""
    found = snapshot_with(quotas=[{"name": "free", "mode": "log"}])
    [note] = quotas(found, caller=ANNA)
    assert (note.source, note.details["limit"], note.details["per"]) == ("plan gold", 1000, "120s")
    assert (note.details["mode"], note.details["counted_for"]) == ("log", "consumer anna")
    [other] = quotas(found, caller={**ANNA, "plan": "silver"})
    assert (other.source, other.details["limit"]) == ("route", 10)


def known(*left: Remaining) -> tuple[Knowledge, list[tuple[list[str], Counted]]]:
    """Somebody who knows what is left, and hears what is asked."""
    asked: list[tuple[list[str], Counted]] = []

    def ask(policies: Sequence[QuotaPolicy], request: Counted) -> Sequence[Remaining]:
        asked.append(([f"{policy.name} {policy.limit}" for policy in policies], request))
        return left

    return replace(NOTHING, quotas=ask, now=1_900_000_000.0), asked


def test_what_is_left() -> None:
    """As it is before the request; asked once for all, under the caller's plan, and not where nothing counts."""
    snapshot = snapshot_with(quotas=["free", "monthly"])
    knowing, asked = known(Left(True, 7, 59.2, 0.0))
    [free, monthly] = quotas(snapshot, caller=ANNA, known=knowing)
    assert asked == [(["free 1000"], Counted(snapshot.routes["r"], ANNA))]
    assert (free.outcome, monthly.outcome) == ("applies", "pass")
    assert free.details["remaining"] == 7
    assert free.details["resets_at"] == "2030-03-17T17:47:40Z"
    assert {"remaining", "resets_at", "retry_after_s"}.isdisjoint(monthly.details)
    knowing, asked = known()
    quotas(snapshot_with(quotas=["monthly"]), known=knowing)
    assert asked == []


def test_what_is_used_up_refuses_unless_it_only_counts() -> None:
    """With how long the caller would have to wait."""
    used_up = Left(False, 0, 90.0, 29.1)
    snapshot = snapshot_with(quotas=["free", "monthly"])
    [free, monthly] = quotas(snapshot, method="POST", known=known(used_up, used_up)[0])
    assert [(each.outcome, each.details["retry_after_s"]) for each in (free, monthly)] == [
        ("refuse", 30),
        ("applies", 30),
    ]
    [untouched, unknown] = quotas(snapshot, method="POST", known=known(Left(True, 20, 0.0, 0.0), "no")[0])
    assert (untouched.details["remaining"], untouched.details["resets_at"]) == (20, None)
    assert (unknown.outcome, unknown.details["remaining"]) == ("applies", "unknown")
    assert unknown.details["unknown_because"] == "no"
    assert "counted_by" not in untouched.details
    [alone, _] = quotas(snapshot, known=known(Left(True, 20, 0.0, 0.0, "this worker alone"))[0])
    assert alone.details["counted_by"] == "this worker alone"


def test_quotas_of_the_settings() -> None:
    """Where neither the route nor the defaults name one; when limits are off, that is said."""
    settings = TrafficDefaults(quotas=(QuotaPolicy("per minute", 60, 60.0),))
    [note] = quotas(snapshot_with(traffic=settings), "built-in")
    assert (note.source, note.details["quota"]) == ("environment", "per minute")
    off = TrafficDefaults(limits=False)
    for snapshot in (
        snapshot_with(traffic=off, quotas=["free"]),
        snapshot_with(traffic=off, defaults={"quotas": ["free"]}),
    ):
        [note] = quotas(snapshot)
        assert (note.outcome, note.details) == ("pass", {"remark": trafficnotes.LIMITS_OFF})
    assert quotas(snapshot_with(traffic=off)) == []


@pytest.mark.parametrize(
    ("keys", "caller", "headers"),
    [
        (("consumer",), ANNA, []),
        (("consumer",), None, []),
        (("ip", "route"), ANNA, []),
        (("service", "global"), None, []),
        (("header:X-Tenant", "consumer"), ANNA, [(b"x-tenant", b"acme")]),
        (("header:x-tenant",), None, []),
        (("api_key",), ANNA, []),
    ],
)
def test_words_for_the_bucket_are_those_of_the_data_plane(
    keys: tuple[str, ...], caller: Any, headers: list[tuple[bytes, bytes]]
) -> None:
    """Whoever would be counted there is named here."""
    snapshot = snapshot_with()
    route = snapshot.routes["r"]
    policy = QuotaPolicy("q", 1, 1.0, keys=keys)
    exchange: Any = SimpleNamespace(
        identity=Identity(method="jwt", consumer="anna") if caller else None,
        route=route,
        scope={"headers": headers},
        origin=SimpleNamespace(client_ip="1.2.3.4"),
    )
    counted = caller_text(bucket_key(policy, exchange, service="s"))
    request = Counted(route, caller, tuple(headers))
    assert trafficnotes.whose(policy, replace(request, address="1.2.3.4")) == counted
    assert trafficnotes.whose(policy, request) == counted.replace("address 1.2.3.4", trafficnotes.ADDRESS)


def test_what_is_not_told_of_a_bucket() -> None:
    """A credential's value; which key it will be; the service of a route that has none."""
    snapshot = snapshot_with()
    route = snapshot.routes["r"]
    secret = QuotaPolicy("q", 1, 1.0, keys=("header:authorization",))
    assert (
        trafficnotes.whose(secret, Counted(route, None, ((b"authorization", b"hunter2"),)))
        == "header authorization"
    )
    key = QuotaPolicy("q", 1, 1.0, keys=("api_key",))
    assert trafficnotes.whose(key, Counted(route, {**ANNA, "method": "api_key"})) == "the API key"
    raw = {"routes": [{"name": "r", "respond": {}, "auth": {"level": "public"}}]}
    own = compile_snapshot(raw, revision=1, options=CompileOptions()).routes["r"]
    assert trafficnotes.whose(QuotaPolicy("q", 1, 1.0, keys=("service",)), Counted(own)) == "service"


def faults(snapshot: Snapshot, now: float) -> list[PolicyNote]:
    return list(trafficnotes.fault_notes(snapshot, snapshot.routes["r"], "route", now))


def test_faults_until_they_end() -> None:
    """And where they may not be done at all, that is said."""
    drill = {"delay": "10ms", "abort": 503, "percent": 50, "until": "2030-01-01"}
    snapshot = snapshot_with(fault=drill)
    [note] = faults(snapshot, 0.0)
    assert (note.outcome, note.details) == ("applies", {
        "delay_s": 0.01, "abort": 503, "percent": 50.0, "until": "2030-01-01T00:00:00Z", "has_ended": False,
    })  # fmt: skip
    [ended] = faults(snapshot, 1_900_000_000.0)
    assert (ended.outcome, ended.details["has_ended"]) == ("pass", True)
    off = TrafficDefaults(faults=False)
    [remark] = faults(snapshot_with(traffic=off, fault=drill), 0.0)
    assert remark.details == {"remark": trafficnotes.FAULTS_OFF}
    [remark] = faults(snapshot_with(traffic=off, defaults={"fault": drill}), 0.0)
    assert remark.outcome == "pass"
    assert faults(snapshot_with(fault={"percent": 5, "until": "2030-01-01"}), 0.0) == []
    assert faults(snapshot_with(), 0.0) == []


def test_places_of_routes_and_services() -> None:
    """How many at a time, in each worker."""
    snapshot = snapshot_with({"max_concurrency": 9}, limits={"max_concurrency": 5, "queue": 2, "mode": "log"})
    [route] = trafficnotes.concurrency_note(snapshot.routes["r"].concurrency, "route")
    assert route.details == {"at_a_time": 5, "per": "worker", "queue": 2, "adaptive": None, "mode": "log"}
    [service] = trafficnotes.concurrency_note(snapshot.services["s"].concurrency, "service")
    assert (service.source, service.details["at_a_time"], service.details["mode"]) == (
        "service",
        9,
        "enforce",
    )
    assert list(trafficnotes.concurrency_note(None, "route")) == []


def breaker(snapshot: Snapshot, known: Any = None, now: float = 100.0) -> PolicyNote:
    [note] = trafficnotes.breaker_note(snapshot.services["s"], known, now)
    return note


@pytest.mark.parametrize(
    ("known", "outcome", "state"),
    [
        (None, "pass", None),
        ({"state": "closed", "since": 0.0}, "pass", "closed"),
        ({"state": "open", "since": 95.0}, "refuse", "open"),
        ({"state": "open", "since": 90.0}, "pass", "half_open"),
        ({"state": "open", "since": None}, "refuse", "open"),
        ({"state": "closed", "forced": "open"}, "refuse", "open"),
        ({"state": "open", "since": 95.0, "forced": "closed", "until": 101.0}, "pass", "closed"),
        ({"state": "open", "since": 95.0, "forced": "closed", "until": 100.0}, "refuse", "open"),
    ],
)
def test_an_open_breaker_refuses_until_it_tries_again(known: Any, outcome: str, state: str | None) -> None:
    """What is forced holds until it ends."""
    note = breaker(snapshot_with({"breaker": {"recovery_timeout": "10s"}}), known)
    assert (note.source, note.outcome, note.details["state"]) == ("service", outcome, state)
    assert note.details["recovery_timeout_s"] == 10.0


def test_who_forced_a_breaker() -> None:
    """With the reason and the end, if it has one."""
    told = {"state": "closed", "forced": "open", "forced_by": "anna", "reason": "move", "until": 160.0}
    details = breaker(snapshot_with({"breaker": {}}), told).details
    assert (details["forced_by"], details["reason"], details["until"]) == (
        "anna",
        "move",
        "1970-01-01T00:02:40Z",
    )


def test_breakers_of_the_settings() -> None:
    """They may be everywhere, or nowhere."""
    everywhere = TrafficDefaults(breaks_everywhere=True, breaker=BreakerPolicy(failure_threshold=9))
    note = breaker(snapshot_with(traffic=everywhere))
    assert (note.source, note.details["failure_threshold"]) == ("environment", 9)
    off = TrafficDefaults(breaks=False)
    assert breaker(snapshot_with({"breaker": {}}, off)).details == {"remark": trafficnotes.BREAKERS_OFF}
    for service in ({}, {"breaker": {"enabled": False}}):
        found = snapshot_with(service).services["s"]
        assert list(trafficnotes.breaker_note(found, None, 0.0)) == []


def services(
    method: str = "GET", traffic: TrafficDefaults | None = None, **service: Any
) -> dict[str, PolicyNote]:
    snapshot = snapshot_with(service, traffic)
    return {note.name: note for note in trafficnotes.service_notes(snapshot.services["s"], method)}


def test_what_a_service_says_of_its_targets() -> None:
    """Balancing, checks, ejection and retries."""
    found = services(
        "POST",
        load_balancing="consistent_hash",
        hash_on={"header": "x-tenant"},
        slow_start="5s",
        panic=True,
        health={"path": "/up", "expect": [204, 200]},
        ejection={"for": "10s"},
        retries={"on": ["timeout", "connect", 502], "attempts": 1},
    )
    assert list(found) == ["load_balancing", "health", "ejection", "retries"]
    assert found["load_balancing"].details == {
        "algorithm": "consistent_hash",
        "hash_on": "header:x-tenant",
        "slow_start_s": 5.0,
        "panic": True,
        "zone": None,
    }
    assert (found["health"].details["path"], found["health"].details["expect"]) == ("/up", [200, 204])
    assert found["ejection"].details == {"consecutive_errors": 5, "for_s": 10.0, "max_percent": 50.0}
    retries = found["retries"].details
    assert (retries["on"], retries["attempts"]) == (["connect", "timeout", 502], 1)
    assert (retries["may_be_sent_twice"], "PUT" in retries["methods"]) == (False, True)
    listed = services("POST", retries={"methods": ["POST"]})["retries"].details
    assert (listed["may_be_sent_twice"], listed["methods"]) == (True, ["POST"])


def test_what_a_service_says_of_connections_and_of_its_document() -> None:
    """No certificate and no path of a key is told."""
    found = services(
        tls={"ca": "/etc/ca.pem", "cert": "/etc/own.pem", "key": "/etc/own.key", "sni": "inner.test"},
        max_connections=7,
        openapi={"path": "/spec.json"},
    )
    assert list(found) == ["tls", "max_connections", "openapi"]
    assert found["tls"].details == {
        "verify": True, "own_authority": True, "client_certificate": True, "sni": "inner.test",
    }  # fmt: skip
    assert found["max_connections"].details["limit"] == 7
    assert (found["openapi"].details["path"], found["openapi"].details["refresh_s"]) == ("/spec.json", 300.0)
    assert services() == {}


def test_balancing_is_told_where_there_is_a_choice() -> None:
    """And where it comes from."""
    two = [{"url": "http://a"}, {"url": "http://b"}]
    assert services() == {}
    assert services(targets=two)["load_balancing"].source == "built-in"
    assert services(targets=two, load_balancing="random")["load_balancing"].source == "service"
    settings = TrafficDefaults(load_balancing="random", zone="a")
    note = services(traffic=settings)["load_balancing"]
    assert (note.source, note.details["algorithm"], note.details["zone"]) == ("environment", "random", "a")
