"""I: `GET /metrics`: all workers of this node in one answer. It is made in a thread, and sent in pieces."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from hmac import compare_digest
from typing import Final

from authproxy import problems
from authproxy.exchange import Receive, ResponseAborted, Scope, Send
from authproxy.opsaccess import OpsAccess, refusal_of
from authproxy.rejections import Rejection
from observability.health import READ_METHODS, send_refusal
from observability.metrics.exposition import Encode, encoder_for, pieces
from observability.metrics.places import Place, Places
from observability.metrics.samples import Samples

Headers = list[tuple[bytes, bytes]]
PATHS: Final = frozenset({"/metrics", "/monitoring/metrics"})
AT_ONCE: Final = 1
"""Threads that compute at a time, a scrape's counts or a piece of its text; others wait their turn."""
TURNS: Final = 400
"""Of the event loop, at most, until what waits is counted."""
PIECE: Final = 64 * 1024
PARTS: Final = 8
"""Of one piece, at most: it is made in about a millisecond."""


class Metrics:
    """An ASGI application. `gather` is called in a thread: what all workers have counted. `drain` is called before, on
    the event loop, until it gives nothing: requests that are over, but not counted yet.

    With a `token` it wants that; otherwise staff, loopback and private addresses may read it, and with OPS_ACCESS
    `public` anybody. Nobody waits for a slow reader: see `Places`; a reader that must leave is cut off.
    """

    def __init__(
        self,
        gather: Callable[[], Samples],
        *,
        token: str | None,
        access: OpsAccess,
        realm: str,
        drain: Callable[[], object] = bool,
        places: Places | None = None,
    ) -> None:
        self._gather = gather
        self._drain = drain
        self._token = None if token is None else token.encode()
        self._access: OpsAccess = "public" if access == "public" else "private"
        self._realm = realm
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._places = places or Places()

    def serves(self, path: str) -> bool:
        """Whether this application has an answer for `path`."""
        return path.rstrip("/") in PATHS

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        rejection = self._refusal(scope)
        if rejection is not None:
            await send_refusal(send, scope, rejection)
            return
        encode, content_type = encoder_for(_field(scope, b"accept"))
        headers: Headers = [(b"content-type", content_type.encode("ascii")), (b"cache-control", b"no-store")]
        try:
            async with self._places.taken() as place:
                await self._answer(send, place, headers, encode)
        except TimeoutError:
            raise ResponseAborted from None

    async def _answer(self, send: Send, place: Place, headers: Headers, encode: Encode) -> None:
        samples = await self._samples()
        try:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            texts = _joined(pieces(samples, encode))
            while piece := await self._next(texts):
                async with place.reading():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            await asyncio.to_thread(samples.let_go)
        async with place.reading():  # whoever asks again at the answer's end finds the place free
            await send({"type": "http.response.body", "body": b""})

    async def _samples(self) -> Samples:
        async with self._turn:
            for _ in range(TURNS):
                if not self._drain():
                    break
                await asyncio.sleep(0)
            return await asyncio.to_thread(self._gather)

    async def _next(self, texts: Iterator[bytes]) -> bytes:
        """Whoever reads slowly has no turn meanwhile."""
        async with self._turn:
            return await asyncio.to_thread(next, texts, b"")

    def _refusal(self, scope: Scope) -> Rejection | None:
        if scope["method"] not in READ_METHODS:
            return problems.method_not_allowed(READ_METHODS)
        if self._token is not None:
            scheme, _, given = _field(scope, b"authorization").partition(" ")
            if scheme.lower() == "bearer" and compare_digest(given.strip().encode(), self._token):
                return None
            reason: problems.Reason = "invalid" if given else "missing"
            return problems.unauthenticated(reason, methods=("jwt",), realm=self._realm)
        return refusal_of(scope, self._access, realm=self._realm)


def _field(scope: Scope, wanted: bytes) -> str:
    found = [value for name, value in scope["headers"] if name.lower() == wanted]
    return b",".join(found).decode("latin-1")


def _joined(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Few pieces, none of them large."""
    held: list[bytes] = []
    size = 0
    for text in texts:
        held.append(text)
        size += len(text)
        if size >= PIECE or len(held) >= PARTS:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
