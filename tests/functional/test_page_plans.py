"""Pages over big tables ask by indexes, or stop after a page of rows: never for a whole table, however few it has.

A small table is scanned because that is quicker. So PostgreSQL is told to leave scans if it can, and SQLite says what
it would do whatever the size.
"""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from observability.models import KeptRequest
from observability.rollups import summing
from observability.rollups.tiers import HOUR, RANGES
from routing.auditing import Deed, record
from tests.support.adminpages import signed_in
from tests.support.traffic_rows import Worker

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
BIG = re.compile(r'FROM "(observability_(?:auditevent|auditobject|keptrequest|trafficrow|callerrow))"')
SCANS = re.compile(r"Seq Scan on observability_|^SCAN observability_\w+$", re.MULTILINE)
AUDIT = "/admin/observability/auditevent/?"
EXPLORER = "/admin/observability/keptrequest/?"
BOARD = "/admin/traffic/data/?range="
PAGES = (
    *(f"{AUDIT}{query}" for query in ("", "q=orders", "actor=anna", "action=key.create", "door=system", "p=2")),
    *(f"{AUDIT}object={name}" for name in ("orders", "routes+orders")),
    *(f"{EXPLORER}{query}" for query in ("", "route=r3", "service=s", "status=404", "code=X", "consumer=c")),
    *(f"{EXPLORER}{query}" for query in ("client=::1", "request_id=abc", "path=%2Fnowhere")),
    *(f"{BOARD}{name}" for name in RANGES),
    *(f"{BOARD}{name}{of}" for name in ("1h", "30d") for of in ("&service=s", "&route=r3")),
)  # fmt: skip


@pytest.fixture
def _rows() -> Iterator[None]:
    """Some of everything; of traffic, what is minutes, blocks, hours and tallies by now."""
    now = time.time()
    for _ in range(200):
        record(Deed("key.create", (("routes", "orders"),), "anna", "orders"))
    KeptRequest.objects.bulk_create(
        KeptRequest(at=timezone.now(), status=200, duration_ms=1.0, revision=1, route="r3")
        for _ in range(200)
    )
    worker = Worker()
    for hour in range(3):
        worker.now = now - (3 - hour) * HOUR
        for number in range(5):
            worker.serve(number + 1, route=f"r{number}", service="s", consumer="c")
        worker.write()
    while summing.step(now):
        pass
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SET enable_seqscan = off")
    yield
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET enable_seqscan")


def plan_of(sql: str) -> str:
    explain = "EXPLAIN" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.usefixtures("_rows")
def test_no_page_runs_through_a_big_table() -> None:
    client = signed_in()
    scans: dict[str, Any] = {}
    asked = 0
    for page in PAGES:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(page).status_code == 200
        for sql in (each["sql"] for each in queries):
            if BIG.search(sql) and sql.startswith("SELECT"):
                asked += 1
                plan = plan_of(sql)
                if SCANS.search(plan) and " LIMIT " not in sql:
                    scans[page] = (sql, plan)

    assert scans == {}
    assert asked > len(PAGES)


@pytest.mark.usefixtures("_rows")
def test_a_scan_is_seen() -> None:
    """What the other test looks for is what databases say."""
    whole = 'SELECT * FROM "observability_auditevent" WHERE "words" = \'x\''
    assert SCANS.search(plan_of(whole))
