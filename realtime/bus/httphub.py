"""I: A hub that takes events by POST (httpx): a 2xx answer is the confirmation."""

import base64
from collections.abc import Sequence
from typing import Any, Final

import httpx
import orjson

from realtime.bus.adapter import Handle, HubAway, HubRefused, Message

CONNECT_S: Final = 2.0
CALL_S: Final = 5.0
CONNECTIONS: Final = 20
_WAITING: Final = frozenset({408, 425, 429})


class HttpHub:
    """Keeps connections open between events. The URL's own user and password are sent as it says."""

    guarantee = "The hub has answered the event with a 2xx status: what that means, the hub says."

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(CALL_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=CONNECTIONS),
            follow_redirects=False,
            trust_env=False,
        )

    async def open(self) -> None:
        """There is nothing to open: whether the hub is there, the first event shows."""

    async def ping(self) -> None:
        """Any answer shows that somebody is there."""
        try:
            await self._client.head(self._url)
        except httpx.HTTPError as error:
            raise HubAway(type(error).__name__) from None

    async def send(self, message: Message) -> None:
        fields = {"content-type": "application/json", "idempotency-key": message.id}
        fields |= {
            name: value for name, value in message.headers.items() if name in ("x-request-id", "traceparent")
        }
        try:
            async with self._client.stream(
                "POST", self._url, content=orjson.dumps(envelope(message)), headers=fields
            ) as response:
                status = response.status_code
        except httpx.HTTPError as error:
            raise HubAway(type(error).__name__) from None
        if status == 413:
            raise HubRefused("larger than the hub takes", too_large=True)
        if 400 <= status < 500 and status not in _WAITING and status not in (401, 403, 404):
            raise HubRefused(f"the hub answers {status}")
        if not 200 <= status < 300:
            raise HubAway(f"the hub answers {status}")

    async def listen(self, subjects: Sequence[str], group: str, handle: Handle) -> None:
        raise HubRefused("a hub by HTTP hands nothing on; let it POST to the gateway's /events")

    async def close(self) -> None:
        await self._client.aclose()


def envelope(message: Message) -> dict[str, Any]:
    """The event as one JSON object: the body is `data`, as JSON or as a text; other bytes are `data_base64`."""
    said: dict[str, Any] = {
        "id": message.id,
        "topic": message.topic,
        "type": message.topic,
        "timestamp": message.time,
        "content_type": message.content_type,
        "headers": message.headers,
    }
    try:
        return {**said, "data": orjson.loads(message.body) if message.body else None}
    except orjson.JSONDecodeError:
        pass
    try:
        return {**said, "data": message.body.decode()}
    except UnicodeDecodeError:
        return {**said, "data_base64": base64.b64encode(message.body).decode()}
