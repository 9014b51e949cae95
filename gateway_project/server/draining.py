"""I: Whether this process is leaving. One object per process, so that health endpoints can read it."""

from __future__ import annotations

from collections.abc import Callable


class DrainState:
    """`draining` goes from False to True once, when the process was told to stop.

    Readiness then says no, and every answer on a kept-alive connection asks the client to reconnect elsewhere.
    """

    __slots__ = ("_listeners", "draining")

    def __init__(self) -> None:
        self.draining = False
        self._listeners: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"DrainState(draining={self.draining})"

    def on_begin(self, listener: Callable[[], None]) -> None:
        """Calls `listener` once when draining begins; at once if it has begun."""
        if self.draining:
            listener()
        else:
            self._listeners.append(listener)

    def begin(self) -> None:
        if not self.draining:
            self.draining = True
            for listener in self._listeners:
                listener()


DRAIN_STATE = DrainState()
"""This process's own state: the worker sets it, wiring hands it to whoever answers readiness."""
