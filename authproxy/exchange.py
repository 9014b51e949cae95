"""P: The record of one request on its way through, narrowed step by step. Nothing else is passed between steps."""

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import TYPE_CHECKING, Any, Final

from authproxy.forwarded import Origin
from authproxy.headers import Pairs, RequestHead
from authproxy.identity import Identity
from authproxy.problems import Reason
from authproxy.rejections import Rejection
from authproxy.securityfields import NO_FIELDS, SecurityFields
from resilience.breaker import Permit
from resilience.outcomes import Outcome
from routing.paths import NormalPath
from routing.snapshot import CompiledRoute, Snapshot

if TYPE_CHECKING:
    from resilience.state import TargetState
    from routing.rewrite import CompiledRewrite

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Coroutine[Any, Any, None]]
Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

CLIENT_CLOSED_REQUEST = 499
"""nginx's status for a client that left before its answer; never sent, only recorded."""

SCOPE_REQUEST_ID: Final = "torana.request_id"
"""The key of the ASGI scope under which built-in endpoints find the request's id, in bytes."""
SCOPE_IDENTITY: Final = "torana.identity"
"""… and who calls: an Identity, or None."""
SCOPE_AUTH_FAILURE: Final = "torana.auth_failure"
"""… and why nobody does: "missing", "invalid", "expired", "unavailable" (the identity store is away) or "cross_site"
(a cookie that another site's page may have sent, see `authproxy.csrf`); else ""."""
SCOPE_CLIENT: Final = "torana.client"
"""… and the client's address, as text, behind trusted proxies."""


class ResponseAborted(Exception):  # noqa: N818 - an event for the server, not an error in the program
    """The answer cannot be completed: the connection must be cut, so that nobody takes a part for the whole."""


class Exchange:
    """One request and its answer. Slots are filled in the order of the pipeline's steps."""

    __slots__ = (
        "admitted",
        "answer_fields",
        "answered",
        "attempts",
        "auth_failure",
        "cache",
        "caller_fields",
        "connecting_s",
        "ended",
        "failures",
        "forwarded",
        "head",
        "held",
        "identity",
        "method",
        "origin",
        "outcome",
        "path",
        "permit",
        "receive",
        "refusal",
        "request_id",
        "rewritten",
        "route",
        "safety",
        "scope",
        "send",
        "sent",
        "service",
        "snapshot",
        "started",
        "status",
        "target",
        "traceparent",
        "would",
    )

    path: NormalPath
    route: CompiledRoute
    origin: Origin
    rewritten: "CompiledRewrite"
    """Of a route whose rewrite has variables: the rewrite for this request."""
    ended: float
    """When it was over, in monotonic seconds: whoever is told of that first notes it."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        snapshot: Snapshot,
        head: RequestHead,
        started: float,
        safety: SecurityFields = NO_FIELDS,
    ) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.snapshot = snapshot
        self.head = head
        self.started = started
        self.safety = safety
        """What answers say to browsers for their users' safety."""
        self.method: str = scope["method"]
        self.request_id = head.request_id
        self.traceparent = head.traceparent
        self.status = 0
        """The answer's status; 0 until the answer has begun, 499 when the client left before."""
        self.outcome = Outcome.OK
        self.target: str = ""
        self.identity: Identity | None = None
        """Who calls, once a credential was accepted."""
        self.auth_failure: Reason = "missing"
        """Why `identity` is None."""
        self.caller_fields: Pairs = ()
        """What the upstream gets of the client's credentials, and what it is told of the caller."""
        self.answer_fields: Pairs = ()
        """What every answer tells the client beside its own fields, such as how much of a quota is left."""
        self.permit: Permit | None = None
        """The breaker's, until it hears how the request ended."""
        self.held: TargetState | None = None
        """The target whose answer is being relayed."""
        self.attempts = 0
        # What is kept for whoever watches: moments in monotonic seconds, 0 for what did not happen.
        self.admitted = 0.0
        """When the route's own steps had let it in: whoever waits after that waits for an upstream."""
        self.forwarded = 0.0
        """When it had its place and its permit, just before the first attempt."""
        self.connecting_s = 0.0
        """What opening connections for its attempts took, of the time until then."""
        self.answered = 0.0
        """When the head of the upstream's answer was there."""
        self.service = ""
        """Where it went."""
        self.sent = 0
        """Bytes of the answer's body, before the server frames it."""
        self.cache = ""
        """What X-Cache says."""
        self.refusal: Rejection | None = None
        """What the gateway itself answered, if it refused."""
        self.failures: list[tuple[str, Outcome]] | None = None
        """Attempts that another one followed, or that nobody could follow: the target, and how each ended."""
        self.would: tuple[tuple[str, Rejection], ...] = ()
        """What policies in `mode: log` would have refused: the policy's name, and with what."""

    def __repr__(self) -> str:
        return f"<Exchange {self.request_id!r} {self.method} {self.scope.get('path')} {self.status}>"
