"""P: One request as a line of JSON: what was asked, who answered, how long each phase took, and nothing that is secret.

Values of credential fields are never among what is written. A line is put together from pieces: what lines of alike
requests have in common is made once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import orjson

from authproxy.exchange import Exchange
from authproxy.headers import Pair, RequestHead
from authproxy.rejections import Code
from observability.accesslog.known import ROUND, Known, Milliseconds
from observability.traffic.alikes import Alike

HIDDEN: Final = "***"
LONGEST: Final = 1024
"""Characters of a path, a query or a field: a line stays short enough to be written in one piece."""
_json: Final = orjson.dumps
_MILLISECONDS: Final = tuple([b'.%03d+00:00","request_id":"' % number for number in range(1000)])
_MOST_SHOWN: Final = 256
"""Different fields of requests that are remembered as they are written."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is written of requests. Names are lower case."""

    sample: float = 1.0
    """The share of requests that went well, where the route says nothing else; others are always written."""
    query: Literal["off", "names", "full"] = "names"
    """Of the query string: nothing, `a=***&b=***`, or all but what `hide` names."""
    hide: frozenset[str] = frozenset()
    """Query parameters and header fields whose values are secret."""
    hide_paths: tuple[str, ...] = ()
    """Paths that begin so are written no further."""
    headers: tuple[bytes, ...] = ()
    """Header fields of requests that are written, too."""


class Common(NamedTuple):
    """What lines of requests that went the same way have in common."""

    share: float
    """Of them, how many are written; below zero: none, whatever they are."""
    asked: bytes
    went: bytes
    rest: bytes | None
    """What comes after the numbers; None: more is to be said there, of each of them."""


