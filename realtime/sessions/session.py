"""I: One client of `{API_PREFIX}/ws`: what it asked for, what it gets, and when it has to go."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final

from authproxy.handshake import Taken
from authproxy.identity import Identity
from realtime import protocol
from realtime.closecodes import CREDENTIALS_ENDED, POLICY
from realtime.events import Event
from realtime.protocol import Asked, Authenticate, Fault, Ping, Resume, Subscribe, Unsubscribe, message
from realtime.sessions.frames import EVENTS
from realtime.sessions.line import Line
from realtime.sessions.rights import owner_of

if TYPE_CHECKING:
    from realtime.sessions.sessions import Sessions

LOG: Final = logging.getLogger(__name__)
MOST_SUBSCRIPTIONS: Final = 100
MESSAGES_PER_S: Final = 20.0
BURST: Final = 100.0
REPLAY_COST: Final = 4.0
"""Messages: what a replay counts for."""
MOST_FAULTS: Final = 20
"""Messages that made no sense, or were too many; one is forgiven for each that was right."""


class Session:
    """A sink of the hub, and what its line tells. `own` are the topics that are the client's without asking."""

    __slots__ = (
        "_faults",
        "_filled_at",
        "_relief",
        "_replays",
        "_sessions",
        "_tokens",
        "expiry",
        "id",
        "identity",
        "line",
        "own",
        "topics",
        "was_asked",
    )

    def __init__(self, sessions: "Sessions", id: str, identity: Identity, taken: Taken) -> None:  # noqa: A002
        self._sessions = sessions
        self.id = id
        self.identity = identity
        self.line = Line(taken, self)
        self.topics: dict[str, None] = {}
        self.own: tuple[str, ...] = ()
        self.expiry: asyncio.TimerHandle | None = None
        self.was_asked = False
        """A ping is on its way, and nothing has come since."""
        self._replays: dict[str, asyncio.Task[None]] | None = None
        self._relief: asyncio.Event | None = None
        self._faults = 0
        self._tokens = BURST
        self._filled_at = sessions.now()

    def begin(self) -> None:
        """The first word."""
        for topic in self.own:
            self._sessions.hub.join(topic, self)
        self._say(
            "connected",
            connection_id=self.id,
            resume_token=self._resume_token(),
            expires_at=self._expires_at(),
        )
        self.line.open()

    # A sink

    def deliver(self, event: Event) -> None:
        line = self.line
        line.write(EVENTS.of(event, line.deflate_bits))

    def gap(self, topic: str) -> None:
        self._say("gap", topic=topic)

    async def room(self) -> None:
        if self.line.is_full and not self.line.code:
            self._relief = self._relief or asyncio.Event()
            await self._relief.wait()

    # Told by the line

    def heard(self, data: bytes) -> None:
        if not self._may_speak():
            self._refuse(Fault("RATE_LIMIT", "There are too many messages."))
            return
        asked = protocol.parse(data)
        if isinstance(asked, Fault):
            self._refuse(asked)
            return
        self._faults = max(0, self._faults - 1)
        self._do(asked)

    def relieved(self) -> None:
        if self._relief is not None:
            self._relief.set()
            self._relief = None

    def lost(self) -> None:
        self.relieved()
        for task in (self._replays or {}).values():
            task.cancel()
        for topic in (*self.topics, *self.own):
            self._sessions.hub.unsubscribe(topic, self)
        self._sessions.discard(self)

    # Told by the sessions

    def judge(self) -> None:
        """Ends subscriptions that the client has no right to any more."""
        for topic in [topic for topic in self.topics if not self._sessions.may(self.identity, topic)]:
            self._leave(topic)
            self._refuse_topic(topic)

    def end_credentials(self, why: str) -> None:
        """They count no longer."""
        self.line.close(CREDENTIALS_ENDED, why)

    def reconnect(self, after_ms: int) -> None:
        """Asks the client to go elsewhere."""
        self._say("reconnect", after_ms=after_ms, resume_token=self._resume_token())

    # Its own

    def _do(self, asked: Asked) -> None:
        if isinstance(asked, Subscribe):
            self._subscribe(asked.topic, asked.after)
        elif isinstance(asked, Unsubscribe):
            self._leave(asked.topic)
            self._say("unsubscribed", topic=asked.topic, resume_token=self._resume_token())
        elif isinstance(asked, Resume):
            self.resume(asked.token, asked.after)
        elif isinstance(asked, Ping):
            self._say("pong", id=asked.id, resume_token=self._resume_token())
        elif isinstance(asked, Authenticate):
            self._run("", self._authenticate(asked.token))

    def _subscribe(self, topic: str, after: str) -> None:
        if topic not in self.own:
            if not self._sessions.may(self.identity, topic):
                self._refuse_topic(topic)
                return
            if topic not in self.topics and len(self.topics) >= MOST_SUBSCRIPTIONS:
                self._say(
                    "error", code="RATE_LIMIT", message=f"At most {MOST_SUBSCRIPTIONS} topics.", topic=topic
                )
                return
            self.topics[topic] = None
        self._cancel(topic)
        self._say("subscribed", topic=topic, resume_token=self._resume_token())
        if after:
            self._tokens = max(0.0, self._tokens - REPLAY_COST)
            self._run(topic, self._sessions.hub.subscribe(topic, self, after=after))
        else:
            self._sessions.hub.join(topic, self)

    def resume(self, token: str, after: Mapping[str, str]) -> None:
        """What the token names, from where the client says it is, else from where the token was issued."""
        places = self._sessions.redeem(self, token)
        if places is None:
            self._say("error", code="AUTH_ERROR", message="The resume token is not valid, or another's.")
            return
        self._say("resumed", topics=list(places))
        for topic, place in list(places.items())[: MOST_SUBSCRIPTIONS + 2]:
            if topic in self.own or not topic.startswith("connection."):
                self._subscribe(topic, after.get(topic, place))

    def _leave(self, topic: str) -> None:
        self._cancel(topic)
        if topic in self.topics:
            del self.topics[topic]
            self._sessions.hub.unsubscribe(topic, self)

    async def _authenticate(self, token: str) -> None:
        identity = await self._sessions.identify(token)
        if identity is None or owner_of(identity) != owner_of(self.identity):
            self._refuse(Fault("AUTH_ERROR", "The token is not valid, or another's."))
            return
        self._sessions.change(self, identity)
        self._say("authenticated", expires_at=self._expires_at())
        self.judge()

    def _run(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """One at a time under each name."""
        self._cancel(name)
        task = asyncio.get_running_loop().create_task(work)
        if self._replays is None:
            self._replays = {}
        self._replays[name] = task
        task.add_done_callback(lambda _: self._done(name, task))

    def _done(self, name: str, task: asyncio.Task[None]) -> None:
        if self._replays is not None and self._replays.get(name) is task:
            del self._replays[name]
            self._replays = self._replays or None
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("a client could not be served", exc_info=error)

    def _cancel(self, name: str) -> None:
        if self._replays is not None and (task := self._replays.pop(name, None)) is not None:
            task.cancel()

    def _may_speak(self) -> bool:
        now = self._sessions.now()
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * MESSAGES_PER_S)
        self._filled_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def _refuse(self, fault: Fault) -> None:
        self._faults += 2
        self._sessions.tally.refused += 1
        if self._faults > 2 * MOST_FAULTS:
            self.line.close(POLICY, "too many messages that were refused")
        else:
            self._say("error", code=fault.code, message=fault.message)

    def _refuse_topic(self, topic: str) -> None:
        self._say("error", code="FORBIDDEN", message="You may not subscribe to this topic.", topic=topic)

    def _expires_at(self) -> float | None:
        until = self.identity.expires_at
        return None if until == float("inf") else until

    def _resume_token(self) -> str:
        return self._sessions.resume_token(self)

    def _say(self, kind: str, **fields: Any) -> None:
        self.line.send(message(kind, **fields))
