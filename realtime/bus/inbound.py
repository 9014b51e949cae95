"""I: Subjects of the bus that rules map: what arrives becomes an event of the topic with the same name.

All workers of the installation listen as one group, so each message is handled by one of them, once; the hub tells it
to the subscribers on all workers. A message that cannot be handled becomes a dead letter, and the others go on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson

from authproxy.bus import Unpublished
from realtime.bus.adapter import Adapter, HubAway, HubRefused, Message
from realtime.bus.link import BusLink
from realtime.events import LARGEST_DATA, LONGEST_TYPE
from routing.topicpatterns import compile_pattern
from routing.topics import OWN, is_topic

LOG: Final = logging.getLogger("torana.bus")
TRIES: Final = 5
PAUSE_S: Final = 0.2
ROUND_S: Final = 1.0
TYPE: Final = "x-event-type"
USUAL_TYPE: Final = "message"
Bury = Callable[[Message, str, str], Awaitable[bool]]


class Publish(Protocol):
    """`Hub.publish`."""

    async def __call__(self, topic: str, type: str, data: Any, *, id: str = "") -> Any: ...  # noqa: A002


@dataclass(slots=True)
class Counts:
    """Since the start."""

    taken: int = 0
    dead: int = 0
    unmapped: int = 0
    """A queue still has what a rule asked for that is gone."""


class Inbound:
    """One worker's. `subjects` are those of the rules as they are now; `bury` is None where there is no database."""

    def __init__(
        self,
        link: BusLink,
        publish: Publish,
        subjects: Callable[[], tuple[str, ...]],
        *,
        group: str,
        bury: Bury | None,
        round_s: float = ROUND_S,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._link = link
        self._publish = publish
        self._subjects = subjects
        self._group = group
        self._bury = bury
        self._round_s, self._pause_s = round_s, pause_s
        self._task: asyncio.Task[None] | None = None
        self.counts = Counts()
        self.why_deaf = ""
        """Why nothing is heard although rules name subjects."""

    def start(self) -> None:
        """On the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._follow())

    async def stop(self) -> None:
        """What was not dealt with comes again, to another worker."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def handle(self, message: Message) -> bool:
        """True once it is an event, or a dead letter; False: it is to come again."""
        if not any(compile_pattern(subject).fits(message.topic, None) for subject in self._subjects()):
            self.counts.unmapped += 1
            return True
        why = _unfit(message)
        data = None if why else _read(message.body)
        if isinstance(data, _Unreadable):
            why = "its body is neither JSON nor UTF-8 text"
        if not why:
            why = await self._tell(message, data)
        if why:
            return await self._give_up(message, why)
        self.counts.taken += 1
        return True

    async def _tell(self, message: Message, data: Any) -> str:
        """Why it could not be told, after some tries; empty if it was."""
        kind = message.headers.get(TYPE, "")[:LONGEST_TYPE] or USUAL_TYPE
        for number in range(TRIES):
            if number:
                await asyncio.sleep(self._pause_s * 2**number)
            try:
                answer = await self._publish(message.topic, kind, data, id=message.id)
            except Exception:
                LOG.exception("a message of the bus could not be handled")
                continue
            return answer.why if isinstance(answer, Unpublished) else ""
        return f"it failed {TRIES} times"

    async def _give_up(self, message: Message, why: str) -> bool:
        if self._bury is not None and not await self._bury(message, why, "in"):
            await asyncio.sleep(self._pause_s)
            return False
        if self._bury is None:
            LOG.error("a message of the bus is lost, for there is no database for dead letters: %s", why)
        self.counts.dead += 1
        return True

    async def _follow(self) -> None:
        """Listens while there is a connection and something to listen to; anew when either changes."""
        refused: tuple[str, ...] = ()
        while True:
            await self._link.up.wait()
            subjects, adapter = self._subjects(), self._link.adapter
            if adapter is None or not subjects or subjects == refused:
                await asyncio.sleep(self._round_s)
                continue
            refused = await self._listen(adapter, subjects)

    async def _listen(self, adapter: Adapter, subjects: tuple[str, ...]) -> tuple[str, ...]:
        """Returns when it is over; the subjects, if there is no use in another try with them."""
        task = asyncio.create_task(adapter.listen(subjects, self._group, self.handle))
        self.why_deaf = ""
        try:
            while adapter is self._link.adapter and subjects == self._subjects():
                done, _ = await asyncio.wait({task}, timeout=self._round_s)
                if done:
                    await task
        except HubRefused as error:
            self._complain(str(error))
            return subjects
        except HubAway as error:
            self._complain(str(error))
            await asyncio.sleep(self._round_s)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return ()

    def _complain(self, why: str) -> None:
        if why != self.why_deaf:
            LOG.warning("subjects of the bus are not heard: %s", why)
        self.why_deaf = why


class _Unreadable:
    """In place of a value."""


def _unfit(message: Message) -> str:
    if not is_topic(message.topic):
        return "its subject is no topic: 1 to 200 of A-Z, a-z, 0-9 and ._:-"
    if message.topic.startswith(OWN):
        return f"topics that begin with {OWN} are the gateway's own"
    if len(message.body) > LARGEST_DATA:
        return f"its body has more than {LARGEST_DATA} bytes"
    return ""


def _read(body: bytes) -> Any:
    """JSON, or a text; nothing is None."""
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        return body.decode()
    except UnicodeDecodeError:
        return _Unreadable()
