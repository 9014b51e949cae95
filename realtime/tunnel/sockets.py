"""I: All proxied connections of one worker: who ends them, and what is told of them.

Ended are those whose caller's credential ends or identity provider goes (at once, 4401), whose route changes (as the
route's `on_change` says), which an operator picks, and all when the process goes away.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from itertools import count
from random import Random
from typing import Final, NamedTuple

from authproxy.changes import EVERYBODY, Changes
from authproxy.identity import Identity
from realtime.tunnel import closing
from realtime.tunnel.course import BEAT_S, Course
from realtime.tunnel.place import Place, fate_of
from resilience.clock import wall_clock
from routing.shapes.websocket import SocketPolicy
from routing.snapshot import Snapshot

DRAIN_S: Final = 30.0
"""Over which connections of a route that changed are ended, so that their clients do not all come back at once."""
_LONGEST_TIMER_S: Final = 24 * 3600.0


class Facts(NamedTuple):
    """What is told of a connection. `since` is in epoch seconds."""

    number: int
    user: str
    address: str
    since: float
    place: Place


class Socket:
    """One connection among the worker's."""

    __slots__ = ("course", "expiry", "facts", "identity", "leaving", "policy")

    def __init__(self, facts: Facts, course: Course, policy: SocketPolicy, identity: Identity | None) -> None:
        self.facts = facts
        self.course = course
        self.policy = policy
        self.identity = identity
        self.expiry: asyncio.TimerHandle | None = None
        self.leaving: asyncio.TimerHandle | None = None

    @property
    def received(self) -> int:
        """Bytes from the client."""
        return self.course.client.received

    @property
    def sent(self) -> int:
        """Bytes from the upstream."""
        return self.course.upstream.received


class Sockets:
    """Only the event loop's thread may call it, but for `told`."""

    def __init__(
        self,
        *,
        changes: Changes | None = None,
        rng: Random,
        clock: Callable[[], float] = wall_clock,
        beat_s: float = BEAT_S,
        drain_s: float = DRAIN_S,
    ) -> None:
        self.beat_s = beat_s
        self.by_route: Counter[str] = Counter()
        """How many there are now: `gateway_websocket_connections{route}`."""
        self._drain_s = drain_s
        self._changes = changes
        self._rng = rng
        self._clock = clock
        self._numbers = count(1)
        self._open: dict[int, Socket] = {}
        self._by_subject: dict[str, set[Socket]] = {}
        self._snapshot: Snapshot | None = None
        if changes is not None:
            changes.subscribe(self._changed)

    def __len__(self) -> int:
        return len(self._open)

    def add(
        self, course: Course, place: Place, policy: SocketPolicy, *, identity: Identity | None, address: str
    ) -> Socket:
        """A connection that stands. What happened during its handshake counts, too."""
        user = identity.consumer if identity is not None else ""
        facts = Facts(next(self._numbers), user, address, self._clock(), place)
        socket = Socket(facts, course, policy, identity)
        self._open[facts.number] = socket
        self.by_route[place.route] += 1
        if identity is not None:
            for subject in (*identity.subjects, EVERYBODY):
                self._by_subject.setdefault(subject, set()).add(socket)
            self._expire(socket, identity)
            self._judge(socket, identity)
        if self._snapshot is not None:
            self._vouch(socket, self._snapshot)
            self._follow(socket, self._snapshot)
        return socket

    def discard(self, socket: Socket) -> None:
        """It is over."""
        del self._open[socket.facts.number]
        route = socket.facts.place.route
        self.by_route[route] -= 1
        if not self.by_route[route]:
            del self.by_route[route]
        for timer in (socket.expiry, socket.leaving):
            if timer is not None:
                timer.cancel()
        if socket.identity is not None:
            for subject in (*socket.identity.subjects, EVERYBODY):
                group = self._by_subject.get(subject)
                if group is not None:
                    group.discard(socket)
                    if not group:
                        del self._by_subject[subject]

    def told(self, most: int) -> list[tuple[Facts, int, int]]:
        """The oldest: what they are, bytes from the client, bytes from the upstream. Any thread may ask."""
        found = list(self._open.values())[:most]
        return [(each.facts, each.received, each.sent) for each in found]

    def end(self, numbers: Collection[int] | None = None, *, route: str = "") -> None:
        """An operator's word: these; or all, of a route or whatsoever."""
        chosen: Iterable[Socket] = list(self._open.values())
        if numbers is not None:
            chosen = [self._open[number] for number in numbers if number in self._open]
        for socket in chosen:
            if not route or socket.facts.place.route == route:
                socket.course.end(closing.GOING_AWAY, "ended by an operator")

    def reconcile(self, snapshot: Snapshot) -> None:
        """After a swap: connections of routes that went or lead elsewhere, and of callers whose provider went."""
        before, self._snapshot = self._snapshot, snapshot
        if before is None or before.providers is not snapshot.providers:
            for socket in list(self._open.values()):
                self._vouch(socket, snapshot)
        for socket in list(self._open.values()):
            self._follow(socket, snapshot)

    # Changes of routes

    def _follow(self, socket: Socket, snapshot: Snapshot) -> None:
        place = socket.facts.place
        fate = fate_of(place, snapshot)
        if fate == "stays":
            if socket.leaving is not None:
                socket.leaving.cancel()
                socket.leaving = None
            return
        route = snapshot.routes.get(place.route)
        policy = (None if route is None else route.shapes.websocket) or socket.policy
        code = closing.GOING_AWAY if fate == "gone" else closing.SERVICE_RESTART
        if policy.on_change == "close":
            socket.course.end(code, "the route has changed")
        elif policy.on_change == "drain" and socket.leaving is None:
            wait_s = self._rng.random() * self._drain_s
            loop = asyncio.get_running_loop()
            socket.leaving = loop.call_later(wait_s, socket.course.end, code, "the route has changed")

    # Credentials

    def _changed(self, subjects: tuple[str, ...]) -> None:
        found = {socket for subject in subjects for socket in self._by_subject.get(subject, ())}
        for socket in found:
            assert socket.identity is not None
            self._judge(socket, socket.identity)

    def _judge(self, socket: Socket, identity: Identity) -> None:
        if self._changes is not None and self._changes.is_stale(identity):
            socket.course.end(closing.CREDENTIALS_ENDED, "credentials were revoked")

    def _vouch(self, socket: Socket, snapshot: Snapshot) -> None:
        if socket.identity is not None and not socket.identity.is_vouched_for(snapshot.providers):
            socket.course.end(closing.CREDENTIALS_ENDED, "the identity provider is gone")

    def _expire(self, socket: Socket, identity: Identity) -> None:
        left_s = identity.expires_at - self._clock()
        if left_s <= 0:
            socket.course.end(closing.CREDENTIALS_ENDED, "credentials have expired")
        elif left_s != float("inf"):
            loop = asyncio.get_running_loop()
            socket.expiry = loop.call_later(min(left_s, _LONGEST_TIMER_S), self._expire, socket, identity)
