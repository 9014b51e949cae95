"""D: How long each page of admin takes with very many routes, audit rows and kept requests: first opened, and again.

`python -m benchmarks.pages fill` fills the database of DATABASE_URL, which is new and empty; `measure` opens every page
of it through Django's test client, as a superuser; `--only TEXT` only some of them.
"""

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import urlencode

import django
import orjson

GOAL_MS: Final = 300
WARM_ROUNDS: Final = 2
RANGES: Final = ("15m", "1h", "6h", "24h", "7d", "30d")


@dataclass(frozen=True, slots=True)
class Page:
    """What is opened: a path with its query; with `form`, by POST."""

    title: str
    path: str
    form: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds of processor time, which neighbours on the machine do not change: of all, and of PostgreSQL (0 on
    SQLite, which works in the same process); how many queries; the status."""

    total_ms: float
    database_ms: float
    queries: int
    status: int


def fill(now: float) -> None:
    from django.contrib.auth.models import User
    from django.core.management import call_command

    from benchmarks import pagerows

    call_command("migrate", verbosity=0)
    User.objects.create_superuser("root")
    pagerows.fill(pagerows.Size(), now, say)
    say("tallies")
    tally(now)


def tally(now: float) -> None:
    """What the keeper of roll-ups does in its time."""
    from observability.rollups import summing

    while summing.step(now):
        pass


def measure(only: str) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    from observability.models import TrafficRow

    now = float(
        (TrafficRow.objects.filter(span=60, scope="all").order_by("-at").values_list("at", flat=True)[0]) + 45
    )
    client = Client(raise_request_exception=False, headers={"host": "localhost"})
    client.force_login(User.objects.get(username="root"))
    client.get("/admin/auth/group/")
    serve()
    with patch("observability.admin.traffic.time.time", lambda: now):
        for page in pages():
            if only in f"{page.title} {page.path}":
                forget()
                cold = opened(client, page)
                warm = [opened(client, page) for _ in range(WARM_ROUNDS)]
                print(line(page, cold, warm), flush=True)


def serve() -> None:
    """The process has the live revision compiled, as each worker of a gateway has."""
    from routing import served
    from routing.admin import snapshots
    from routing.compiler import compile_snapshot
    from routing.drafts import live_revision

    live, options = live_revision(), snapshots.options()
    assert live is not None
    document = orjson.loads(live.document)
    snapshot = compile_snapshot(document, revision=live.number, options=options, digest=live.digest)
    gc.collect()
    gc.freeze()  # as a worker does
    served.bind(lambda: snapshot, options)


def forget() -> None:
    """What a process that was just started does not know."""
    from observability.rollups import reading, tallies
    from routing.admin import snapshots

    snapshots._kept.clear()
    snapshots._rows._known.clear()
    reading._SUMS = tallies.Sums()  # type: ignore[misc]


def opened(client: Any, page: Page) -> Timed:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    connection.queries_log.clear()
    with CaptureQueriesContext(connection) as queries:
        behind = backend_s()
        began = time.process_time()
        response = client.get(page.path) if page.form is None else client.post(page.path, page.form)
        total_ms = (time.process_time() - began) * 1000
        database_ms = (backend_s() - behind) * 1000
    slow = [q for q in queries if float(q["time"]) > 0.05]
    if os.environ.get("SHOW"):
        for query in slow:
            say(f"{query['time']} s: {query['sql'][:1500]}")
    return Timed(total_ms + database_ms, database_ms, len(queries), response.status_code)


def backend_s() -> float:
    """What the server's process for this connection has used; queries in parallel are to be off (PGOPTIONS)."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    connection.ensure_connection()
    text = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text()
    return int(text.split()[0]) / 1e9


def line(page: Page, cold: Timed, warm: list[Timed]) -> str:
    warm_ms = statistics.median(each.total_ms for each in warm)
    warm_database_ms = statistics.median(each.database_ms for each in warm)
    over = "OVER" if max(cold.total_ms, warm_ms) > GOAL_MS else ""
    odd = f"status {cold.status}" if cold.status != 200 else ""
    figures = f"{cold.total_ms:.0f} | {cold.database_ms:.0f} | {warm_ms:.0f} | {warm_database_ms:.0f}"
    return f"| {page.title} | {figures} | {cold.queries} | {warm[0].queries} | {over}{odd} |"


# Which pages there are


def pages() -> Iterator[Page]:
    yield Page("overview", "/admin/")
    yield from _boards()
    yield from _audit()
    yield from _requests()
    yield from _revisions()
    yield from _steps()
    yield from _rows()


def _boards() -> Iterator[Page]:
    for of in ("", "service=service-007", "route=route-00042"):
        for name in RANGES:
            query = f"?range={name}&{of}"
            yield Page(f"dashboard {of or 'all'} {name}", f"/admin/traffic/{query}")
            yield Page(f"dashboard {of or 'all'} {name}, its figures", f"/admin/traffic/data/{query}")


