"""Requests become rows: masked, bounded, and whatever the database does."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import DataError, OperationalError, connections

from authproxy.exchange import Exchange
from authproxy.headers import read
from authproxy.rejections import Code, Rejection
from observability.models import KeptRequest, WouldRefuse
from observability.requests import log as module
from observability.requests.log import Bounds, RequestLog
from observability.requests.masking import Masking
from tests.support.records import ended, seen

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
OFFSET_S = AT.timestamp() - 100
NO = Rejection(Code.FORBIDDEN, "No\0.", details={"reason": "\0", "at": (1, None)})


@pytest.fixture(autouse=True)
async def no_connection_left() -> AsyncIterator[None]:
    yield
    await sync_to_async(connections.close_all)()


def log(**bounds: Any) -> RequestLog:
    return RequestLog(
        Bounds(**bounds), node="w", masking=Masking(), random=Random(1), wall_clock=AT.timestamp, round_s=0.01
    )


def tell(log: RequestLog, *exchanges: Exchange) -> None:
    log.see(seen(*exchanges, offset_s=OFFSET_S))
    log.take()


def test_a_request_becomes_a_row() -> None:
    """What cannot be stored as it is is stored as well as it can be."""
    kept = log()
    fields = [(b"host", b"a.test"), (b"authorization", b"Bearer abc")]
    tell(kept, ended("r", raw_path=b"/\0\xff", refusal=NO, status=403, head=read(fields), request_id=b"42"))
    kept.flush()
    row = KeptRequest.objects.get()

    assert (row.at, row.node, row.request_id, row.route, row.status) == (AT, "w", "42", "r", 403)
    assert row.path == "/\N{REPLACEMENT CHARACTER}ÿ"
    assert row.facts["headers"] == [["host", "a.test"], ["authorization", "Bearer …"]]
    assert row.facts["refusal"]["details"] == {"reason": "\N{REPLACEMENT CHARACTER}", "at": [1, None]}
    assert "abc" not in str(row.facts)


def test_what_two_workers_would_have_refused_adds_up() -> None:
    """All of it, though only few of the requests are kept."""
    for number in range(2):
        kept = log(faults_per_s=0)
        at = 200.0 - number
        tell(kept, *[ended("r", ended=at, request_id=b"%d" % number, would=(("ip", NO),))] * 3)
        kept.flush()
    row = WouldRefuse.objects.get()

    assert (row.route, row.policy, row.count, row.request_id, row.code) == ("r", "ip", 6, "0", "FORBIDDEN")
    assert row.first_at < row.last_at
    assert not KeptRequest.objects.exists()


def test_while_the_database_is_away_the_newest_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as fit; they are written once it is back, each once."""
    kept = log(faults_per_s=100_000)
    monkeypatch.setattr(module, "MOST_WAITING", 300)

    def away(*_: Any, **__: Any) -> None:
        raise OperationalError("away")

    with monkeypatch.context() as patched:
        patched.setattr(module, "_create", away)
        for first in range(0, 400, 100):
            some = [ended("r", status=500, request_id=b"%d" % at) for at in range(first, first + 100)]
            tell(kept, *some)
            with pytest.raises(OperationalError):
                kept.flush()
    kept.flush()

    assert (kept.dropped, kept.left_out, KeptRequest.objects.count()) == (100, 100, 300)
    ids = KeptRequest.objects.order_by("pk").values_list("request_id", flat=True)
    assert list(ids) == [str(number) for number in range(100, 400)]


def test_what_the_database_refuses_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits behind it for ever."""
    kept = log()

    def refuse(*_: Any, **__: Any) -> None:
        raise DataError("no")

    monkeypatch.setattr(module, "_create", refuse)
    tell(kept, ended("r", status=500))
    kept.flush()

    assert kept.lost == 1


def test_rows_are_bounded_by_number_and_by_age() -> None:
    """The oldest go."""
    kept = log(rows=2, kept_for=timedelta(hours=1))
    old = ended("r", status=500, started=100.0 - 7200, request_id=b"old")
    tell(kept, old, *[ended("r", status=500, request_id=b"%d" % number) for number in range(3)])
    kept.flush()
    kept.prune(AT)

    assert list(KeptRequest.objects.values_list("request_id", flat=True)) == ["2", "1"]


async def test_it_writes_by_itself() -> None:
    """What is left at the end as well."""
    kept = log()
    kept.start()
    tell(kept, ended("r", status=500))
    await kept.stop()

    assert await KeptRequest.objects.acount() == 1
