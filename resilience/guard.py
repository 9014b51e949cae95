"""I: One service's breaker in this worker, deciding together with those of other workers, and alone without them.

Closed, a request costs no more than a look. Failures are told to the others beside the traffic; what they decide is
adopted. Half open, a trial asks for one of the places that all workers share, and waits for the answer no longer than
the store's short timeout: if there is none, the worker's own places count. What a worker decides by itself is told as
soon as it can be; the shared script lets the later period win.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from resilience.breaker import SOON_S, Breaker, Cause, Permit, Refused, State, Transition
from resilience.policies import BreakerPolicy
from resilience.stores.breakers import Ask, Change, Reply, SharedBreakers, StoreAway

KEPT_ERRORS: Final = 5
KEEP_EVERY_S: Final = 1.0
"""How often counts are kept where no other worker's answer brings them."""
_MOST_DONE: Final = 256
_LONGEST_ERROR: Final = 200
Verdict = Permit | Refused


class Record(NamedTuple):
    """What should be kept of a breaker. `cause` None: only counts and errors are new. `age_s` is that of the state."""

    service: str
    before: State
    state: State
    period: int
    age_s: float
    cause: Cause | None
    requests: int
    failures: int
    window_s: float
    errors: tuple[tuple[float, str], ...]  # epoch seconds and what was wrong; the newest last


class Hooks(NamedTuple):
    """Whom a guard tells: of changes in this worker, and of what should be kept once for all workers."""

    tell: Callable[[str, Transition], None]
    keep: Callable[[Record], None]


