"""From orders to one worker's cache."""

from collections.abc import Callable

import pytest

from authproxy.caching.cache import Cache
from authproxy.caching.entry import Entry
from authproxy.caching.freshness import Times
from authproxy.caching.keys import NOBODY, Key
from authproxy.caching.purges import MOST
from authproxy.purgewatch import PurgeWatch, prune
from resilience.models import CachePurge
from routing.purging import purge

pytestmark = [pytest.mark.store, pytest.mark.django_db]
KEY = Key(b"c", NOBODY, ("http", b"h", b"/x", b""))


class Worker:
    """A cache with one answer, asked for now."""

    def __init__(self) -> None:
        self.cache = Cache(waits_for_purges=True)
        self.watch = PurgeWatch(self.cache)

    def look(self) -> None:
        def call(function: Callable[[], None]) -> None:
            function()

        self.watch.look(call)

    def keep(self, *, number: int | None = None) -> None:
        opened = self.cache.open(KEY.url)
        known = opened.number if number is None else number
        entry = Entry(200, [], b"", Times(0, 60), route="r", tags=("t",), number=known)
        self.cache.keep(opened, KEY, entry, (), (), epoch=None, now=0.0)

    @property
    def has_it(self) -> bool:
        return self.cache.memory.find(KEY) is not None


def test_an_order_is_carried_out_once() -> None:
    """What is stored afterwards stays."""
    worker = Worker()
    worker.look()
    worker.keep()
    purge("tag", ["other"], by="anna")
    worker.look()
    assert worker.has_it
    purge("tag", ["t"], by="anna")
    worker.look()
    assert not worker.has_it
    worker.keep()
    worker.look()
    assert worker.has_it


def test_a_worker_that_begins_knows_earlier_orders() -> None:
    """Answers in Redis may be older than it is."""
    purge("url", ["/x"], by="anna")
    worker = Worker()
    assert not worker.cache._knows_purges
    worker.look()
    newest = CachePurge.objects.latest("pk").pk

    assert worker.cache._knows_purges
    assert worker.cache.purges.newest == newest
    worker.keep(number=newest - 1)
    assert not worker.has_it
    worker.keep(number=newest)
    assert worker.has_it


def test_of_more_orders_than_it_can_know_it_trusts_nothing_older() -> None:
    """On the safe side."""
    purge("tag", ["first"], by="anna")
    for start in range(0, MOST, 1000):
        purge("tag", [str(number) for number in range(start, min(start + 1000, MOST))], by="anna")
    worker = Worker()
    worker.look()
    oldest = CachePurge.objects.earliest("pk").pk
    worker.keep(number=oldest)
    assert not worker.has_it
    worker.keep(number=worker.cache.purges.newest)
    assert worker.has_it


def test_another_database_begins_anew() -> None:
    """A backup took its place: nobody knows what its numbers mean."""
    purge("tag", ["a"], by="anna")
    purge("tag", ["b"], by="anna")
    worker = Worker()
    worker.look()
    worker.keep()
    CachePurge.objects.latest("pk").delete()
    worker.look()
    assert not worker.has_it
    worker.keep()
    assert worker.has_it
    assert worker.cache.purges.newest == CachePurge.objects.latest("pk").pk


def test_history_is_bounded() -> None:
    """The oldest go."""
    purge("tag", list("abcde"), by="anna")
    assert not prune(kept=2)
    assert [row.value for row in CachePurge.objects.all()] == ["e", "d"]
    Worker().watch.leave()
