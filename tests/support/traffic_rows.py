"""Known requests, handed to one worker's TrafficLog, whose time stands still."""

from observability.rollups.log import TrafficLog
from observability.traffic.folding import Caller, Cell, Fold, Key, Spent, Tally
from observability.traffic.histogram import bucket_of
from observability.traffic.recorder import Batch

AT = 1_790_000_000 // 86_400 * 86_400
"""A midnight."""


def cell(count: int, seconds: float = 0.1) -> Cell:
    """So many requests that took so long each."""
    return Cell(
        count, count * seconds, count * seconds / 2, 10 * count, 100 * count, {bucket_of(seconds): count}
    )


def fold(
    count: int = 1,
    route: str = "orders",
    service: str = "shop",
    status: int = 200,
    code: str = "",
    seconds: float = 0.1,
    consumer: str = "",
    connects: tuple[int, float] = (0, 0.0),
) -> Fold:
    """As many alike. `connects`: for how many of them a connection was opened, and what that took each time."""
    done = Fold({Key(route, service, "GET", status, code): cell(count, seconds)})
    if consumer:
        done.callers[Caller(route, consumer)] = Tally(count, count * (status >= 500), count * bool(code))
    for _ in range(connects[0]):
        done.connects.setdefault(service, Spent()).note(connects[1])
    return done


class Worker:
    """One that hands over requests."""

    def __init__(self, name: str = "w1", now: float = AT) -> None:
        self.now = now
        self.log = TrafficLog(worker=name, wall_clock=lambda: self.now, write_s=0.0)

    def serve(self, count: int = 1, **what: object) -> None:
        """At this moment."""
        self.log.take(Batch(fold(count, **what), count, self.now))  # type: ignore[arg-type]

    def write(self) -> None:
        self.log.flush()