class Lines:
    """One worker's. For one thread."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._is_cutting = bool(rules.hide_paths)
        self._headers = frozenset(rules.headers)
        self._shown: dict[tuple[Pair, ...], bytes] = {}
        self._since = self._until = 0.0
        self._began = b""
        self._second = -1
        self._second_began = b""
        self._clients = Known[str](lambda client: b'","client":%b,"consumer":' % _json(client))
        self._consumers = Known[str](_json)
        self._totals = Milliseconds(b'{"total":')
        self._auths = Milliseconds(b',"auth":')
        self._queues = Milliseconds(b',"queue":')
        self._connects = Milliseconds(b',"connect":')
        self._upstreams = Milliseconds(b',"upstream":')

    def of(self, exchange: Exchange, alike: Alike, offset_s: float) -> bytes | None:
        """With its line feed; None: it is not to be written. `offset_s` makes epoch seconds of moments."""
        pieces = self.pieces_of(exchange, alike, offset_s)
        return b"".join(pieces) if pieces else None

    def pieces_of(self, exchange: Exchange, alike: Alike, offset_s: float) -> tuple[bytes, ...]:
        """Its line, in pieces, with its line feed; none: it is not to be written."""
        common: Common | None = alike.written
        if common is None:
            common = alike.written = common_of(alike, self._rules)
        share, asked, went, rest = common
        if share < 1.0 and not _is_picked(exchange, share):
            return ()
        ended, started = exchange.ended, exchange.started
        at = ended + offset_s
        if at >= self._until or at < self._since:  # quicker than a chain of both
            self._begin(at)
        scope, head, identity = exchange.scope, exchange.head, exchange.identity
        try:
            client = exchange.origin.client_ip
        except AttributeError:  # it could not be read so far
            client = ""
        try:
            path = scope["raw_path"].decode()
        except UnicodeDecodeError:
            path = scope["raw_path"].decode("utf-8", "replace")
        if self._is_cutting or len(path) > LONGEST:
            path = shortened(path, self._rules)
        if rest is None or scope["query_string"]:
            rest = self._rest_of(exchange, alike)
        if exchange.answered and not exchange.connecting_s:
            admitted, forwarded = exchange.admitted, exchange.forwarded
            auth = self._auths[(admitted - started) * 1e6 + ROUND]
            queue = self._queues[(forwarded - admitted) * 1e6 + ROUND]
            upstream = self._upstreams[(exchange.answered - forwarded) * 1e6 + ROUND]
        else:
            auth, queue, upstream = self._phases_of(exchange), b"", b""
        length = head.content_length
        return (
            self._began, exchange.request_id,  # plain, see `authproxy.headers`
            b'","trace_id":"', exchange.traceparent[3:35], self._clients[client],
            b'""' if identity is None else self._consumers[identity.consumer],
            asked, _json(path), went,
            self._totals[(ended - started) * 1e6 + ROUND], auth, queue, upstream,
            b'},"received":%d,"sent":' % int(length) if length else b'},"received":0,"sent":',
            _json(exchange.sent), rest,
        )  # fmt: skip

    def _begin(self, at: float) -> None:
        """How lines of this millisecond begin, from half a one before it until half a one after it."""
        number = int(at * 1000 + 0.5)
        self._since, self._until = (number - 0.5) / 1000, (number + 0.5) / 1000
        second, millisecond = divmod(number, 1000)
        if second != self._second:
            self._second, self._second_began = second, b'{"time":"%b' % _second(second).encode()
        self._began = self._second_began + _MILLISECONDS[millisecond]

    def _phases_of(self, exchange: Exchange) -> bytes:
        """Of a request that opened a connection, or that had no answer of an upstream: what there is beside `total`.
        What did not happen is left out."""
        started, admitted, forwarded = exchange.started, exchange.admitted, exchange.forwarded
        if not admitted:
            return b""
        found = self._auths[(admitted - started) * 1e6 + ROUND]
        if forwarded:
            found += self._queues[(forwarded - admitted) * 1e6 + ROUND]
            if exchange.connecting_s:
                found += self._connects[exchange.connecting_s * 1e6 + ROUND]
            if exchange.answered:
                found += self._upstreams[(exchange.answered - forwarded) * 1e6 + ROUND]
        return found

    def _rest_of(self, exchange: Exchange, alike: Alike) -> bytes:
        """With what most requests do not have."""
        rest = _more_of(exchange, alike, self._rules)
        fields = self._fields_of(exchange.head) if self._headers else b""
        return b"%b%b%b}\n" % (_counts_of(alike), rest, fields)

    def _fields_of(self, head: RequestHead) -> bytes:
        """Clients are few kinds of programs, which say the same again and again."""
        wanted = self._headers
        found: tuple[Pair, ...] = ()
        for pair in head.passed:
            if pair[0] in wanted:
                found = (*found, pair)
        shown = self._shown.get(found)
        if shown is None:
            shown = b',"headers":' + _json(_shown(found, self._rules))
            if sum([len(value) for _, value in found]) <= LONGEST:
                if len(self._shown) >= _MOST_SHOWN:
                    self._shown.clear()
                self._shown[found] = shown
        return shown


def common_of(alike: Alike, rules: Rules) -> Common:
    """Errors are written, unless their route is not written at all. Of the rest a share."""
    log, attempts, code = alike.log, alike.attempts, alike.code
    share = rules.sample if log is None or log.sample is None else log.sample
    if alike.status >= 400 or alike.status == 0:
        share = 1.0
    went = (alike.route, alike.service, alike.target, alike.status, "" if code is None else code.value)
    outcome = b',"outcome":%b' % _json(alike.outcome) if attempts else b""
    is_more = alike.is_odd or code in (Code.AUTH_ERROR, Code.FORBIDDEN) or bool(rules.headers)
    return Common(
        -1.0 if log is not None and not log.access else share,
        b',"method":%b,"path":' % _json(alike.method[:32]),
        b',"route":%b,"service":%b,"target":%b,"status":%b,"code":%b,"ms":' % tuple(map(_json, went)),
        None if is_more else b"%b%b}\n" % (_counts_of(alike), outcome),
    )


def _counts_of(alike: Alike) -> bytes:
    attempts = alike.attempts
    return b',"attempts":%d,"retries":%d,"cache":%b,"revision":%d' % (
        attempts, max(attempts - 1, 0), _json(alike.cache), alike.revision,
    )  # fmt: skip


def _is_picked(exchange: Exchange, share: float) -> bool:
    """By trace: gateways one behind the other pick the same requests."""
    if exchange.would or share < 0:
        return share >= 0
    try:
        return int(exchange.traceparent[27:35], 16) < share * 0x1_0000_0000
    except ValueError:
        return True


def _more_of(exchange: Exchange, alike: Alike, rules: Rules) -> bytes:
    """What most requests do not have, and the outcome."""
    rest: dict[str, Any] = {}
    query = exchange.scope["query_string"]
    if query and rules.query != "off":
        rest["query"] = query_of(query, rules)
    if alike.code in (Code.AUTH_ERROR, Code.FORBIDDEN):
        rest["reason"] = "forbidden" if exchange.identity else exchange.auth_failure
    if alike.attempts:
        rest["outcome"] = alike.outcome
    if exchange.failures:
        rest["failures"] = [{"target": target, "outcome": end.value} for target, end in exchange.failures]
    if exchange.would:
        rest["would"] = [{"policy": policy, "code": each.code.value} for policy, each in exchange.would]
    return b"," + _json(rest)[1:-1] if rest else b""


def path_of(raw: bytes, rules: Rules) -> str:
    """As the client wrote it, as far as it may be written."""
    return shortened(raw.decode("utf-8", "replace"), rules)


def shortened(path: str, rules: Rules) -> str:
    """As far as it may be written."""
    for start in rules.hide_paths:
        if path.startswith(start) and len(path) > len(start):
            return start + HIDDEN
    return path if len(path) <= LONGEST else path[:LONGEST] + "…"


def query_of(raw: bytes, rules: Rules) -> str:
    """The query string without its secrets."""
    parts = []
    for pair in raw.decode("utf-8", "replace").split("&"):
        name, sign, _ = pair.partition("=")
        is_hidden = rules.query == "names" or name.lower() in rules.hide
        parts.append(f"{name}={HIDDEN}" if sign and is_hidden else pair)
    text = "&".join(parts)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _shown(fields: Iterable[Pair], rules: Rules) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in fields:
        text = name.decode("ascii", "replace")
        shown = HIDDEN if text in rules.hide else value.decode("utf-8", "replace")[:LONGEST]
        found[text] = f"{found[text]}, {shown}" if text in found else shown
    return found


def refused_line(now_s: float, *, client: str, status: int, code: str, request_id: str) -> bytes:
    """Of a request that the server refused before there was anything to route."""
    time = stamp(int(now_s * 1000 + 0.5))
    line = {"time": time, "request_id": request_id, "client": client, "status": status, "code": code}
    return _json(line) + b"\n"


def stamp(epoch_ms: int) -> str:
    """ISO 8601 in UTC. Lines come in the order of time, so a second is written out once."""
    second, millisecond = divmod(epoch_ms, 1000)
    return f"{_second(second)}.{millisecond:03d}+00:00"


@lru_cache(maxsize=4)
def _second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
