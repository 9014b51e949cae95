"""I: Parses one connection's bytes into request cycles; whatever is not plainly well-formed comes back as a refusal.

httptools (llhttp in its strict mode) checks the grammar, `heads` what the grammar leaves open.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import FlowControl

from gateway_project.server import heads, refusals
from gateway_project.server.cycle import Application, Connection, RequestCycle
from gateway_project.server.deadlines import UploadMeter
from gateway_project.server.limits import ServerLimits
from gateway_project.server.refusals import Refusal, Refused
from gateway_project.server.repeats import Repeats
from gateway_project.server.upgrades import resume_body_parser

logger = logging.getLogger(__name__)

_NOTED = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect"))
_MAX_GOOD_HOSTS = 1024


class Owner(Connection, Protocol):
    """The connection, as the reader sees it."""

    flow: FlowControl

    def head_began(self) -> None: ...
    def accept(self, cycle: RequestCycle) -> None: ...
    def may_become_websocket(self) -> bool: ...
    def become_websocket(self, scope: dict[str, Any], rest: bytes) -> None: ...
    def body_drained(self) -> None: ...


class RequestReader:
    """Its `on_…` methods are the parser's callbacks. `good_hosts` is shared: hosts that were judged before."""

    __slots__ = (
        "_app",
        "_app_state",
        "_awaits_continue",
        "_feed_size",
        "_good_hosts",
        "_head_fed",
        "_is_plain",
        "_length",
        "_limits",
        "_max_headers",
        "_noted",
        "_owner",
        "_parser",
        "_repeats",
        "_resumes_body",
        "_scope_base",
        "_silent",
        "_url",
        "_websocket_scope",
        "content_length",
        "headers",
        "in_head",
        "incoming",
        "upload",
    )

    def __init__(
        self,
        owner: Owner,
        app: Application,
        *,
        scope_base: dict[str, Any],
        app_state: dict[str, Any],
        limits: ServerLimits,
        good_hosts: set[bytes],
    ) -> None:
        self._owner = owner
        self._app = app
        self._scope_base = scope_base
        self._app_state = app_state
        self._limits = limits
        self._max_headers = limits.max_headers
        self._good_hosts = good_hosts
        self._parser = httptools.HttpRequestParser(self)
        self._repeats = Repeats(limits)
        self._url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self._noted: list[
            tuple[bytes, bytes]
        ] = []  # those that decide where the request ends and whom it is for
        self._length: int | None = None
        self._head_fed = 0
        self._feed_size = 0
        self._silent = 0  # bytes since the last of the body: chunk extensions, trailers
        self._awaits_continue = False
        self._is_plain = False  # the last request has no body, and another may follow it
        self._resumes_body = False
        self._websocket_scope: dict[str, Any] | None = None
        self.in_head = False
        self.incoming: RequestCycle | None = None
        """The last request begun."""
        self.content_length: int | None = None
        """What it declared; None if it is chunked."""
        self.upload: UploadMeter | None = None
        """Set by the connection's sweep while a body is slow to come."""

    def close(self) -> None:
        """Breaks the reference cycles with the parser and the connection, whose memory is then freed at once."""
        self._parser = None  # type: ignore[assignment]
        self._owner = None  # type: ignore[assignment]
        self.incoming = None

    @property
    def in_body(self) -> bool:
        return self.incoming is not None and not self.incoming.request_complete

    def feed(self, data: bytes) -> Refusal | None:
        """Reads `data`, and calls the owner for each request in it."""
        block = self._repeats.block
        if block is not None and data.endswith(block) and not self.in_head:
            line = self._repeats.line(data)
            if line is not None:
                return self._repeated(*line)
        return self._parsed(data)

    def _repeated(self, method: str, raw_path: bytes, query: bytes) -> Refusal | None:
        """A request whose fields are those of the last one: the parser stays where it is, between two requests."""
        self._owner.head_began()
        self.headers = self._repeats.headers.copy()
        try:
            self._begin(self._scope("1.1", method, raw_path, query), keep_alive=True)
        except Refused as refused:
            return refused.refusal
        self.on_message_complete()
        return None

    def _parsed(self, data: bytes) -> Refusal | None:
        self._feed_size = len(data)
        is_between = not (self.in_head or self.in_body)
        if self.in_head:
            self._head_fed += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._read_on(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            return self._refusal_of(error)
        if is_between and self._is_plain and not self.in_head:
            self._repeats.keep(data, self.headers)
        if self.in_head:
            return refusals.HEAD_TOO_LARGE if self._head_fed > self._limits.max_head_bytes else None
        if self.in_body:
            self._silent += len(data)
            if self._silent > self._limits.max_head_bytes + len(data):
                return refusals.malformed("chunk extensions or trailers are too large")
        return None

    def _refusal_of(self, error: httptools.HttpParserError) -> Refusal:
        cause = error.__context__
        if isinstance(cause, Refused):
            return cause.refusal
        if isinstance(error, httptools.HttpParserCallbackError):
            logger.error("Reading a request failed", exc_info=cause)
            return refusals.APPLICATION_FAILED
        return refusals.malformed(f"malformed request: {error}")

    def _read_on(self, rest: bytes) -> Refusal | None:
        """The parser stopped behind a head that asked for an upgrade."""
        if self._websocket_scope is not None:
            self._owner.become_websocket(self._websocket_scope, rest)
            return None
        if self._resumes_body:
            assert self.incoming is not None
            self._resumes_body = False
            self._parser = resume_body_parser(
                self, length=self.content_length, keep_alive=self.incoming.keep_alive
            )
        return self.feed(rest) if rest else None

    # The parser's callbacks

    def on_message_begin(self) -> None:
        self._url = b""
        self.headers = []
        self._noted = []
        self._length = None
        self._head_fed = 0
        self._is_plain = False
        self._repeats.forget()
        self.in_head = True
        self._owner.head_began()

    def on_url(self, url: bytes) -> None:
        self._url += url
        if len(self._url) > self._limits.max_url_bytes:
            raise Refused(refusals.URL_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.in_head:
            self._count_trailer()
            return
        headers = self.headers
        if len(headers) >= self._max_headers:
            raise Refused(refusals.TOO_MANY_HEADERS)
        name = name.lower()
        if value and value[-1] <= 32:
            value = value.rstrip(b" \t")
        headers.append((name, value))
        if name in _NOTED:
            if name == b"content-length":  # the parser allows only one, of digits
                value = value.lstrip(b"0") or b"0"  # one spelling for all who read it after us
                headers[-1] = (name, value)
                self._length = int(value)
            else:
                self._noted.append((name, value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        version = parser.get_http_version()
        method = heads.METHODS.get(parser.get_method())
        if method is None:
            raise Refused(refusals.malformed("the method is not supported"))
        if self._head_fed + self._feed_size > self._limits.max_head_bytes:
            self._measure_head()
        noted = self._noted
        self.content_length = self._length or 0
        self._awaits_continue = False
        if (
            len(noted) != 1
            or noted[0][1] not in self._good_hosts
            or version != "1.1"
            or noted[0][0] != b"host"
        ):
            self._judge_noted(version)
        url = self._url
        if (
            url[0] == 47 and 35 not in url
        ):  # "/" and "#": bytes in bytes would be looked for as a number first
            raw_path, _, query = url.partition(b"?")
        else:
            raw_path, query = self._take_target(method)
        self.in_head = False
        scope = self._scope(version, method, raw_path, query)
        if parser.should_upgrade() and self._becomes_websocket(scope):
            return
        keep_alive = version == "1.1" and parser.should_keep_alive()
        self._begin(scope, keep_alive=keep_alive)
        self._is_plain = keep_alive and self.content_length == 0

    def _scope(self, version: str, method: str, raw_path: bytes, query: bytes) -> dict[str, Any]:
        path = raw_path.decode("ascii")
        scope = self._scope_base.copy()
        scope["http_version"] = version
        scope["method"] = method
        scope["path"] = unquote(path) if "%" in path else path
        scope["raw_path"] = raw_path
        scope["query_string"] = query
        scope["headers"] = self.headers
        scope["state"] = self._app_state.copy()
        return scope

    def _begin(self, scope: dict[str, Any], *, keep_alive: bool) -> None:
        cycle = RequestCycle(self._owner, self._app, scope, keep_alive, self._awaits_continue)
        self.incoming = cycle
        self.upload = None
        self._silent = 0
        self._owner.accept(cycle)

    def on_body(self, body: bytes) -> None:
        cycle = self.incoming
        assert cycle is not None
        self._silent = 0
        if self.upload is not None:
            self.upload.arrived += len(body)
        if not (cycle.finished or cycle.gone):
            cycle.feed(body)
            if cycle.buffered > self._limits.body_buffer_bytes:
                self._owner.flow.pause_reading()

    def on_message_complete(self) -> None:
        if self._resumes_body or self._websocket_scope is not None:
            return
        cycle = self.incoming
        assert cycle is not None
        cycle.end_request()
        if cycle.finished:
            self._owner.body_drained()

    def _count_trailer(self) -> None:
        """Trailers of a request have no place in ASGI: dropped, and never merged into its headers."""
        self._head_fed += 1
        if self._head_fed > self._max_headers:
            raise Refused(refusals.TOO_MANY_HEADERS)

    def _measure_head(self) -> None:
        self._head_fed = 0
        size = len(self._url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self._limits.max_head_bytes:
            raise Refused(refusals.HEAD_TOO_LARGE)

    def _judge_noted(self, version: str) -> None:
        fields: dict[bytes, list[bytes]] = {}
        for name, value in self._noted:
            fields.setdefault(name, []).append(value)
        hosts = fields.get(b"host", [])
        codings = fields.get(b"transfer-encoding", [])
        expects = fields.get(b"expect", []) if version == "1.1" else []
        refusal = (
            heads.judge_version(version)
            or heads.judge_framing(codings, has_length=self._length is not None, version=version)
            or heads.judge_hosts(hosts, version)
            or heads.judge_expectations(expects)
        )
        if refusal is not None:
            raise Refused(refusal)
        if hosts:
            if len(self._good_hosts) >= _MAX_GOOD_HOSTS:
                self._good_hosts.clear()
            self._good_hosts.add(hosts[0])
        if codings:
            self.content_length = None
        self._awaits_continue = bool(expects) and self.content_length != 0

    def _take_target(self, method: str) -> tuple[bytes, bytes]:
        target = heads.parse_target(self._url, method)
        if isinstance(target, Refusal):
            raise Refused(target)
        if target.authority is not None:  # it outranks the Host field (RFC 9112 section 3.2.2)
            others = [header for header in self.headers if header[0] != b"host"]
            self.headers = [(b"host", target.authority), *others]
        return target.raw_path, target.query

    def _becomes_websocket(self, scope: dict[str, Any]) -> bool:
        """Otherwise the Upgrade is ignored, and the body, which the parser now passes over, still to be read."""
        wanted = (
            scope["method"] == "GET"
            and scope["http_version"] == "1.1"
            and heads.asks_for_websocket(self.headers)
        )
        if wanted and self._owner.may_become_websocket():
            if self.content_length != 0:
                raise Refused(refusals.malformed("a WebSocket handshake has no body"))
            self._websocket_scope = scope
            return True
        self._resumes_body = self.content_length != 0
        return False
