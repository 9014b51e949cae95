"""A scope, a receive and a recording send: the ASGI side of a request without a server."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

Message = dict[str, Any]


def http_scope(
    method: str = "GET",
    path: str = "/",
    *,
    headers: Iterable[tuple[bytes, bytes]] = ((b"host", b"gateway.test"),),
    client: tuple[str, int] | None = ("192.0.2.1", 40000),
) -> Message:
    """An ASGI scope as our server makes it; `path` may carry a query."""
    raw_path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw_path,
        "raw_path": raw_path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "headers": list(headers),
        "client": client,
        "server": ("127.0.0.1", 8000),
    }


def playback(*messages: Message) -> Callable[[], Awaitable[Message]]:
    """A `receive` that plays messages back and fails when asked for more."""
    remaining = iter(messages)

    async def receive() -> Message:
        return next(remaining)

    return receive


def body_message(body: bytes = b"", *, more: bool = False) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class Recorder:
    """A `send` that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return list(self.messages[0]["headers"])

    def header(self, name: bytes) -> bytes | None:
        return dict(self.headers).get(name)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages[1:])

    @property
    def is_complete(self) -> bool:
        return bool(self.messages) and not self.messages[-1].get("more_body", False)
