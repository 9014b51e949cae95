"""I: A thread that computes much, and yet keeps nobody waiting: it works for a moment and then rests.

The interpreter is one: while a thread computes, the event loop gets it back after half a millisecond at best, and that
again each time that it let go of it, which it does for each socket. While a thread sleeps the loop has it for itself.
"""

import time
from collections.abc import Callable
from typing import Final

WORK_S: Final = 0.0005
"""Of the processor's time."""
REST_S: Final = 0.001


class Pace:
    """Called after each short step of the work, which may go on in another thread: each has a time of its own."""

    def __init__(
        self,
        spent: Callable[[], float] = time.thread_time,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._spent = spent
        self._sleep = sleep
        self._began: float | None = None

    def __call__(self) -> None:
        """Rests, if it has worked long enough."""
        now = self._spent()
        if self._began is None or now < self._began:
            self._began = now
        elif now - self._began >= WORK_S:
            self._sleep(REST_S)
            self._began = self._spent()