def _audit() -> Iterator[Page]:
    base = "/admin/observability/auditevent/"
    for query in (
        {"q": "orders"}, {"q": "needle"}, {"q": "nothing like it"}, {"q": "orders", "actor": "person-7"},
        {"q": "needle", "door": "cli"}, {"actor": "person-7"}, {"actor": "nobody"}, {"object": "routes route-00042"},
        {"object": "route-00042"}, {"object": "routes nothing"}, {"action": "breaker.force"}, {"door": "cli"},
        {"actor": "person-7", "door": "cli", "action": "key.create"},
        {"actor": "person-7", "door": "admin", "action": "staff.login"},
        {"at_from_0": "2026-11-20", "at_to_0": "2026-11-21"}, {"q": "needle", "at_to_0": "2026-11-21"}, {"p": "50"},
    ):  # fmt: skip
        yield Page(f"audit trail {urlencode(query)}", f"{base}?{urlencode(query)}")


def _requests() -> Iterator[Page]:
    base = "/admin/observability/keptrequest/"
    for query in (
        "status=5xx", "status=404", "code=RATE_LIMIT", "route=route-00042", "service=service-007",
        "consumer=consumer-7", "client=192.0.2.1", "method=POST", "path=/route-00042/", "path=nowhere",
        "live=1", "request_id=" + "0" * 32,
    ):  # fmt: skip
        yield Page(f"explorer {query[:30]}", f"{base}?{query}")
    yield Page("replay", f"{base}replay/")
    yield Page("replay, what it finds", f"{base}replay/?found=1")
    yield Page("log-only, last page", "/admin/observability/wouldrefuse/?page=3")
    query = urlencode({"route": "route-00200", "policy": "require_headers", "quota": ""})
    yield Page("log-only, enforce", f"/admin/observability/wouldrefuse/enforce/?{query}")


def _revisions() -> Iterator[Page]:
    from routing.models import Revision

    first, last = Revision.objects.order_by("number")[0], Revision.objects.order_by("-number")[0]
    yield Page("compare revisions", f"/admin/routing/compare/?before={first.number}&after={last.number}")
    for what in ("compare", "document", "roll-back"):
        yield Page(f"revision, {what}", f"/admin/routing/revision/{last.pk}/{what}/")
        yield Page(f"first revision, {what}", f"/admin/routing/revision/{first.pk}/{what}/")


def _steps() -> Iterator[Page]:
    from routing.models import Route, Service

    route, service = Route.objects.get(name="route-00042"), Service.objects.get(name="service-000")
    yield Page("explain", "/admin/routing/explain/")
    yield Page("explain, by a route", f"/admin/routing/explain/?route={route.pk}")
    query = urlencode({"url": "http://x/route-00042", "method": "GET"})
    yield Page("explain, live", f"/admin/routing/explain/?{query}")
    yield Page("import OpenAPI", "/admin/routing/import/openapi/")
    yield Page("live page", "/admin/realtime/live/")
    yield Page("new schedule", "/admin/routing/schedule/plan/new/")
    for what in ("traffic", "explain", "duplicate", "purge-cache"):
        yield Page(f"route, {what}", f"/admin/routing/route/{route.pk}/{what}/")
    for what in ("traffic", "duplicate", "drain"):
        yield Page(f"big service, {what}", f"/admin/routing/service/{service.pk}/{what}/")
    yield Page("purge the cache", "/admin/resilience/cachepurge/purge/")
    for path in (
        "/docs",
        "/docs/account",
        "/docs/openapi.json",
        "/accounts/2fa/",
        "/accounts/password/change/",
    ):
        yield Page(f"portal {path}", path)


def _rows() -> Iterator[Page]:
    """Of each kind of row: the list, searches, its filters, the last page, the form of a new one, and of one."""
    from django.contrib import admin
    from django.urls import reverse

    for model, model_admin in admin.site._registry.items():
        meta: Any = model._meta
        base = f"admin:{meta.app_label}_{meta.model_name}"
        shown = f"{meta.app_label}.{meta.model_name}"
        there = reverse(f"{base}_changelist")
        yield Page(f"{shown} list", there)
        if model_admin.search_fields:
            yield Page(f"{shown} search 42", f"{there}?q=42")
            yield Page(f"{shown} search nothing", f"{there}?q=zzzz")
        for query in choices(model_admin, there):
            yield Page(f"{shown} {query[:40]}", f"{there}{query}")
        yield Page(f"{shown} add", reverse(f"{base}_add"))
        first = model._default_manager.order_by("pk").values_list("pk", flat=True).first()
        if first is not None:
            yield Page(f"{shown} change", reverse(f"{base}_change", args=[first]))
            yield Page(f"{shown} history", reverse(f"{base}_history", args=[first]))
            yield Page(f"{shown} delete", reverse(f"{base}_delete", args=[first]))


def choices(model_admin: Any, there: str) -> list[str]:
    """What the list's filters offer, one each."""
    from django.contrib.auth.models import User
    from django.test import RequestFactory

    request = RequestFactory().get(there)
    request.user = User.objects.get(username="root")
    try:
        changes = model_admin.get_changelist_instance(request)
    except Exception as error:  # a list that is a page of its own
        say(f"{there}: {error!r}")
        return []
    found = []
    for spec in changes.filter_specs:
        texts = [
            each.get("query_string") for each in list(spec.choices(changes))[:4] if isinstance(each, dict)
        ]
        found += [text for text in texts[1:] if text]
    return found


def say(text: str) -> None:
    print(f"· {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages")
    parser.add_argument("what", choices=("fill", "measure", "tally"))
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "gateway_project.settings")
    django.setup()
    if given.what == "fill":
        fill(time.time())
    elif given.what == "tally":
        tally(time.time())
    else:
        measure(given.only)


if __name__ == "__main__":
    main()
