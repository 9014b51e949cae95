"""I: `POST {API_PREFIX}/events`: one event or several, all of them or none. An ASGI application."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

import orjson

from authproxy import problems
from authproxy.bus import Unpublished
from authproxy.credentials import METHODS
from authproxy.exchange import SCOPE_AUTH_FAILURE, SCOPE_IDENTITY, Receive, Scope, Send
from authproxy.identity import Identity
from authproxy.problems import Reason
from authproxy.rejections import Code, Rejection
from realtime.answering import answer_json, refuse
from realtime.hub.hub import Hub
from realtime.proposals import LARGEST_BODY, Proposal, proposals_of
from realtime.sessions.rights import ANYBODY, owner_of

LONGEST_KEY: Final = 255
_FAULTY: Final = "The events are not as they must be."


class Posting:
    """`may_publish` says whether an identity may write to a topic now."""

    def __init__(
        self,
        hub: Hub,
        *,
        may_publish: Callable[[Identity, str], bool],
        realm: str,
        is_open: bool = False,
    ) -> None:
        """`is_open`: whoever calls without credentials may do what a service may (ENABLE_AUTHENTICATION=false)."""
        self._hub = hub
        self._may_publish = may_publish
        self._realm = realm
        self._is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._answer(scope, receive)
        if isinstance(answer, Rejection):
            await refuse(scope, send, answer)
        elif answer is not None:
            await answer_json(send, 202, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Rejection | bytes | None:
        if scope["method"] != "POST":
            return problems.method_not_allowed(("POST",))
        caller: Identity | None = scope.get(SCOPE_IDENTITY) or (ANYBODY if self._is_open else None)
        if caller is None:
            reason: Reason = scope.get(SCOPE_AUTH_FAILURE) or "missing"
            return problems.unauthenticated(reason, methods=METHODS, realm=self._realm)
        fields = dict(scope["headers"])
        kind = fields.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
        if kind != b"application/json":
            return Rejection(Code.UNSUPPORTED_MEDIA_TYPE, "Events are sent as application/json.")
        key = fields.get(b"idempotency-key", b"")
        if len(key) > LONGEST_KEY:
            return Rejection(Code.INVALID_REQUEST, f"Idempotency-Key: may have {LONGEST_KEY} bytes.")
        body = await _body(receive)
        if body is None:
            return None  # the client is gone
        if len(body) > LARGEST_BODY:
            return problems.payload_too_large(LARGEST_BODY)
        return await self._publish(caller, body, key)

    async def _publish(self, caller: Identity, body: bytes, key: bytes) -> Rejection | bytes:
        found = proposals_of(body)
        if found.errors:
            errors = [{"field": place, "message": message} for place, message in found.errors]
            return Rejection(Code.VALIDATION_ERROR, _FAULTY, details={"errors": errors})
        for proposal in found.proposals:
            if not (caller is ANYBODY or self._may_publish(caller, proposal.topic)):
                return problems.forbidden({"topic": proposal.topic})
        told = []
        for number, each in enumerate(found.proposals):
            event = await self._hub.publish(
                each.topic, each.type, each.data, id=_id(caller, key, number, each)
            )
            if isinstance(
                event, Unpublished
            ):  # nothing that was looked at before; what came first has gone out
                return Rejection(
                    Code.SERVICE_UNAVAILABLE, f"Not published: {event.why}.", details={"published": number}
                )
            told.append(
                {"id": event.id, "topic": event.topic, "type": event.type, "timestamp": event.timestamp}
            )
        return orjson.dumps({"events": told} if found.is_list else told[0])


def _id(caller: Identity, key: bytes, number: int, proposal: Proposal) -> str:
    """The publisher's own name of an event: the same key of the same caller means the same event."""
    if not key:
        return ""
    text = repr((owner_of(caller), key, number, proposal.topic))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


async def _body(receive: Receive) -> bytes | None:
    """All of it, or a little more than may be; None: the client is gone."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY or not message.get("more_body", False):
            return b"".join(parts)
