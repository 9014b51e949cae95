"""I: The body of an answer that is stored while it is relayed. It goes on at the client's pace and nothing waits.

When others wait for it as well (`hurry`), a task reads the rest of it, at most as much as may be stored; the client
then gets it out of what was read, and may leave.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import httpx

from authproxy.caching.flights import Landing
from authproxy.headers import Pair
from authproxy.shaping.pieces import Pieces

HURRY_S: Final = 60.0
"""For reading a body that nobody may be waiting for any more."""
Beside = Callable[[Coroutine[Any, Any, None]], bool]


class StoredBody(httpx.AsyncByteStream):
    """`keep` gets the whole body, once, if it came whole; `give_up` is called instead if it did not."""

    def __init__(
        self,
        inner: Pieces,
        *,
        limit: int,
        keep: Callable[[bytes], None],
        give_up: Callable[[Landing], None],
        beside: Beside,
    ) -> None:
        self._inner = inner
        self._left = limit
        self._keep = keep
        self._give_up = give_up
        self._beside = beside
        self._parts: list[bytes] = []
        self._storing = True
        self._ended = False
        self._ahead: list[bytes] = []
        """Read already, and not yet relayed."""
        self._piece: asyncio.Task[tuple[bytes, bool]] | None = None
        """The next one, on its way. It outlives who waits for it: a body whose reading was broken off looks ended."""
        self._reading = False
        self._wanted = False
        self._hurrying = False
        self._deserted = False
        self._error: httpx.TransportError | None = None
        self._progress: asyncio.Future[None] | None = None

    @property
    def released(self) -> bool:
        if self._deserted:
            return True
        is_decided = self._ended or not self._storing  # else nobody would hear that it was broken off
        return is_decided and self._inner.released and not self._ahead and not self._hurrying

    def take(self) -> tuple[bytes, bool]:
        if self._ahead or self._ended or self._hurrying:
            return self._out_of_store()
        data, done = self._inner.take()
        self._note(data, done)
        return data, done

    async def next(self) -> tuple[bytes, bool]:
        while True:
            if self._ahead or self._ended:
                return self._out_of_store()
            if self._error is not None:
                raise self._error
            if self._hurrying:
                self._progress = asyncio.get_running_loop().create_future()
                await self._progress
                continue
            return await self._read()

    async def _read(self) -> tuple[bytes, bool]:
        self._reading = True
        try:
            data, done = await self._next_piece()
        except httpx.TransportError:
            self._stop(Landing.UNSHARED)
            raise
        finally:
            self._reading = False
        if self._wanted:
            self.hurry()
        return data, done

    async def _next_piece(self) -> tuple[bytes, bool]:
        """One reads at a time: the client, or the task that hurries."""
        if self._piece is None:
            self._piece = asyncio.get_running_loop().create_task(self._inner.next())
        piece = self._piece
        try:
            data, done = await asyncio.shield(piece)
        finally:
            if piece.done():
                self._piece = None
        self._note(data, done)
        return data, done

    def trailers(self) -> list[Pair]:
        return self._inner.trailers()

    def hurry(self) -> None:
        """Somebody else waits for the whole of it."""
        self._wanted = True
        if self._storing and not (self._ended or self._reading or self._hurrying):
            self._hurrying = self._beside(self._read_on())

    async def aclose(self) -> None:
        """The client is done with it, or gone."""
        if self._storing and not self._ended and self._wanted:
            self._deserted = True
            self._reading = False
            self.hurry()
            if self._hurrying:
                return
        self._stop(Landing.ABANDONED)
        self._ahead.clear()
        await self._close()

    async def _read_on(self) -> None:
        try:
            async with asyncio.timeout(HURRY_S):
                while self._storing and not self._ended:
                    data, _ = await self._next_piece()
                    if data and not self._deserted:
                        self._ahead.append(data)
                    self._wake()
        except httpx.TransportError as error:
            self._error = error
        except TimeoutError:
            pass  # who still wants it reads on
        finally:
            self._hurrying = False
            if not self._ended:
                self._stop(Landing.UNSHARED)
            self._wake()
            if self._deserted:
                await self._close()

    async def _close(self) -> None:
        """Nobody reads any more."""
        piece, self._piece = self._piece, None
        if piece is not None:
            piece.cancel()
            await asyncio.gather(piece, return_exceptions=True)
        if not self._inner.released:
            await self._inner.aclose()

    def _out_of_store(self) -> tuple[bytes, bool]:
        data = b"".join(self._ahead)
        self._ahead.clear()
        return data, self._ended

    def _note(self, data: bytes, done: bool) -> None:
        self._ended = done
        if not self._storing:
            return
        if data:
            self._parts.append(data)
            self._left -= len(data)
        if self._left < 0 or (done and self._inner.trailers()):
            self._stop(Landing.UNSHARED)
        elif done:
            self._storing = False
            self._keep(b"".join(self._parts))
            self._parts.clear()

    def _stop(self, landing: Landing) -> None:
        """It is not stored."""
        if self._storing:
            self._storing = False
            self._parts.clear()
            self._give_up(landing)

    def _wake(self) -> None:
        if self._progress is not None and not self._progress.done():
            self._progress.set_result(None)
