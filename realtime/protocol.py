"""P: The messages of `{API_PREFIX}/ws`: JSON objects with a `type`, each in one text frame.

From clients: subscribe, unsubscribe, subscribe_generation, resume, authenticate, ping.
To clients: connected, subscribed, unsubscribed, resumed, authenticated, event, gap, pong, reconnect, error.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson

from realtime.events import Event, as_json

LONGEST_ID: Final = 80
LONGEST_TOKEN: Final = 8192
_IS_TOPIC: Final = re.compile(r"[A-Za-z0-9._:-]{1,200}").fullmatch
_IS_CONNECTION_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
GENERATION: Final = "generation."


class Subscribe(NamedTuple):
    topic: str
    after: str = ""


class Unsubscribe(NamedTuple):
    topic: str


class Resume(NamedTuple):
    """`after` has the last id of each topic, where the client knows one."""

    token: str
    after: Mapping[str, str]


class Authenticate(NamedTuple):
    token: str


class Ping(NamedTuple):
    id: Any = None
    """Repeated in the pong."""


class Fault(NamedTuple):
    """Why a message is refused; `code` as in error answers."""

    code: str
    message: str


Asked = Subscribe | Unsubscribe | Resume | Authenticate | Ping


def is_topic(text: object) -> bool:
    return isinstance(text, str) and _IS_TOPIC(text) is not None


def is_connection_id(text: str) -> bool:
    """Whether a client's own name for its connection can be used."""
    return _IS_CONNECTION_ID(text) is not None


def parse(data: bytes) -> Asked | Fault:
    """What a client asks for. `data` is UTF-8 of bounded size."""
    try:
        message = orjson.loads(data)
    except ValueError:
        return Fault("INVALID_REQUEST", "The message is not JSON.")
    if not isinstance(message, dict):
        return Fault("INVALID_REQUEST", "The message is not a JSON object.")
    kind = message.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        return Fault("INVALID_REQUEST", f"type: is none of {', '.join(_READERS)}.")
    return read(message)


def _subscribe(message: dict[str, Any]) -> Asked | Fault:
    return _subscription(message.get("topic"), "topic", message)


def _subscribe_generation(message: dict[str, Any]) -> Asked | Fault:
    found = message.get("generation_id")
    return _subscription(
        GENERATION + found if isinstance(found, str) and found else None, "generation_id", message
    )


def _subscription(topic: Any, key: str, message: dict[str, Any]) -> Asked | Fault:
    after = message.get("last_event_id")
    if not is_topic(topic):
        return Fault(
            "INVALID_REQUEST", f"{key}: is no name of a topic (letters, digits and . _ : -, at most 200)."
        )
    if after is not None and not (isinstance(after, str) and len(after) <= LONGEST_ID):
        return Fault("INVALID_REQUEST", "last_event_id: is not the id of an event.")
    return Subscribe(topic, after or "")


def _unsubscribe(message: dict[str, Any]) -> Asked | Fault:
    topic = message.get("topic")
    return (
        Unsubscribe(str(topic))
        if is_topic(topic)
        else Fault("INVALID_REQUEST", "topic: is no name of a topic.")
    )


def _resume(message: dict[str, Any]) -> Asked | Fault:
    token, after = message.get("resume_token"), message.get("last_event_ids", {})
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
        return Fault("INVALID_REQUEST", "resume_token: is not what a connected message has.")
    if not isinstance(after, dict) or not all(
        isinstance(v, str) and len(v) <= LONGEST_ID for v in after.values()
    ):
        return Fault("INVALID_REQUEST", "last_event_ids: is not an object of topics and ids of events.")
    return Resume(token, after)


def _authenticate(message: dict[str, Any]) -> Asked | Fault:
    token = message.get("token")
    if not isinstance(token, str) or not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
        return Fault("INVALID_REQUEST", "token: is no token.")
    return Authenticate(token)


def _ping(message: dict[str, Any]) -> Asked | Fault:
    found = message.get("id")
    return Ping(found if isinstance(found, str | int | float) else None)


_READERS: Final[dict[str, Callable[[dict[str, Any]], Asked | Fault]]] = {
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
    "subscribe_generation": _subscribe_generation,
    "resume": _resume,
    "authenticate": _authenticate,
    "ping": _ping,
}


def message(kind: str, **fields: Any) -> bytes:
    """One message to a client; fields that are None are left out."""
    return orjson.dumps(
        {"type": kind, **{name: value for name, value in fields.items() if value is not None}}
    )


def event_message(event: Event) -> bytes:
    """The event object, with its own type as `event`: `type` is the message's."""
    own = b',"type":' + orjson.dumps(event.type) + b',"data":'
    head, _, rest = as_json(event).partition(own)
    return b'{"type":"event",' + head[1:] + b',"event":' + orjson.dumps(event.type) + b',"data":' + rest
