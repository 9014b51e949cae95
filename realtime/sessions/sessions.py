"""I: All clients of one worker: how many, whose, who is still there, and whose credentials or rights end."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

from authproxy.authenticate import Answer, Authenticator
from authproxy.changes import EVERYBODY, Changes
from authproxy.credentials import METHODS
from authproxy.handshake import Taken
from authproxy.identity import Identity
from authproxy.memory import Accepted
from authproxy.tickets import API_KEY
from realtime.closecodes import GOING_AWAY, SERVICE_RESTART
from realtime.hub.hub import Hub
from realtime.hub.names import Names
from realtime.protocol import is_connection_id, is_topic
from realtime.sessions import tokens
from realtime.sessions.rights import ANYBODY, owner_of
from realtime.sessions.session import Session
from resilience.clock import monotonic, wall_clock
from routing.snapshot import Snapshot

MOST_PER_USER: Final = 100
"""Connections of one user at a worker."""
PING_S: Final = 25.0
"""A client of whom nothing was heard for so long is asked; for twice as long, it is gone."""
ROUNDS: Final = 25
LEAVING_S: Final = 5.0
"""Over which clients are asked to reconnect elsewhere."""
_LONGEST_TIMER_S: Final = 24 * 3600.0


@dataclass(slots=True)
class Tally:
    """Since the start."""

    opened: int = 0
    refused: int = 0
    """Messages."""
    turned_away: int = 0
    """Handshakes of users who have too many connections."""


class Sessions:
    """Only the event loop's thread may call it."""

    def __init__(
        self,
        hub: Hub,
        *,
        snapshot: Callable[[], Snapshot],
        authenticator: Authenticator,
        changes: Changes,
        key: bytes,
        rng: Random,
        names: Names | None = None,
        is_open: bool = False,
        now: Callable[[], float] = monotonic,
        wall: Callable[[], float] = wall_clock,
        ping_s: float = PING_S,
    ) -> None:
        """`key` signs resume tokens; `names` are those of all workers; `is_open`: anybody may connect."""
        self.hub = hub
        self.tally = Tally()
        self.closed: Counter[int] = Counter()
        """By the code with which connections ended; 0 where they broke."""
        self.is_open = is_open
        self.now = now
        self._wall = wall
        self._snapshot = snapshot
        self._authenticator = authenticator
        self._changes = changes
        self._key = key
        self._rng = rng
        self._names = names
        self._keeping: asyncio.Task[None] | None = None
        self._ping_s = ping_s
        self._all: set[Session] = set()
        self._ids: dict[str, tuple[str, int]] = {}
        self._by_owner: Counter[str] = Counter()
        self._by_subject: dict[str, set[Session]] = {}
        self._rounds: list[set[Session]] = [set() for _ in range(ROUNDS)]
        self._round = 0
        self._beat: asyncio.TimerHandle | None = None
        self._rules: tuple[object, object] = (None, None)
        self._providers: object = None
        self._is_leaving = False
        changes.subscribe(self._changed)

    def __len__(self) -> int:
        return len(self._all)

    # Coming and going

    def is_full(self, identity: Identity) -> bool:
        """Whether the user has as many connections as may be."""
        full = self._by_owner[owner_of(identity)] >= MOST_PER_USER and identity is not ANYBODY
        self.tally.turned_away += full
        return full

    async def name_for(self, identity: Identity, wanted: str) -> str:
        """The client's own name for its connection if it is sane and no other user's; else one that nobody guesses."""
        owner = owner_of(identity)
        is_free = is_connection_id(wanted) and self._ids.get(wanted, (owner, 0))[0] == owner
        if is_free and (self._names is None or await self._names.hold(wanted, owner)):
            return wanted
        return secrets.token_urlsafe(16)

    def add(self, taken: Taken, identity: Identity, name: str) -> Session:
        """A connection that stands, of that name."""
        owner = owner_of(identity)
        if self._ids.get(name, (owner, 0))[0] != owner:  # taken while the name was asked for
            name = secrets.token_urlsafe(16)
        session = Session(self, name, identity, taken)
        addressed = [f"connection.{name}"]
        if identity.address and is_topic(f"user.{identity.address}"):
            addressed.append(f"user.{identity.address}")
        session.own = tuple(addressed)
        self._all.add(session)
        self._ids[name] = (owner, self._ids.get(name, (owner, 0))[1] + 1)
        self._by_owner[owner] += 1
        self._rounds[hash(session) // 64 % ROUNDS].add(session)
        self.tally.opened += 1
        self._hold(session, identity)
        session.begin()
        self._judge(session)
        if self._beat is None:
            self._arm()
        if self._is_leaving:
            self._ask_to_leave(session)
        return session

    def discard(self, session: Session) -> None:
        """It is over."""
        self._all.discard(session)
        owner, count = self._ids[session.id]
        if count > 1:
            self._ids[session.id] = (owner, count - 1)
        else:
            del self._ids[session.id]
        self._by_owner[owner] -= 1
        if not self._by_owner[owner]:
            del self._by_owner[owner]
        self._rounds[hash(session) // 64 % ROUNDS].discard(session)
        self._let_go(session)
        self.closed[session.line.code] += 1

    def change(self, session: Session, identity: Identity) -> None:
        """The same user, with another credential."""
        self._let_go(session)
        session.identity = identity
        self._hold(session, identity)

    def leave(self) -> None:
        """The worker is going: clients are asked to reconnect, not all at once, and then closed."""
        if not self._is_leaving:
            self._is_leaving = True
            for session in list(self._all):
                self._ask_to_leave(session)

    def stop(self) -> None:
        """Nothing is looked at any more."""
        if self._beat is not None:
            self._beat.cancel()
        if self._keeping is not None:
            self._keeping.cancel()
        for session in list(self._all):
            session.line.close(SERVICE_RESTART, "the gateway is restarting")

    # Rights

    def may(self, identity: Identity, topic: str) -> bool:
        """Whether it may subscribe."""
        snapshot = self._snapshot()
        return snapshot.topics.may_subscribe(topic, identity, identity.scopes(snapshot.roles))

    def reconcile(self, new: Snapshot) -> None:
        """After a swap: what nobody has a right to any more ends, and connections whose provider is gone."""
        if self._providers is not new.providers:
            self._providers = new.providers
            for session in [each for each in self._all if not each.identity.is_vouched_for(new.providers)]:
                session.end_credentials("the identity provider is gone")
        rules = (new.topics, new.roles)
        if rules != self._rules:
            self._rules = rules
            for session in list(self._all):
                session.judge()

    async def identify(self, token: str) -> Identity | None:
        """Whom a token stands for."""
        scheme = b"ApiKey " if token.startswith(f"{API_KEY}_") else b"Bearer "
        pairs = [(b"authorization", scheme + token.encode())]
        found: Answer | Awaitable[Answer] = self._authenticator.identify(
            pairs, METHODS, self._snapshot().providers
        )
        answer = found if isinstance(found, Accepted | str) else await found
        return answer.identity if isinstance(answer, Accepted) else None

    # Resuming

    def resume_token(self, session: Session) -> str:
        """What the client has now, to be had again elsewhere."""
        place = str(self.hub.window.last.shared)
        places = dict.fromkeys((*session.topics, *session.own), place)
        return tokens.issue(self._key, owner_of(session.identity), places, now=self._wall())

    def redeem(self, session: Session, token: str) -> dict[str, str] | None:
        """None for what is not the client's own."""
        return tokens.redeem(self._key, owner_of(session.identity), token, now=self._wall())

    # Its own

    def _hold(self, session: Session, identity: Identity) -> None:
        for subject in (*identity.subjects, EVERYBODY):
            self._by_subject.setdefault(subject, set()).add(session)
        self._expire(session)

    def _let_go(self, session: Session) -> None:
        if session.expiry is not None:
            session.expiry.cancel()
            session.expiry = None
        for subject in (*session.identity.subjects, EVERYBODY):
            group = self._by_subject.get(subject)
            if group is not None:
                group.discard(session)
                if not group:
                    del self._by_subject[subject]

    def _expire(self, session: Session) -> None:
        left_s = session.identity.expires_at - self._wall()
        if left_s <= 0:
            session.end_credentials("credentials have expired")
        elif left_s != float("inf"):
            loop = asyncio.get_running_loop()
            session.expiry = loop.call_later(min(left_s, _LONGEST_TIMER_S), self._expire, session)

    def _changed(self, subjects: tuple[str, ...]) -> None:
        for session in {each for subject in subjects for each in self._by_subject.get(subject, ())}:
            self._judge(session)

    def _judge(self, session: Session) -> None:
        if self._changes.is_stale(session.identity):
            session.end_credentials("credentials were revoked")

    def _ask_to_leave(self, session: Session) -> None:
        after_s = self._rng.uniform(0.1, LEAVING_S)
        session.reconnect(int(after_s * 1000))
        loop = asyncio.get_running_loop()
        loop.call_later(after_s, session.line.close, SERVICE_RESTART, "the gateway is restarting")

    def _arm(self) -> None:
        self._beat = asyncio.get_running_loop().call_later(self._ping_s / ROUNDS, self._look)

    def _look(self) -> None:
        """A part of the clients: who was silent is asked, who does not answer is gone."""
        self._round = (self._round + 1) % ROUNDS
        for session in list(self._rounds[self._round]):
            line = session.line
            if line.is_live:
                line.is_live = session.was_asked = False
            elif session.was_asked:
                line.close(GOING_AWAY, "nothing was heard")
                continue
            else:
                session.was_asked = True
            line.ping()
        self._keep_names(self._rounds[self._round])
        if self._all:
            self._arm()
        else:
            self._beat = None

    def _keep_names(self, sessions: Iterable[Session]) -> None:
        """One part after the other; a part that would have to wait for the one before is left to its next turn."""
        if self._names is None or (self._keeping is not None and not self._keeping.done()):
            return
        names = [session.id for session in sessions]
        if names:
            self._keeping = asyncio.get_running_loop().create_task(self._names.keep(names))
