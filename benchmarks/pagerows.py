"""D: Fills a database for `benchmarks.pages`: routes, an audit trail, kept requests, thirty days of roll-ups, and more.

What is written here is as the gateway writes it, in one load for each table. `now` is epoch seconds, sizes are rows.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final

import orjson
from django.contrib.auth.models import User
from django.db import connection, models, transaction

from authproxy.models import ApiKey, Consumer, LimitedCaller, SecurityEvent, Session
from observability.models import AuditEvent, AuditObject, CallerRow, KeptRequest, TrafficRow, WouldRefuse
from observability.rollups.tiers import BLOCK, DAY, HOUR, MINUTE, down
from observability.traffic.histogram import bucket_of
from realtime.models import LiveSocket
from resilience.models import BreakerState, TargetHealth
from routing.drafts import Actor
from routing.models import Node, Schedule
from routing.publishing import apply_document

CHUNK: Final = 20_000
WORKERS: Final = 2
WORDS: Final = ("orders", "limit", "timeout", "header", "canary", "target", "rollout", "incident")
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of what."""

    routes: int = 10_000
    services: int = 500
    events: int = 1_000_000
    requests: int = 1_000_000
    others: int = 10_000
    days: int = 30
    callers: int = 300
    """Told apart in each span."""
    often: int = 2000
    """Of the routes, those that every span has a row of; the ends of ranges have all of them."""


