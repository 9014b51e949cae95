"""I: Active health checks: one worker of all asks targets how they are, and every worker knows the answer.

One timer and a heap of what is due; a task only for each check under way, of which there are at most 128. State is
kept by service and URL: whatever else changes, a target's standing stays, and a target that goes is asked no more.

Who asks: the leader. Without a shared store, or while it is away, every worker asks for itself. A worker that has
heard nothing of a target for three intervals asks as well, whatever the reason: no target is ever forgotten.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import count
from random import Random
from typing import Final, NamedTuple

from resilience.clock import monotonic, wall_clock
from resilience.gossip import Gossip
from resilience.health import UNKNOWN, Answer, Failure, Standing, first_pause_s, patience_s, pause_s, step
from resilience.leader import Leader
from resilience.policies import HealthPolicy
from resilience.state import ServiceState
from resilience.stores.verdicts import SharedVerdicts
from resilience.verdicts import Verdict

LOG = logging.getLogger(__name__)
MOST_AT_ONCE: Final = 128
LONGEST_WHY: Final = 300
TOGETHER_S: Final = 0.02
"""What is due within this time begins together: fewer wake-ups."""
Probe = Callable[[str, str, str, float], Awaitable[Answer | Failure]]
"""(service, target's URL, path, seconds) -> what came back. It may raise; that is a failure as well."""
Listener = Callable[[Verdict, bool], None]


class Watched(NamedTuple):
    """A service whose targets are checked."""

    policy: HealthPolicy
    targets: tuple[str, ...]
    state: ServiceState


class Check:
    """One target of one service."""

    __slots__ = (
        "due",
        "heard_at",
        "node",
        "policy",
        "reset_at",
        "service",
        "standing",
        "state",
        "target",
        "task",
    )

    def __init__(self, service: str, target: str, watched: Watched, now: float) -> None:
        self.service = service
        self.target = target
        self.policy = watched.policy
        self.state = watched.state
        self.standing = UNKNOWN
        self.node = ""
        """Which says so; empty: nobody yet."""
        self.heard_at = now
        self.reset_at = 0.0
        """Epoch seconds; what others found before then counts no more."""
        self.due = now
        self.task: asyncio.Task[None] | None = None

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.service, self.target, self.node, self.standing)


