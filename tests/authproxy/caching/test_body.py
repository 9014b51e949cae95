"""Bodies that are stored while they are relayed."""

import asyncio

import httpx
import pytest

from authproxy.caching.body import HURRY_S, StoredBody
from authproxy.caching.flights import Landing
from authproxy.headers import Pair
from tests.support.virtualtime import in_virtual_time


class Arriving:
    """Pieces that come one after another; one that is an exception is raised."""

    def __init__(
        self, *pieces: bytes | Exception, trailers: list[Pair] | None = None, pause_s: float = 1.0
    ) -> None:
        self._pieces = list(pieces)
        self._trailers = trailers or []
        self._pause_s = pause_s
        self.released = False
        self.reading = 0

    def take(self) -> tuple[bytes, bool]:
        return (b"", True) if not self._pieces else (b"", False)

    async def next(self) -> tuple[bytes, bool]:
        self.reading += 1
        assert self.reading == 1, "only one may read at a time"
        try:
            await asyncio.sleep(self._pause_s)
        finally:
            self.reading -= 1
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            self.released = True
            raise piece
        self.released = not self._pieces
        return piece, self.released

    def trailers(self) -> list[Pair]:
        return self._trailers

    async def aclose(self) -> None:
        self.released = True


class Kept:
    """What became of a body."""

    def __init__(self, inner: Arriving, *, limit: int = 100) -> None:
        self.inner = inner
        self.whole: list[bytes] = []
        self.given_up: list[Landing] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.body = StoredBody(
            inner, limit=limit, keep=self.whole.append, give_up=self.given_up.append, beside=self.beside
        )

    def beside(self, work: object) -> bool:
        task = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self.tasks.add(task)
        return True

    async def relayed(self, *, pause_s: float = 0.0) -> bytes:
        """As `relay` reads it."""
        parts, (data, done) = [], self.body.take()
        parts.append(data)
        while not done:
            await asyncio.sleep(pause_s)
            data, done = await self.body.next()
            parts.append(data)
        assert self.body.released
        return b"".join(parts)


@in_virtual_time
async def test_what_is_relayed_is_stored() -> None:
    """Whole, once, at its end."""
    kept = Kept(Arriving(b"he", b"", b"llo"))

    assert await kept.relayed() == b"hello"
    assert (kept.whole, kept.given_up, kept.tasks) == ([b"hello"], [], set())


@in_virtual_time
async def test_too_long_a_body_is_relayed_and_not_stored() -> None:
    """Nothing of it stays in memory."""
    kept = Kept(Arriving(b"he", b"llo", b"!"), limit=4)

    assert await kept.relayed() == b"hello!"
    assert (kept.whole, kept.given_up) == ([], [Landing.UNSHARED])


@in_virtual_time
async def test_a_body_with_trailers_is_not_stored() -> None:
    """They would be lost."""
    kept = Kept(Arriving(b"hello", trailers=[(b"x", b"y")]))

    assert await kept.relayed() == b"hello"
    assert (kept.whole, kept.given_up) == ([], [Landing.UNSHARED])


@in_virtual_time
async def test_a_broken_body_is_not_stored() -> None:
    """Whoever reads it learns that it broke."""
    kept = Kept(Arriving(b"he", httpx.ReadError("gone")))
    with pytest.raises(httpx.ReadError):
        await kept.relayed()
    await kept.body.aclose()

    assert (kept.whole, kept.given_up) == ([], [Landing.UNSHARED])


@in_virtual_time
async def test_a_client_that_leaves_takes_it_along() -> None:
    """Nobody else waits: the connection is given back."""
    kept = Kept(Arriving(b"he", b"llo"))
    await kept.body.next()
    await kept.body.aclose()

    assert (kept.whole, kept.given_up, kept.inner.released) == ([], [Landing.ABANDONED], True)


@in_virtual_time
async def test_others_do_not_wait_for_a_slow_client() -> None:
    """The rest is read beside; the client gets all of it at its own pace."""
    kept = Kept(Arriving(b"a", b"b", b"c"))
    relaying = asyncio.create_task(kept.relayed(pause_s=50))
    await asyncio.sleep(0)
    kept.body.hurry()
    await asyncio.sleep(10)
    stored = list(kept.whole)

    assert stored == [b"abc"]
    assert await relaying == b"abc"