def fill(size: Size, now: float, say: Callable[[str], None]) -> None:
    """Into tables that are migrated and empty."""
    random = Random(20260101)
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("configuration", lambda: configure(size)),
        ("audit trail", lambda: audit(size, now, random)),
        ("kept requests", lambda: requests(size, now, random)),
        ("roll-ups", lambda: rollups(size, now, random)),
        ("callers", lambda: callers(size, now, random)),
        ("what else there is", lambda: others(size, now, random)),
    )
    for title, step in steps:
        say(title)
        step()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def load(model: type[models.Model], columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    """Many rows of some columns at once; the other columns take nothing."""
    names = [getattr(model._meta.get_field(name), "column") for name in columns]  # noqa: B009 - not in all stubs
    table = model._meta.db_table
    shown = ", ".join(f'"{name}"' for name in names)
    waiting = iter(rows)
    while chunk := list(islice(waiting, CHUNK)):
        with transaction.atomic(), connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                with cursor.copy(f'COPY "{table}" ({shown}) FROM STDIN') as copy:
                    for row in chunk:
                        copy.write_row(row)
            else:
                marks = ", ".join(["%s"] * len(names))
                cursor.executemany(f'INSERT INTO "{table}" ({shown}) VALUES ({marks})', chunk)


def moment(at: float) -> str:
    """As both databases take it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def route_name(number: int) -> str:
    return f"route-{number:05d}"


def service_name(number: int) -> str:
    return f"service-{number:03d}"


# Configuration


def configure(size: Size) -> None:
    """Published in two revisions, the second of which changes a tenth of it; and a route and a service that are big."""
    actor = Actor("root")
    apply_document(document(size), actor=actor, message="All that there is", source="cli")
    apply_document(document(size, timeout="7s"), actor=actor, message="Longer timeouts", source="cli")


def document(size: Size, timeout: str = "5s") -> dict[str, Any]:
    return {
        "version": 1,
        "quotas": [{"name": f"quota-{n:03d}", "limit": 100 + n, "per": "1m"} for n in range(100)],
        "services": [_service(n) for n in range(size.services)],
        "routes": [_route(n, size, timeout) for n in range(size.routes)],
    }


def _service(number: int) -> dict[str, Any]:
    targets = 200 if number == 0 else 3
    return {
        "name": service_name(number),
        "targets": [{"url": f"http://10.{number // 250}.{number % 250}.{n + 1}:80"} for n in range(targets)],
        "breaker": {"failure_threshold": 5},
    }


def _route(number: int, size: Size, timeout: str) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": route_name(number),
        "match": {"path": f"/{route_name(number)}", "methods": ["GET", "POST"]},
        "service": service_name(number % size.services),
        "auth": {"level": "public"},
        "quotas": [f"quota-{number % 100:03d}"],
    }
    if number % 10 == 0:
        entry["timeout"] = timeout
    if number % 200 == 0:
        entry["require_headers"] = {"x-tenant": {}, "mode": "log"}
    return entry


# Audit trail


def audit(size: Size, now: float, random: Random) -> None:
    columns = (
        "id", "at", "action", "actor", "actor_kind", "user_id", "door", "address", "reason", "summary", "words",
        "content", "previous", "hash",
    )  # fmt: skip
    first = AuditEvent.objects.count() + 1  # behind those of what was published
    numbers = range(first, size.events + 1)
    load(AuditEvent, columns, _events(numbers, size, now, random))
    about = ((n, "routes", route_name(n % size.routes)) for n in numbers)
    load(AuditObject, ("event_id", "kind", "name"), about)


def _events(numbers: range, size: Size, now: float, random: Random) -> Iterator[Row]:
    """The chain is not in order: no page reads it. Every tenth word is common, one in a hundred thousand is rare."""
    digest = "0" * 64
    for number in numbers:
        name, actor = route_name(number % size.routes), f"person-{number % 40}"
        door = ("admin", "api", "cli")[number % 3]
        action = ("configuration.publish", "breaker.force", "key.create", "staff.login")[number % 4]
        reason = " ".join(random.choices(WORDS, k=6)) + ("  needle" if number % 100_000 == 7 else "")
        summary = f"1 route changed: {name}"
        words = f"{summary} {reason} {actor} {action}".lower()
        at = moment(now - 60 - 2.5 * (size.events - number))
        field = {"path": "timeout", "before": "5s", "after": "7s"}
        change = {"kind": "routes", "name": name, "action": "changed", "fields": [field]}
        content = orjson.dumps({"objects": [["routes", name]], "details": {}, "changes": [change]}).decode()
        yield (
            number, at, action, actor, "user", None, door, "192.0.2.7", reason, summary, words, content, digest, digest,
        )  # fmt: skip


# Kept requests


def requests(size: Size, now: float, random: Random) -> None:
    columns = (
        "at", "node", "request_id", "trace_id", "method", "scheme", "host", "path", "query", "route", "service",
        "target", "status", "code", "consumer", "auth_method", "client", "duration_ms", "would", "revision", "facts",
    )  # fmt: skip
    load(KeptRequest, columns, _requests(size, now, random))


def _requests(size: Size, now: float, random: Random) -> Iterator[Row]:
    facts = orjson.dumps({"headers": [["accept", "*/*"]] * 8, "attempts": 1, "sent": 512}).decode()
    for number in range(size.requests):
        route = number * 7919 % size.routes
        status, code = ((200, ""), (200, ""), (502, ""), (429, "RATE_LIMIT"))[number % 4]
        yield (
            moment(now - (size.requests - number) * 0.3), "node-1:7", f"{number:032x}", f"{number:032x}", "GET", "http",
            "api.example.com", f"/{route_name(route)}/{number}", "", route_name(route),
            service_name(route % size.services), "http://10.0.0.1:80", status, code,
            f"consumer-{number % size.callers}",
            "api_key", "192.0.2.9", random.random() * 100, "", 2, facts,
        )  # fmt: skip


# Roll-ups


def rollups(size: Size, now: float, random: Random) -> None:
    columns = (
        "span", "at", "worker", "scope", "name", "service", "count", "errors", "refused", "seconds", "upstream_s",
        "received", "sent", "statuses", "buckets", "is_summed",
    )  # fmt: skip
    load(TrafficRow, columns, _traffic(size, now, random))


def spans(size: Size, now: float) -> Iterator[tuple[int, int, str, int]]:
    """Span, start, worker, and of how many routes: of all where ranges end, of the busiest between."""
    today = down(now, DAY)
    for at in range(today - size.days * DAY, today, DAY):
        yield DAY, at, "", size.routes
    hour = down(now, HOUR)
    for at in range(today - size.days * DAY, hour, HOUR):
        is_edge = at >= hour - 26 * HOUR or at < today - (size.days - 2) * DAY
        yield HOUR, at, "", size.routes if is_edge else size.often
    block = down(now, BLOCK)
    for at in range(hour - 26 * HOUR, block, BLOCK):
        is_edge = at >= hour - 7 * HOUR or at < hour - 22 * HOUR
        yield BLOCK, at, "", size.routes if is_edge else size.often
    for at in range(block - 2 * HOUR, down(now, MINUTE) + MINUTE, MINUTE):
        for worker in range(WORKERS):
            yield MINUTE, at, f"worker-{worker}", size.routes if at >= block - 900 else size.often


def _is_summed(span: int, at: int, now: float) -> bool:
    longer = {MINUTE: BLOCK, BLOCK: HOUR, HOUR: DAY}.get(span)
    return longer is None or down(at, longer) + longer <= down(now, longer)


def _traffic(size: Size, now: float, random: Random) -> Iterator[Row]:
    texts = [_histogram(random) for _ in range(500)]
    for span, at, worker, routes in spans(size, now):
        last = _is_summed(span, at, now)
        rows = [("service", service_name(n), "", n + 1) for n in range(size.services)]
        rows += [("route", route_name(n), service_name(n % size.services), n % 97 + 3) for n in range(routes)]
        total = sum(weight * span // MINUTE for scope, _, _, weight in rows if scope == "route")
        rows += [("connects", service_name(n), "", 1) for n in range(size.services)]
        for scope, name, service, weight in [*rows, ("connects", "", "", size.services), ("all", "", "", 0)]:
            count = weight * span // MINUTE or total
            yield (
                span, at, worker, scope, name, service, count, count // 50, count // 20, count * 0.02, count * 0.018,
                count * 300, count * 2000, orjson.dumps({"200": count}).decode(), random.choice(texts), last,
            )  # fmt: skip


def _histogram(random: Random) -> str:
    numbers = sorted({bucket_of(0.005 * random.lognormvariate(1, 0.8)) for _ in range(30)})
    return orjson.dumps({str(n): random.randrange(1, 50) for n in numbers}).decode()


def callers(size: Size, now: float, random: Random) -> None:
    columns = ("span", "at", "worker", "route", "consumer", "count", "errors", "refused", "is_summed")
    load(CallerRow, columns, _callers(size, now, random))


def _callers(size: Size, now: float, random: Random) -> Iterator[Row]:
    for span, at, worker, _ in spans(size, now):
        for number in range(min(100, size.callers) if span == MINUTE else size.callers):
            route = route_name((number * 31 + at // span) % size.routes)
            who, count = f"consumer-{number}", random.randrange(1, 500)
            yield span, at, worker, route, who, count, 1, 1, _is_summed(span, at, now)


# What else there is


def others(size: Size, now: float, random: Random) -> None:
    """As many as people have of them, or as the gateway keeps."""
    at, number = datetime.fromtimestamp(now, UTC), range(size.others)
    many: Callable[..., Any] = lambda model, rows: model.objects.bulk_create(rows, batch_size=500)  # noqa: E731
    who = [Consumer(name=f"consumer-{n}", kind="service", plan="") for n in number]
    many(Consumer, who)
    keys = [
        ApiKey(consumer=each, name="main", prefix=f"tor_{n:08d}", digest=os.urandom(32))
        for n, each in enumerate(Consumer.objects.order_by("pk"))
    ]
    many(ApiKey, keys)
    many(SecurityEvent, [SecurityEvent(kind="api_key_unknown", at=at, actor=f"a{n}") for n in number])
    many(LimitedCaller, [
        LimitedCaller(
            digest=f"{n:032x}", quota=f"quota-{n % 100:03d}", caller=f"consumer:{n}", route=route_name(n % size.routes),
            first_at=at, last_at=at, refused=random.randrange(1000), limit=100, period="minute", retry_after_s=1.0,
        ) for n in number
    ])  # fmt: skip
    many(WouldRefuse, [
        WouldRefuse(
            digest=f"{n:032x}", route=route_name(n % 50 * 200), policy="require_headers", caller=f"consumer-{n}",
            count=n + 1, first_at=at, last_at=at, code="INVALID_REQUEST", message="No x-tenant.", request_id=f"{n:x}",
        ) for n in number
    ])  # fmt: skip
    many(BreakerState, [BreakerState(service=service_name(n)) for n in range(size.services)])
    many(TargetHealth, [
        TargetHealth(
            service=service_name(n), target=f"http://10.{n // 250}.{n % 250}.{t}:80", healthy=True, ok=True,
            checked_at=at,
        )
        for n in range(size.services) for t in (1, 2, 3)
    ])  # fmt: skip
    nodes = [f"node-{n}:1" for n in range(400)]
    many(Node, [Node(name=name, pid=1, role="worker", revision=2, since=at, heartbeat=at) for name in nodes])
    many(User, [User(username=f"user-{n}", email=f"u{n}@example.com") for n in number])
    many(Session, [
        Session(user=each, digest=os.urandom(32), expires_at=at + timedelta(days=1))
        for each in User.objects.filter(username__startswith="user-").order_by("pk")
    ])  # fmt: skip
    many(LiveSocket, [
        LiveSocket(node=nodes[n % 400], number=n, route=route_name(n % size.routes), service=service_name(0),
                   target="http://10.0.0.1:80", since=at, seen_at=at)
        for n in number
    ])  # fmt: skip
    many(Schedule, [
        Schedule(
            author="person-1", zone="UTC", starts_at=at + timedelta(days=n), edits="[]", summary="1 route",
            state="waiting",
        )
        for n in range(200)
    ])  # fmt: skip
