"""I: What a worker found out about targets, told to the others: changes at once, everything else once a second.

Nothing here raises, and nothing waits: while the store is away, the latest of each target is kept until it is back.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from resilience.clock import wall_clock
from resilience.stores.breakers import StoreAway
from resilience.stores.verdicts import SharedVerdicts
from resilience.verdicts import Verdict, field_of

LOG = logging.getLogger(__name__)
PAUSE_S: Final = 1.0
OLD_S: Final = 3600.0
"""What nobody has checked for so long is forgotten."""
Adopt = Callable[[Iterable[Verdict], bool], None]


class Gossip:
    """One per worker. `adopt` hears verdicts, and whether they are news or were remembered."""

    def __init__(
        self, shared: SharedVerdicts, adopt: Adopt, *, wall_clock: Callable[[], float] = wall_clock
    ) -> None:
        self._shared = shared
        self._adopt = adopt
        self._wall_clock = wall_clock
        self._untold: dict[str, Verdict] = {}
        self._gone: set[str] = set()
        self._must_read = False
        self._is_urgent = False
        self._is_running = False
        self._task: asyncio.Task[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None

    @property
    def is_up(self) -> bool:
        """Whether the others can be told, and heard."""
        return self._shared.is_up

    def start(self) -> None:
        """Begins to listen, on the running event loop."""
        self._is_running = True
        self._shared.listen(lambda verdicts: self._adopt(verdicts, True), self._when_up)

    async def stop(self) -> None:
        """Hears and tells no more."""
        self._is_running = False
        if self._alarm is not None:
            self._alarm.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._shared.stop()

    def tell(self, verdict: Verdict, *, at_once: bool) -> None:
        """Soon, or now."""
        self._untold[verdict.field] = verdict
        self._gone.discard(verdict.field)
        self._soon(0.0 if at_once else PAUSE_S)

    def changed(self, *, new: bool, gone: Iterable[tuple[str, str]]) -> None:
        """There are targets that others may know, and some that nobody needs to know of any more."""
        self._gone |= {field_of(*each) for each in gone}
        for field in self._gone:
            self._untold.pop(field, None)
        self._must_read |= new
        if self._gone or new:
            self._soon(0.0)

    def _when_up(self) -> None:
        self._must_read = True
        self._soon(0.0)

    def _soon(self, wait_s: float) -> None:
        self._is_urgent |= wait_s == 0
        if not self._is_running or (self._task is not None and not self._task.done()):
            return  # it is looked at again when the task ends
        if self._alarm is not None and wait_s > 0:
            return
        if self._alarm is not None:
            self._alarm.cancel()
        self._alarm = asyncio.get_running_loop().call_later(wait_s, self._begin)

    def _begin(self) -> None:
        self._alarm = None
        self._task = asyncio.get_running_loop().create_task(self._talk())
        self._task.add_done_callback(self._talked)

    def _talked(self, _task: "asyncio.Task[None]") -> None:
        if self._untold or self._gone or self._must_read:
            self._soon(0.0 if self._is_urgent else PAUSE_S)

    async def _talk(self) -> None:
        self._is_urgent = False
        if not self._shared.is_up:
            return
        untold, self._untold = self._untold, {}
        gone, self._gone = self._gone, set()
        must_read, self._must_read = self._must_read, False
        try:
            await self._shared.tell(list(untold.values()))
            await self._shared.forget(gone)
            if must_read:
                await self._read()
        except (StoreAway, ValueError, TypeError) as error:
            LOG.info("others do not hear of targets' health: %s", error)
            self._untold = untold | self._untold
            self._gone |= gone - self._untold.keys()
            self._must_read |= must_read

    async def _read(self) -> None:
        remembered = await self._shared.remembered()
        self._adopt(remembered, False)
        before = self._wall_clock() - OLD_S
        await self._shared.forget(each.field for each in remembered if each.standing.at < before)
