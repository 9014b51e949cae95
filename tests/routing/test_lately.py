"""What pollers ask for is asked for together, and answered from a moment ago, unless somebody was woken."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, ProgrammingError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from resilience.models import CachePurge, QuotaReset
from routing import lately
from routing.lately import Lately, answers, asking_lately, newest_of, number
from routing.sidelines import close, make_sideline

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]
ONE, TWO = "SELECT 1", "SELECT 2"


@pytest.fixture
def asked() -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as captured:
        yield captured


def test_outside_of_a_poller_it_is_of_now(asked: CaptureQueriesContext) -> None:
    """Each time."""
    assert answers(ONE, TWO) == (1, 2)
    assert answers(TWO) == (2,)
    assert len(asked) == 2


def test_what_others_asked_for_comes_along(asked: CaptureQueriesContext) -> None:
    """One statement for all, as soon as each has asked once."""
    shared = Lately()
    with asking_lately(shared, since_s=0.0):
        assert [answers(ONE), answers(TWO), answers(ONE), answers(TWO)] == [(1,), (2,), (1,), (2,)]
    assert len(asked) == 2
    with asking_lately(shared, since_s=time.monotonic()):
        assert answers(TWO) == (2,)
        assert answers(ONE) == (1,)
    assert len(asked) == 3


def test_who_was_woken_takes_nothing_older() -> None:
    """A row that was added meanwhile is seen at once; who was not woken sees it a little later."""
    shared = Lately()
    with asking_lately(shared, since_s=0.0):
        assert newest_of(CachePurge, seen=None) == 0
        row = purge()
        assert newest_of(CachePurge, seen=None) == 0
    with asking_lately(shared, since_s=time.monotonic()):
        assert newest_of(CachePurge, seen=0) == row.pk


def test_a_number_that_fell_is_asked_for_again() -> None:
    """Who has read rows of now knows more than what was asked a moment ago: that is no older database."""
    shared = Lately()
    with asking_lately(shared, since_s=0.0):
        assert newest_of(CachePurge, seen=None) == 0
        row = purge()
        assert newest_of(CachePurge, seen=row.pk) == row.pk
        assert number(ONE, seen=5) == 1


def test_an_answer_that_came_late_does_not_replace_a_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two asked at the same time, and the one that began first ended last."""
    shared, found = Lately(), lately._found

    def overtaken(questions: Any) -> dict[str, Any]:
        old = found(questions)
        monkeypatch.setattr(lately, "_found", found)
        purge()
        assert shared.answers(tuple(questions), time.monotonic()) == (CachePurge.objects.get().pk,)
        return old

    question = 'SELECT MAX("id") FROM "resilience_cachepurge"'
    monkeypatch.setattr(lately, "_found", overtaken)
    assert shared.answers((question,), time.monotonic()) == (None,)
    assert shared.answers((question,), 0.0) == (CachePurge.objects.get().pk,)


def test_one_question_that_cannot_be_asked_harms_no_other() -> None:
    """As when another version's migration has taken its table away."""
    if connection.vendor != "postgresql":
        return  # a SQLite file has one version of the gateway, and one lock
    shared = Lately()
    gone = "SELECT MAX(id) FROM gone"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE gone (id int)")
    with asking_lately(shared, since_s=float("inf")):
        assert answers(gone, ONE) == (None, 1)
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE gone")
        assert newest_of(QuotaReset, seen=None) == 0
        assert answers(ONE) == (1,)
        with pytest.raises(ProgrammingError):
            answers(gone)


def test_a_table_that_is_locked_holds_up_who_asks_about_it_alone() -> None:
    """The others find out once, and ask apart from it for a while."""
    if connection.vendor != "postgresql":
        return  # a SQLite file has one version of the gateway, and one lock
    shared = Lately()
    with psycopg.connect(**connection.get_connection_params()) as holder, ThreadPoolExecutor(1) as pool:
        assert pool.submit(asked_by_follower, shared, "SELECT MAX(id) FROM resilience_quotareset").result(
            10
        ) == [None]
        holder.execute("LOCK TABLE resilience_quotareset IN ACCESS EXCLUSIVE MODE")
        assert pool.submit(asked_by_follower, shared, ONE, TWO, ONE).result(10) == [1, 2, 1]
        with pytest.raises(OperationalError, match="lock timeout"):
            pool.submit(asked_by_follower, shared, "SELECT MAX(id) FROM resilience_quotareset").result(10)


def asked_by_follower(shared: Lately, *questions: str) -> list[Any]:
    """Each by itself, over a connection that waits for no lock."""
    wrapper = make_sideline("test", lock_timeout_s=0.1)
    connections["default"] = wrapper
    try:
        with asking_lately(shared, since_s=float("inf")):
            return [answers(question)[0] for question in questions]
    finally:
        close(wrapper)
        del connections["default"]


def purge() -> CachePurge:
    return CachePurge.objects.create(kind="all", by="ada", at=timezone.now())