@in_virtual_time
async def test_who_hurries_waits_for_the_piece_that_is_being_read() -> None:
    """Two never read at a time."""
    kept = Kept(Arriving(b"a", b"b", b"c"))
    relaying = asyncio.create_task(kept.relayed())
    await asyncio.sleep(0.5)
    kept.body.hurry()

    assert await relaying == b"abc"
    assert kept.whole == [b"abc"]
    assert kept.tasks


@in_virtual_time
async def test_a_client_that_leaves_does_not_fail_those_who_wait() -> None:
    """In the middle of a piece, too; the connection is given back at the end."""
    kept = Kept(Arriving(b"a", b"b", b"c"))
    relaying = asyncio.create_task(kept.relayed())
    await asyncio.sleep(1.5)
    kept.body.hurry()
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    await kept.body.aclose()
    assert kept.body.released
    await asyncio.sleep(10)

    assert (kept.whole, kept.given_up, kept.inner.released) == ([b"abc"], [], True)


@in_virtual_time
async def test_a_body_that_breaks_once_its_client_has_left_is_not_stored() -> None:
    """Those who wait learn it."""
    kept = Kept(Arriving(b"a", httpx.ReadError("reset")))
    await kept.body.next()
    kept.body.hurry()
    await kept.body.aclose()
    await asyncio.sleep(10)

    assert (kept.whole, kept.given_up, kept.inner.released) == ([], [Landing.UNSHARED], True)


@in_virtual_time
async def test_no_reading_is_ever_broken_off_and_gone_on_with() -> None:
    """A body of HTTP/2 that was looks ended then, and a part would be taken for the whole."""
    inner = Arriving(b"a", b"b", b"c")
    kept = Kept(inner)
    relaying = asyncio.create_task(kept.relayed())
    await asyncio.sleep(1.5)
    relaying.cancel()
    await asyncio.gather(relaying, return_exceptions=True)
    assert inner.reading == 1
    await kept.body.aclose()

    assert (inner.reading, inner.released) == (0, True)
    assert (kept.whole, kept.given_up) == ([], [Landing.ABANDONED])


@in_virtual_time
async def test_who_hurries_too_long_leaves_the_rest_to_the_client() -> None:
    """All of it, and nothing twice."""
    kept = Kept(Arriving(b"a", b"b", b"c", pause_s=HURRY_S - 1))
    kept.body.hurry()

    assert await kept.relayed() == b"abc"
    assert (kept.whole, kept.given_up) == ([], [Landing.UNSHARED])


@in_virtual_time
async def test_a_hurried_body_that_grows_too_long_goes_on_for_its_client() -> None:
    """The task stops, the client reads on; nothing is lost."""
    kept = Kept(Arriving(b"aa", b"bb", b"cc", b"dd"), limit=3)
    kept.body.hurry()
    await asyncio.sleep(10)

    assert await kept.relayed() == b"aabbccdd"
    assert (kept.whole, kept.given_up) == ([], [Landing.UNSHARED])


@in_virtual_time
async def test_a_hurried_body_that_breaks_breaks_for_its_client() -> None:
    """After what came before."""
    kept = Kept(Arriving(b"aa", httpx.ReadError("gone")))
    kept.body.hurry()
    await asyncio.sleep(10)

    assert kept.body.take() == (b"aa", False)
    with pytest.raises(httpx.ReadError):
        await kept.body.next()
    assert kept.given_up == [Landing.UNSHARED]


async def test_a_client_that_leaves_as_the_last_piece_comes_leaves_nothing_open() -> None:
    """The connection has been given back by then, and nobody has heard that the body was whole."""
    kept = Kept(Arriving(b"all"))
    last: asyncio.Future[tuple[bytes, bool]] = asyncio.get_running_loop().create_future()

    async def arrives() -> tuple[bytes, bool]:
        found = await last
        kept.inner.released = True
        return found

    kept.inner.next = arrives  # type: ignore[method-assign]
    reading = asyncio.create_task(kept.body.next())
    await asyncio.sleep(0)  # it waits for the piece
    await asyncio.sleep(0)
    last.set_result((b"all", True))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await asyncio.sleep(0)
    assert kept.inner.released
    assert not kept.body.released
    await kept.body.aclose()

    assert kept.given_up == [Landing.ABANDONED]
    assert kept.whole == []
    assert kept.body.released