class Guard:
    """`permit` before a request, `record` after it. Lives as long as its service, across snapshots."""

    __slots__ = (
        "_asked",
        "_clock",
        "_done",
        "_errors",
        "_hooks",
        "_is_due",
        "_keep_at",
        "_known_period",
        "_leases",
        "_number",
        "_reporting",
        "_shared",
        "_unkept",
        "_wall_clock",
        "breaker",
        "name",
    )

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy,
        hooks: Hooks,
        *,
        shared: SharedBreakers | None,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.breaker = Breaker(policy, self._changed)
        self._hooks = hooks
        self._shared = shared
        self._clock = clock
        self._wall_clock = wall_clock
        self._known_period = 0
        """Up to which changes are known to others, or written down: they are not told as news again."""
        self._keep_at = 0.0
        self._unkept: Transition | None = None
        self._errors: deque[tuple[float, str]] = deque(maxlen=KEPT_ERRORS)
        self._leases: dict[Permit, str] = {}
        self._done: deque[tuple[str, bool]] = deque(maxlen=_MOST_DONE)
        self._number = 0
        self._asked: tuple[float, Ask] | None = None
        self._is_due = False
        self._reporting: asyncio.Task[None] | None = None

    @property
    def state(self) -> State:
        """What holds now: forced or measured."""
        return self.breaker.state

    # Requests

    def permit(self, now: float) -> Verdict | Awaitable[Verdict]:
        """Whether a request may be sent; half open, the answer may have to be awaited. `now` is monotonic."""
        breaker = self.breaker
        if breaker.is_straight:
            return breaker.passing
        verdict = breaker.permit(now)
        if not isinstance(verdict, Permit) or not verdict.is_trial:
            return verdict
        if self._shared is None or not self._shared.is_up:
            self._keep_own()
            return verdict
        return self._lease(self._shared, verdict)

    def record(self, permit: Permit, failed: bool | None, now: float, why: str = "") -> None:
        """How a request ended; None: without a result. `why` is shown to operators."""
        if failed is False and not permit.is_trial:
            self.breaker.record(permit, False, now)
            return
        if failed:
            self._errors.append((self._wall_clock(), why[:_LONGEST_ERROR]))
        self.breaker.record(permit, failed, now)
        lease = self._leases.pop(permit, "")
        if lease:
            self._done.append((lease, failed is False))
        if failed or lease or self._unkept is not None:
            self._report(now)

    async def _lease(self, shared: SharedBreakers, permit: Permit) -> Verdict:
        """A place among the trials of all workers."""
        self._number += 1
        lease = f"{shared.worker}:{self._number}"
        self._leases[permit] = lease
        try:
            reply = await self._step(shared, Ask(lease=lease))
        except StoreAway:
            self._keep_own()
            return permit
        except BaseException:  # the client left meanwhile
            self.record(permit, None, self._clock())
            raise
        if reply.granted and permit.period == self.breaker.period:
            return permit
        self._leases.pop(permit, None)
        now = self._clock()
        self.breaker.record(permit, None, now)
        if self.breaker.measured is State.HALF_OPEN:
            return Refused(SOON_S)
        verdict = self.breaker.permit(now)
        return Refused(SOON_S) if isinstance(verdict, Permit) and verdict.is_trial else verdict

    # Others

    def hear(self, change: Change) -> None:
        """What another worker caused."""
        self._adopt(change.state, change.age_s, change.period, change.cause)

    def restore(self, state: State, period: int, age_s: float) -> None:
        """What was recorded before this worker started; others may know better, and are to be asked then."""
        self._adopt(state, age_s, period, Cause.RESTORED)

    def reset(self) -> None:
        """An operator wants it closed and counting from nothing."""
        self.breaker.reset(self._clock())
        self._unkept = None  # whoever asked for it has written it down
        self.sync()

    def sync(self) -> None:
        """Tells the others how things stand here, and adopts what they know better."""
        if self._shared is not None and self._shared.is_up:
            self._is_due = True
            if self._reporting is None:
                self._reporting = asyncio.get_running_loop().create_task(self._report_all(self._shared))

    async def synced(self) -> None:
        """The same, and waits until the others have answered or cannot."""
        self.sync()
        if self._reporting is not None:
            await asyncio.gather(self._reporting, return_exceptions=True)

    async def stop(self) -> None:
        """Ends what is under way."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)

    def _report(self, now: float) -> None:
        if self._shared is not None and self._shared.is_up and self.breaker.forced is None:
            self.sync()
            return
        self._keep_own()
        if now >= self._keep_at:
            self._keep_at = now + KEEP_EVERY_S
            count = self.breaker.window.total(now)
            self._keep(self.breaker.measured, None, count.requests, count.failures)

    async def _report_all(self, shared: SharedBreakers) -> None:
        try:
            while self._is_due:
                self._is_due = False
                self._asked = self._asked or self._question()
                reply = await self._step(shared, self._aged(*self._asked))
                self._asked = None
                if reply.failures and not reply.changes:
                    self._keep(reply.state, None, reply.requests, reply.failures)
        except StoreAway:
            self._keep_own()
        finally:
            self._reporting = None

    def _question(self) -> tuple[float, Ask]:
        """What the others have not been told, and when it was so old; asked again as it is until it is answered."""
        self._number += 1
        now = self._clock()
        counts = (
            ()
            if self.breaker.forced
            else tuple(
                (now - count.begin, count.requests, count.failures)
                for count in self.breaker.window.untold(now)
            )
        )
        done = tuple(self._done)
        self._done.clear()
        return now, Ask(counts=counts, batch=self._number, done=done)

    def _aged(self, at: float, ask: Ask) -> Ask:
        late_s = self._clock() - at
        counts = tuple((age_s + late_s, requests, failures) for age_s, requests, failures in ask.counts)
        return ask._replace(counts=counts)

    async def _step(self, shared: SharedBreakers, ask: Ask) -> Reply:
        breaker = self.breaker
        cause = breaker.cause if breaker.period > self._known_period else Cause.RESTORED
        reply = await shared.step(self.name, breaker, cause, ask, now=self._clock())
        for change in reply.changes:
            if change.cause not in (Cause.RESTORED, Cause.RESET):
                self._hooks.keep(self._record(self._counted(change)))
        if reply.period >= breaker.period:
            self._unkept = None
        self._adopt(reply.state, reply.age_s, reply.period, reply.cause)
        return reply

    def _counted(self, change: Change) -> Change:
        """What this worker decided by itself it has counted by itself: whoever shares the change has not."""
        own = self._unkept
        if (
            own is None
            or change.requests
            or (change.state, change.period) != (own.after, self.breaker.period)
        ):
            return change
        return change._replace(requests=own.requests, failures=own.failures)

    def _adopt(self, state: State, age_s: float, period: int, cause: Cause) -> None:
        now = self._clock()
        before, unkept = self.breaker.period, self._unkept
        self.breaker.adopt(state, now - age_s, period, now, cause)
        self._known_period = max(self._known_period, period)
        if self.breaker.period != before:
            self._leases.clear()
            unkept = None
        self._unkept = unkept

    # What is told

    def _changed(self, transition: Transition) -> None:
        """The breaker changed, for whatever reason."""
        if transition.cause not in (Cause.FORCED, Cause.RELEASED):
            self._unkept = transition
        self._hooks.tell(self.name, transition)

    def _keep_own(self) -> None:
        """Nobody else is there to decide: this worker's change is the one to be written down."""
        own, self._unkept = self._unkept, None
        if own is not None:
            self._known_period = self.breaker.period
            self._keep(own.before, own.cause, own.requests, own.failures)

    def _keep(self, before: State, cause: Cause | None, requests: int, failures: int) -> None:
        breaker = self.breaker
        age_s = max(0.0, self._clock() - breaker.since)
        self._hooks.keep(
            self._record(
                Change(
                    self.name,
                    before,
                    breaker.measured,
                    breaker.period,
                    age_s,
                    breaker.cause,
                    requests,
                    failures,
                )
            )._replace(cause=cause)
        )

    def _record(self, change: Change) -> Record:
        return Record(*change, window_s=self.breaker.policy.failure_window_s, errors=tuple(self._errors))
