"""I: The one way to Redis for the data path. It never raises, and it never keeps a caller waiting for long.

Each call has 50 ms. After a few failures in a row no call is tried: who asks is told `Away` at once. Meanwhile one
task tries a new connection, later and later, until a write succeeds; a server that only reads is still away. It says
so once in the log when Redis goes, and once when it is back.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha1
from random import Random
from typing import Any, Final

from redis.exceptions import NoScriptError

from resilience.stores.address import Address, address_of
from resilience.stores.clients import Client, client_of

LOG = logging.getLogger(__name__)
CALL_S: Final = 0.05
GRACE_S: Final = 0.01
PROBE_S: Final = 1.0
FIRST_PAUSE_S: Final = 0.1
LONGEST_PAUSE_S: Final = 2.0
FAILURES: Final = 3
MOST_CALLS: Final = 64
PROBED: Final = "{torana:limits}probe"
"""In the slot of the limits, so that a Cluster is probed where they are."""


@dataclass(frozen=True, slots=True)
class Away:
    """In place of an answer."""

    why: str


@dataclass(frozen=True, slots=True)
class Script:
    """Lua, known to servers by its digest."""

    text: str
    digest: str

    @classmethod
    def of(cls, text: str) -> "Script":
        return cls(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


@dataclass(slots=True)
class Counts:
    """Since the start."""

    calls: int = 0
    failed: int = 0
    refused: int = 0
    """Not tried: Redis was away."""
    dropped: int = 0
    """Not tried: too many calls were under way."""
    outages: int = 0
    scripts: int = 0
    """How often a server did not know a script."""


_AWAY: Final = Away("Redis is away")
_BUSY: Final = Away("too many calls are under way")
_UNKNOWN: Final = Away("the script is not loaded")
Connect = Callable[[Address], Client]


class RedisLink:
    """One per worker. Until `start` has reached Redis, it is away."""

    def __init__(
        self,
        url: str,
        *,
        rng: Random,
        timeout_s: float = CALL_S,
        connect: Connect = client_of,
        so: str = "limits are decided as their quotas say",
    ) -> None:
        """`so` is what follows when Redis is away, for the log."""
        self._so = so
        self._address = address_of(url)
        self._connect = connect
        self._rng = rng
        self._timeout_s = timeout_s
        self._client: Client | None = None
        self._under_way = 0
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        self._returning: asyncio.Task[None] | None = None
        self.counts = Counts()
        self.is_up = False
        self.why = "not connected yet"
        """Why Redis is away; empty while it is not."""

    async def start(self) -> None:
        """Connects if that is possible now; else goes on trying."""
        if not await self._return():
            self._go_away(self.why)

    async def stop(self) -> None:
        """Ends what is under way; whoever still asks is told that Redis is away."""
        self.is_up = False
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.gather(self._returning, return_exceptions=True)
        client, self._client = self._client, None
        await _closed(client)

    async def call(self, *command: Any) -> Any:
        """A command's answer, or Away."""
        answer = await self._ask(command, self._timeout_s)
        return _AWAY if answer is _UNKNOWN else answer

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        """A script's answer, or Away. A server that does not know the script, or no longer, is given it."""
        rest = (len(keys), *keys, *arguments)
        began = asyncio.get_running_loop().time()
        answer = await self._ask(("EVALSHA", script.digest, *rest), self._timeout_s)
        if answer is not _UNKNOWN:
            return answer
        self.counts.scripts += 1
        left_s = self._timeout_s - (asyncio.get_running_loop().time() - began)
        return await self._ask(("EVAL", script.text, *rest), left_s)

    async def _ask(self, command: Sequence[Any], timeout_s: float) -> Any:
        client = self._client
        if not self.is_up or client is None:
            self.counts.refused += 1
            return _AWAY
        if self._under_way >= MOST_CALLS:
            self.counts.dropped += 1
            return _BUSY
        self.counts.calls += 1
        self._under_way += 1
        try:
            answer = await _within(timeout_s, client.execute_command(*command))
        except TimeoutError:
            return self._failed(Away(f"no answer to a call within {1000 * self._timeout_s:g} ms"))
        except NoScriptError:
            return _UNKNOWN
        except Exception as error:
            return self._failed(Away(_said(error)))
        finally:
            self._under_way -= 1
        self._failures = 0
        self._pause_s = FIRST_PAUSE_S
        return answer

    def _failed(self, away: Away) -> Away:
        self.counts.failed += 1
        self._failures += 1
        if self._failures >= FAILURES and self.is_up:
            self._go_away(away.why)
        return away

    def _go_away(self, why: str) -> None:
        self.is_up = False
        self.why = why
        self.counts.outages += 1
        LOG.warning("Redis is away, so %s: %s", self._so, why)
        self._returning = asyncio.get_running_loop().create_task(self._come_back())

    async def _come_back(self) -> None:
        while True:
            await asyncio.sleep(self._pause_s * self._rng.uniform(0.5, 1.0))
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            if await self._return():
                LOG.warning("Redis is back")
                return

    async def _return(self) -> bool:
        """Tries a new client; it takes the place of the old one if it can write."""
        client: Client | None = None
        try:
            async with asyncio.timeout(PROBE_S):
                client = self._connect(self._address)
                await client.execute_command("SET", PROBED, "1", "PX", "1000")
        except TimeoutError:
            self.why = f"connecting and a first write took longer than {PROBE_S:g} s"
            await _closed(client)
            return False
        except Exception as error:
            self.why = _said(error)
            await _closed(client)
            return False
        except asyncio.CancelledError:
            await _closed(client)
            raise
        self._client, old = client, self._client
        self._failures, self.why, self.is_up = 0, "", True
        await _closed(old)
        return True


def _said(error: Exception) -> str:
    """What it is, and what it says, if it says anything."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")


async def _within(timeout_s: float, answer: Coroutine[Any, Any, Any]) -> Any:
    """The answer; TimeoutError if it is late.

    The limit is set near its end, and only then: an answer that came while this process was busy is not late.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        alarm = loop.call_later(timeout_s - GRACE_S, lambda: limit.reschedule(loop.time() + GRACE_S))
        try:
            return await answer
        finally:
            alarm.cancel()


async def _closed(client: "Client | None") -> None:
    if client is not None:
        with suppress(Exception):
            async with asyncio.timeout(PROBE_S):
                await client.aclose()
