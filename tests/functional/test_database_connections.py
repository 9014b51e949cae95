"""What one node asks of PostgreSQL: few connections, and none that is cut or held up keeps a change from being live."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from tests.support.gateway import document, route
from tests.support.process import Running, Site, eventually
from tests.support.stopwatch import Stopwatch
from tests.support.storeaway import ON_POSTGRES

pytestmark = pytest.mark.store
USUAL = 4
"""Of a node that is idle: for following, for writing, for listening, for callers; Django's own come and go."""
AT_MOST = 10
_OTHERS = "datname = current_database() AND pid <> pg_backend_pid()"


def saying(text: str) -> dict[str, Any]:
    return document(route("said", path="/said", respond={"status": 200, "body": text}))


@contextmanager
def administering(site: Site) -> Iterator[psycopg.Connection]:
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        yield connection


def connections(administrator: psycopg.Connection) -> int:
    row = administrator.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {_OTHERS}").fetchone()
    assert row is not None
    return int(row[0])


async def live_after(site: Site, running: Running, text: str) -> tuple[float, float]:
    """Publishes, and waits until it is served: from when it was committed."""
    await site.apply(saying(text))
    committed = time.time()
    await running.until("/said", text.encode())
    return committed, time.time()


async def test_a_node_has_few_connections(site: Site, stopwatch: Stopwatch) -> None:
    """They are cut, all at once: new ones are opened, not more than before, and the next change is live."""
    if not ON_POSTGRES:
        return  # there is nothing to count in a file
    await site.apply(saying("before"))
    async with site.serving() as running:
        with administering(site) as administrator:
            await eventually(lambda: connections(administrator) <= USUAL, every_s=0.2)
            assert stopwatch.between(*await live_after(site, running, "first")) < 1
            cut = administrator.execute(
                f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {_OTHERS}"
            ).fetchone()
            assert cut is not None
            assert 2 <= cut[0] <= AT_MOST
            await live_after(site, running, "second")
            assert stopwatch.between(*await live_after(site, running, "third")) < 1
            await eventually(lambda: connections(administrator) <= USUAL, every_s=0.2)


async def test_who_waits_for_a_lock_holds_up_nobody_else(site: Site, stopwatch: Stopwatch) -> None:
    """Somebody holds tables that are written to: those who write wait, and changes are live as ever."""
    if not ON_POSTGRES:
        return  # SQLite has one lock, which publishing needs as well
    await site.apply(saying("before"))
    async with site.serving() as running:
        await running.until("/said", b"before")
        with administering(site) as administrator, psycopg.connect(site.database_url) as holder:
            holder.execute(
                "LOCK TABLE authproxy_limitedcaller, authproxy_securityevent, observability_trafficrow,"
                " resilience_quotareset, resilience_targethealth IN ACCESS EXCLUSIVE MODE"
            )
            await eventually(lambda: waiting(administrator) >= 2)
            for text in ("first", "second"):
                assert stopwatch.between(*await live_after(site, running, text)) < 1
            assert connections(administrator) - 1 <= AT_MOST
            holder.rollback()


def waiting(administrator: psycopg.Connection) -> int:
    """How many wait for a lock."""
    row = administrator.execute(
        f"SELECT count(*) FROM pg_stat_activity WHERE {_OTHERS} AND wait_event_type = 'Lock'"
    ).fetchone()
    assert row is not None
    return int(row[0])