class Prober:
    """One per worker, on its event loop. `node` names this worker to people."""

    def __init__(
        self,
        probe: Probe,
        *,
        node: str,
        leader: Leader,
        rng: Random,
        shared: SharedVerdicts | None = None,
        clock: Callable[[], float] = monotonic,
        wall_clock: Callable[[], float] = wall_clock,
    ) -> None:
        self._probe = probe
        self._node = node
        self._leader = leader
        self._rng = rng
        self._clock = clock
        self._wall_clock = wall_clock
        self._checks: dict[tuple[str, str], Check] = {}
        self._heap: list[tuple[float, int, Check]] = []
        self._numbers = count()
        self._under_way = 0
        self._alarm: asyncio.TimerHandle | None = None
        self._is_running = False
        self._listeners: list[Listener] = []
        self._gossip = Gossip(shared, self._adopt, wall_clock=wall_clock) if shared is not None else None

    def on_verdict(self, listener: Listener) -> None:
        """`listener` hears of every check that this worker made, and whether the target's health changed with it."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begins to ask, on the running event loop."""
        self._is_running = True
        if self._gossip is not None:
            self._gossip.start()
        self._set_alarm()

    async def stop(self) -> None:
        """Asks no more; targets stay as they are."""
        self._is_running = False
        if self._alarm is not None:
            self._alarm.cancel()
        tasks = [check.task for check in self._checks.values() if check.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._gossip is not None:
            await self._gossip.stop()

    def watch(self, services: Mapping[str, Watched]) -> None:
        """These services have checks now, and no other. Called after each swap, when states have settled."""
        now = self._clock()
        wanted = {(name, url): each for name, each in services.items() for url in each.targets}
        gone = self._checks.keys() - wanted.keys()
        for key in gone:
            self._drop(self._checks.pop(key))
        new = wanted.keys() - self._checks.keys()
        for key, watched in wanted.items():
            self._keep(key, watched, now)
        self._heap = [
            (check.due, next(self._numbers), check) for check in self._checks.values() if check.task is None
        ]
        heapify(self._heap)
        self._set_alarm()
        if self._gossip is not None:
            self._gossip.changed(new=bool(new), gone=gone if self._leader.leads else ())

    def verdicts(self) -> list[Verdict]:
        """How all checked targets stand, for people to look at. A target that is not among them is not checked."""
        return [check.verdict for check in self._checks.values()]

    def reset(self, service: str, target: str) -> bool:
        """An operator's word: what is known of a target is forgotten, and it is checked at once. False: no check."""
        check = self._checks.get((service, target))
        if check is None:
            return False
        check.standing, check.node, check.reset_at = UNKNOWN, "", self._wall_clock()
        _apply(check, self._clock())
        if check.task is None and self._is_running:
            self._begin(check)
        return True

    # What is checked

    def _keep(self, key: tuple[str, str], watched: Watched, now: float) -> None:
        check = self._checks.get(key)
        if check is None:
            check = self._checks[key] = Check(*key, watched, now)
            check.due = now + first_pause_s(watched.policy, self._rng.random())
        elif check.policy.interval_s > watched.policy.interval_s:
            check.due = min(check.due, now + pause_s(watched.policy, self._rng.random()))
        check.policy, check.state = watched.policy, watched.state
        _apply(check, now)

    def _drop(self, check: Check) -> None:
        if check.task is not None:
            check.task.cancel()
        check.standing = UNKNOWN
        _apply(check, self._clock())

    # The timer

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._is_running and self._heap and self._under_way < MOST_AT_ONCE:
            wait_s = max(TOGETHER_S, self._heap[0][0] - self._clock())
            self._alarm = asyncio.get_running_loop().call_later(wait_s, self._ring)

    def _ring(self) -> None:
        """Begins what is due, as far as there is room; the end of a check makes room."""
        self._alarm = None
        now = self._clock()
        while self._heap and self._heap[0][0] <= now and self._under_way < MOST_AT_ONCE:
            due, _, check = heappop(self._heap)
            if check.due != due or check.task is not None or not self._has(check):
                continue
            if self._is_ours(check, now):
                self._begin(check)
            else:
                self._put_back(check, now)
        self._set_alarm()

    def _is_ours(self, check: Check, now: float) -> bool:
        is_shared = self._gossip is not None and self._gossip.is_up
        return (
            not is_shared or self._leader.leads or now - check.heard_at > patience_s(check.policy)
        )  # fmt: skip

    def _has(self, check: Check) -> bool:
        return self._checks.get((check.service, check.target)) is check

    def _put_back(self, check: Check, began: float) -> None:
        check.due = max(self._clock(), began + pause_s(check.policy, self._rng.random()))
        heappush(self._heap, (check.due, next(self._numbers), check))

    # One check

    def _begin(self, check: Check) -> None:
        self._under_way += 1
        check.task = asyncio.get_running_loop().create_task(self._run(check))
        check.task.add_done_callback(lambda _: self._ended(check))

    def _ended(self, check: Check) -> None:
        check.task = None
        self._under_way -= 1
        if self._has(check):
            self._put_back(check, check.due)
        if self._alarm is None or (self._heap and self._heap[0][2] is check):
            self._set_alarm()

    async def _run(self, check: Check) -> None:
        check.due = self._clock()
        answer = await self._ask(check)
        if isinstance(answer, Failure):
            answer = Failure(_clean(answer.why))
        if not self._has(check):
            return
        before = check.standing.healthy
        check.standing = step(check.policy, check.standing, answer, self._wall_clock())
        check.node, check.heard_at = self._node, self._clock()
        _apply(check, check.heard_at)
        is_change = check.standing.healthy is not before
        if is_change:
            LOG.info("%s of %s: %s", check.target, check.service, _words(check.standing))
        if self._gossip is not None:
            self._gossip.tell(check.verdict, at_once=is_change)
        for listener in self._listeners:
            listener(check.verdict, is_change)

    async def _ask(self, check: Check) -> Answer | Failure:
        policy = check.policy
        try:
            async with asyncio.timeout(policy.timeout_s):
                return await self._probe(check.service, check.target, policy.path, policy.timeout_s)
        except TimeoutError:
            return Failure(f"no answer within {policy.timeout_s:g} s")
        except Exception as error:
            return Failure(f"{type(error).__name__}: {error}")

    # What others say

    def _adopt(self, verdicts: Iterable[Verdict], is_news: bool) -> None:
        """News count as they come. What was remembered counts if it is later than what is known, and not old."""
        now, wall = self._clock(), self._wall_clock()
        for verdict in verdicts:
            check = self._checks.get((verdict.service, verdict.target))
            if check is None or (is_news and verdict.node == self._node):
                continue
            at = verdict.standing.at
            if at < check.reset_at:
                continue
            if is_news or (at > check.standing.at and abs(wall - at) <= patience_s(check.policy)):
                check.standing, check.node, check.heard_at = verdict.standing, verdict.node, now
                _apply(check, now)


def _apply(check: Check, now: float) -> None:
    """Lets pools know."""
    target = check.state.targets.get(check.target)
    healthy = check.standing.healthy
    if target is None or target.healthy is healthy:
        return
    if target.healthy is False:
        target.available_since = now
    target.healthy = healthy
    check.state.changed()


def _words(standing: Standing) -> str:
    return "healthy" if standing.healthy else f"unhealthy ({standing.why})"


def _clean(why: str) -> str:
    """As every store takes it."""
    return why[:LONGEST_WHY].encode("utf-8", "replace").decode()
