"""A poller looks again and again, and no outage ends it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.db import OperationalError

from routing import polling
from routing.polling import Poller

NEVER_S = 60.0


class Looks:
    """Counts looks; `behave` is what the next ones do."""

    def __init__(self, behave: Callable[[], None] = lambda: None) -> None:
        self.behave = behave
        self.count = 0
        self._looked = threading.Semaphore(0)

    def __call__(self) -> None:
        self.count += 1
        try:
            self.behave()
        finally:
            self._looked.release()

    async def another(self) -> None:
        """Waits for one more look to end."""
        assert await asyncio.to_thread(self._looked.acquire, timeout=10)


@asynccontextmanager
async def polled(look: Looks, **options: Any) -> AsyncIterator[Poller]:
    poller = Poller("a-poller", look, complaint="nothing is seen", **options)
    poller.start()
    try:
        yield poller
    finally:
        await poller.stop()


async def test_it_looks_again_and_again() -> None:
    """At once, and every `poll_s`."""
    looks = Looks()
    async with polled(looks, poll_s=0.01) as poller:
        for _ in range(3):
            await looks.another()
        await poller.first_answer(5)
        assert poller.has_answered
        assert poller.busy_s == 0.0
    assert poller.stopped


async def test_who_is_told_to_leave_while_it_starts_may_stop_what_has_not_begun() -> None:
    """There is no thread to wait for, and none that looks."""
    looks = Looks()
    poller = Poller("a-poller", looks, complaint="nothing is seen")
    await poller.stop()
    assert poller.stopped
    assert looks.count == 0


async def test_it_is_woken() -> None:
    """Long before its time."""
    looks = Looks()
    async with polled(looks, poll_s=NEVER_S) as poller:
        await looks.another()
        poller.wake()
        await looks.another()
        assert looks.count == 2


async def test_a_failure_is_noted_until_it_is_over() -> None:
    """It is tried again, later each time, and sooner when woken."""

    def fail() -> None:
        raise OperationalError("connection refused")

    looks = Looks(fail)
    async with polled(looks, poll_s=0.01) as poller:
        await looks.another()
        await poller.first_answer(5)
        assert "connection refused" in poller.error
        looks.behave = lambda: None
        poller.wake()
        for _ in range(2):
            await looks.another()
        assert poller.error == ""


async def test_an_unforeseen_error_is_one_too() -> None:
    """It is logged with its traceback, and the thread lives on."""

    def fail() -> None:
        raise ZeroDivisionError("boom")

    looks = Looks(fail)
    async with polled(looks, poll_s=0.01) as poller:
        await looks.another()
        await poller.first_answer(5)
        assert poller.error == "ZeroDivisionError: boom"
        await looks.another()


async def test_a_first_answer_is_not_waited_for_for_ever() -> None:
    """Whoever hangs is left behind."""
    ended = threading.Event()
    looks = Looks(lambda: assert_(ended.wait(10)))
    async with polled(looks) as poller:
        await poller.first_answer(0.05)
        assert not poller.has_answered
        ended.set()


async def test_a_query_that_hangs_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the time that it was given."""
    broken = threading.Event()
    monkeypatch.setattr(polling, "WATCHDOG_S", 0.01)
    monkeypatch.setattr(polling, "break_off", lambda _sideline: broken.set())
    poller: Poller

    def hang() -> None:
        with poller.asking():
            assert broken.wait(10)

    looks = Looks(hang)
    poller = Poller("a-poller", looks, complaint="nothing is seen", poll_s=NEVER_S, hung_after_s=0.05)
    poller.start()
    await looks.another()
    await poller.stop()


async def test_the_last_words_are_said_in_the_thread() -> None:
    """And may fail."""
    said: list[str] = []

    def goodbye() -> None:
        said.append(threading.current_thread().name)
        raise OperationalError("gone")

    looks = Looks()
    async with polled(looks, poll_s=NEVER_S, goodbye=goodbye):
        await looks.another()
    assert said == ["a-poller"]


def assert_(holds: bool) -> None:
    assert holds
