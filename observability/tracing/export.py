"""I: The spans of finished requests, sent from a thread of their own.

    recorder ──▶ see ──▶ queue (bounded) ──▶ thread: spans ──▶ collector

The event loop hands records over and never waits. While the collector is away or hangs, the queue fills, and what does
not fit is dropped and counted.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from random import Random
from typing import Final, Protocol

from observability.accesslog.line import Rules
from observability.tracing.needs import needed, size_of
from observability.tracing.spans import Span, is_wanted, spans_of
from observability.traffic.alikes import Seen
from observability.traffic.record import Record, record_of

MOST_WAITING: Final = 8192
"""Requests."""
MOST_BYTES: Final = 16 * 2**20
"""Of the requests that wait."""
AT_ONCE: Final = 512
"""Requests of one message to the collector."""
ROUND_S: Final = 1.0
"""How long requests may wait for others, so that a message is worth its while."""
GOODBYE_S: Final = 2.0
"""How long the last ones may take at the end of the process."""
_log: Final = logging.getLogger(__name__)


class SpanSender(Protocol):
    """What takes spans to a collector. It may hang, and it says why it failed; see `otlp.Sender`."""

    def send(self, spans: Sequence[Span]) -> str: ...

    def stop(self) -> None: ...


class TraceExport:
    """A watcher of the recorder."""

    def __init__(
        self,
        make: Callable[[], SpanSender],
        rules: Rules,
        rng: Random,
        *,
        most: int = MOST_WAITING,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._make = make
        self._rules = rules
        self._rng = rng
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[Record, float]] = deque()
        self._bytes = 0
        """Of those that wait."""
        self._changed = threading.Condition()
        self._is_ending = False
        self._thread: threading.Thread | None = None
        self._sender: SpanSender | None = None
        self._full = 0
        self._lost = 0
        self._is_failing = False
        self.exported = 0
        """Spans that the collector has."""
        self.failed = 0
        """Spans that it did not take."""

    @property
    def dropped(self) -> int:
        """Requests whose spans nobody will see."""
        return self._full + self._lost

    @property
    def counts(self) -> dict[str, int]:
        """For detailed health."""
        return {
            "exported": self.exported,
            "failed": self.failed,
            "waiting": len(self._waiting),
            "dropped": self.dropped,
            "failing": int(self._is_failing),
        }

    def see(self, seen: Seen) -> None:
        """Requests that are over."""
        records = map(record_of, seen.exchanges)
        wanted = [needed(record, self._rules) for record in records if is_wanted(record)]
        with self._changed:
            for record in wanted:
                self._keep(record, seen.offset_s)
            if len(self._waiting) >= AT_ONCE:
                self._changed.notify()

    def _keep(self, record: Record, offset_s: float) -> None:
        size = size_of(record)
        if len(self._waiting) >= self._most or self._bytes + size > self._most_bytes:
            self._full += 1
            return
        self._waiting.append((record, offset_s))
        self._bytes += size

    def start(self) -> None:
        """Begins to send."""
        self._sender = self._make()
        self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Sends what waits, in bounded time. For a thread."""
        with self._changed:
            self._is_ending = True
            self._changed.notify()
        if self._thread is not None and self._sender is not None:
            self._thread.join(GOODBYE_S)
            self._sender.stop()
            self._thread = None

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._is_ending and len(self._waiting) < AT_ONCE:
                    self._changed.wait(ROUND_S)
                if not self._waiting and self._is_ending:
                    return
                taken = list(islice(self._waiting, AT_ONCE))
            if taken:
                self._send(taken)
                with self._changed:
                    for _ in taken:
                        self._bytes -= size_of(self._waiting.popleft()[0])

    def _send(self, taken: Sequence[tuple[Record, float]]) -> None:
        """Nothing may end the thread."""
        assert self._sender is not None
        spans: list[Span] = []
        try:
            for record, offset_s in taken:
                span_id = self._rng.getrandbits(64) or 1
                spans += spans_of(record, offset_s, self._rules, span_id=span_id)
            why = self._sender.send(spans)
        except Exception as error:
            _log.exception("spans could not be made or sent")
            why = type(error).__name__
        if why:
            self._lost += len(taken)
            self.failed += len(spans)
            if not self._is_failing:
                _log.warning("traces do not arrive at the collector: %s", why)
        else:
            self.exported += len(spans)
            if self._is_failing:
                _log.warning("traces arrive at the collector again")
        self._is_failing = bool(why)
