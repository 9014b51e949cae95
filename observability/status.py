"""I: `GET /status`: each service in one word, for anybody who wants to know whether it is worth while to ask.

Browsers get a page, programs JSON.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal

import orjson

from authproxy import problems
from authproxy.exchange import SCOPE_REQUEST_ID, Receive, Scope, Send
from authproxy.services import ServiceRuntime
from observability.health import READ_METHODS, send_json
from observability.statuspage import POLICY, page, wants_page
from resilience.breaker import State
from resilience.clock import monotonic, timestamp
from routing.snapshot import CompiledService

Word = Literal["up", "degraded", "down"]
PATH: Final = "/status"
_VARY: Final = ((b"vary", b"accept"),)


class Status:
    """An ASGI application. It says what this worker sees: no addresses, no counts, no reasons."""

    def __init__(
        self, services: Callable[[], Mapping[str, CompiledService]], *, name: str = "torana"
    ) -> None:
        self._services = services
        self._name = name

    def serves(self, path: str) -> bool:
        """Whether this application has an answer for `path`."""
        return path.rstrip("/") == PATH

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["method"] not in READ_METHODS:
            rejection = problems.method_not_allowed(READ_METHODS)
            request_id = scope.get(SCOPE_REQUEST_ID, b"").decode("ascii")
            body = problems.envelope(rejection, request_id=request_id, timestamp=timestamp())
            await send_json(send, rejection.status, body, extra=rejection.headers)
            return
        now = monotonic()
        words = {name: word_for(each.runtime, now) for name, each in sorted(self._services().items())}
        together, at = overall(tuple(words.values())), timestamp()
        if wants_page(_accepted(scope)):
            await _send_page(send, page(self._name, together, words, at))
            return
        services = {name: {"status": word} for name, word in words.items()}
        document = {"status": together, "services": services, "timestamp": at}
        await send_json(send, 200, orjson.dumps(document), extra=_VARY)


def _accepted(scope: Scope) -> str:
    return b",".join([value for name, value in scope["headers"] if name.lower() == b"accept"]).decode(
        "latin-1"
    )


async def _send_page(send: Send, body: bytes) -> None:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", POLICY),
        *_VARY,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def word_for(runtime: ServiceRuntime, now: float) -> Word:
    """Down: no request would be sent. Degraded: fewer targets than usual, or the breaker is trying."""
    pool = runtime.pool
    takers = [state for state, member in zip(pool.states, pool.members, strict=True) if not member.drain]
    able = sum(state.is_available(now) for state in takers)
    breaker = State.CLOSED if runtime.breaker is None else runtime.breaker.state
    if not takers or breaker is State.OPEN or not (able or pool.balancing.panic):
        return "down"
    return "up" if able == len(takers) and breaker is State.CLOSED else "degraded"


def overall(words: tuple[Word, ...]) -> Word:
    """Up while all are, down when all are; a gateway without services is up."""
    if not words:
        return "up"
    return words[0] if len(set(words)) == 1 else "degraded"
