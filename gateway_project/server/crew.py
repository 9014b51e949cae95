"""I: The set of workers: keeps every place filled, replaces them one by one, sends them all home.

Knows processes and time, which is an argument, but no signals and no waiting: the supervisor calls it when something
may have happened.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from gateway_project.server.children import Child, ending

_MARGIN_S = 5.0  # beyond its own drain timeout, after which a worker is killed
_LIVED_S = 10.0  # a worker that was ready this long did not fail at once


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds."""

    ready_timeout_s: float = 60.0
    leave_timeout_s: float = 31.0
    first_backoff_s: float = 0.5
    longest_backoff_s: float = 10.0


@dataclass(slots=True, eq=False)
class Place:
    """What one worker does; `successor` is starting and will take it over."""

    current: Child | None = None
    successor: Child | None = None
    failures: int = 0
    refill_at_s: float = 0.0


@dataclass(slots=True)
class Crew:
    start: Callable[[float], Child]
    size: int
    patience: Patience
    say: Callable[[str], None]
    places: list[Place] = field(init=False)
    leaving: list[Child] = field(default_factory=list)
    complete: bool = False
    """Whether all were ready at once before."""
    failed: bool = False
    """The first start did not succeed: there is nothing to keep up."""
    stopping: bool = False
    _due: list[Place] = field(default_factory=list)
    _reload_again: bool = False

    def __post_init__(self) -> None:
        self.places = [Place() for _ in range(self.size)]

    def children(self) -> list[Child]:
        held = [child for place in self.places for child in (place.current, place.successor) if child]
        return held + self.leaving

    def starting(self) -> list[Child]:
        """Those whose ready pipe is worth watching."""
        return [child for child in self.children() if child.ready_s is None and child not in self.leaving]

    # What happened

    def note_ready(self, child: Child, now_s: float) -> None:
        for place in self.places:
            if place.successor is child:
                place.current, place.successor, old = child, None, place.current
                if old is not None:
                    self._retire(old, now_s)
        self.complete = self.complete or all(
            place.current is not None and place.current.ready_s is not None for place in self.places
        )

    def note_exits(self, now_s: float) -> None:
        for child in self.children():
            status = child.exit_status()
            if status is not None:
                self._forget(child, status, now_s)
                child.close()

    def _forget(self, child: Child, status: int, now_s: float) -> None:
        if child in self.leaving:
            self.leaving.remove(child)
            return
        for place in self.places:
            if place.successor is child:
                place.successor = None
                self._due.clear()
                self._reload_again = False
                if not self.stopping:
                    self.say(
                        f"reload given up: the new worker {child.pid} {ending(status)} before it was ready"
                    )
            elif place.current is child:
                place.current = None
                self._plan_refill(place, child, status, now_s)

    def _plan_refill(self, place: Place, child: Child, status: int, now_s: float) -> None:
        if self.stopping:
            return
        if not self.complete:
            self.failed = True
            self.say(f"worker {child.pid} {ending(status)} before it was ready; giving up")
            return
        lived = child.ready_s is not None and now_s - child.ready_s >= _LIVED_S
        place.failures = 0 if lived else place.failures + 1
        wait_s = 0.0
        if place.failures > 1:
            doubled_s = self.patience.first_backoff_s * 2.0 ** min(place.failures - 2, 16)
            wait_s = min(self.patience.longest_backoff_s, doubled_s)
        place.refill_at_s = now_s + wait_s
        when = f"in {wait_s:g} s" if wait_s else "now"
        self.say(f"worker {child.pid} {ending(status)}; replacing it {when}")

    # What to do

    def tend(self, now_s: float) -> float:
        """Starts, retires and kills what is due; returns when to look again at the latest."""
        times_s = [now_s + 3600.0]
        if not (self.stopping or self.failed):
            times_s += self._refill(now_s)
            self._continue_reload(now_s)
        for child in self.starting():
            overdue_s = child.started_s + self.patience.ready_timeout_s
            if now_s >= overdue_s and child.killed_after_s is None:
                self.say(
                    f"worker {child.pid} was not ready in {self.patience.ready_timeout_s:g} s; killing it"
                )
                child.killed_after_s = now_s
            times_s.append(overdue_s if child.killed_after_s is None else now_s + 1.0)
        for child in self.children():
            if child.killed_after_s is not None:
                if now_s >= child.killed_after_s:
                    child.kill()
                times_s.append(max(child.killed_after_s, now_s + 0.5))
        return min(times_s)

    def _refill(self, now_s: float) -> list[float]:
        waiting_s = []
        for place in self.places:
            if place.current is None and place.successor is None:
                if now_s >= place.refill_at_s:
                    place.current = self.start(now_s)
                else:
                    waiting_s.append(place.refill_at_s)
        return waiting_s

    def reload(self) -> None:
        """Replaces every worker, one after the other; asked again meanwhile, once more after that."""
        if self._due or any(place.successor for place in self.places):
            self._reload_again = True
        else:
            self._due = list(self.places)

    def _continue_reload(self, now_s: float) -> None:
        if any(place.successor for place in self.places) or not self.complete:
            return
        if not self._due and self._reload_again:
            self._reload_again = False
            self._due = list(self.places)
        if self._due:
            self._due.pop(0).successor = self.start(now_s)

    def _retire(self, child: Child, now_s: float) -> None:
        self.leaving.append(child)
        child.retire(now_s + self.patience.leave_timeout_s + _MARGIN_S)

    def stop(self, now_s: float) -> None:
        """Sends all home."""
        self.stopping = True
        for child in self.children():
            if child not in self.leaving:
                child.stop(now_s + self.patience.leave_timeout_s + _MARGIN_S)

    def kill(self) -> None:
        self.stopping = True
        for child in self.children():
            child.kill()
