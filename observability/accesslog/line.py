"""P: One request as a line of JSON: what was asked, who answered, how long each phase took, and nothing that is secret.

Values of credential fields are never among what is written. What lines of alike requests have in common is made once,
as a template; the rest is put into it in one step. Whatever more is done for a line, or remembered of one, costs three
to five times beside a gateway's other work what it costs alone: the processor's caches are full of that.
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
from observability.accesslog.known import Known
from observability.traffic.alikes import Alike

HIDDEN: Final = "***"
LONGEST: Final = 1024
"""Characters of a path, a query or a field: a line stays short enough to be written in one piece."""
_json: Final = orjson.dumps
_ROUND: Final = 1.5 * 2**52
"""Added to a float and taken away again, it leaves no digits behind the point, and costs a quarter of `round`."""
_PLAIN: Final = bytes(set(range(0x20, 0x7F)) - set(b'"\\'))
"""What stands in a string of JSON as it is."""
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
    """What lines of requests that went the same way have in common. Templates are those of `bytes % tuple`."""

    share: float
    """Of them, how many are written; below zero: none, whatever they are."""
    usual: bytes | None
    """With an answer of an upstream, to which a connection was open, and nothing more to be said; None: there always is
    more."""
    any: bytes
    """All others. Their phases and what more is to be said are put in as they are."""


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
        self._clients = Known(lambda client: b'","client":%b,"consumer":' % _json(client))
        self._consumers = Known(_json)

    def of(self, exchange: Exchange, alike: Alike, offset_s: float) -> bytes | None:
        """With its line feed; None: it is not to be written. `offset_s` makes epoch seconds of moments."""
        common: Common | None = alike.written
        if common is None:
            common = alike.written = common_of(alike, self._rules)
        share, usual, any_ = common
        if share < 1.0 and not _is_picked(exchange, share):
            return None
        ended, started, scope = exchange.ended, exchange.started, exchange.scope
        at = ended + offset_s
        if at >= self._until or at < self._since:  # quicker than a chain of both
            self._begin(at)
        path, length, identity = scope["raw_path"], exchange.head.content_length, exchange.identity
        if self._is_cutting or len(path) > LONGEST or path.translate(None, _PLAIN):
            path = _json(path_of(path, self._rules))[1:-1]
        try:
            client = exchange.origin.client_ip
        except AttributeError:  # it could not be read so far
            client = ""
        who = self._clients[client], b'""' if identity is None else self._consumers[identity.consumer]
        more = self._fields_of(exchange.head) if self._headers else b""
        if scope["query_string"]:
            more = _query_member(scope["query_string"], self._rules) + more
        answered, forwarded = exchange.answered, exchange.forwarded
        if usual is None or not answered or exchange.connecting_s:
            return any_ % (
                self._began, exchange.request_id, exchange.traceparent[3:35], *who, path,
                _phases_of(exchange), int(length or 0), exchange.sent,
                _why_of(exchange, alike), more,
            )  # fmt: skip
        admitted = exchange.admitted
        return usual % (
            self._began, exchange.request_id,  # plain, see `authproxy.headers`
            exchange.traceparent[3:35], *who, path,
            _json(((ended - started) * 1e6 + _ROUND - _ROUND) / 1000),
            _json(((admitted - started) * 1e6 + _ROUND - _ROUND) / 1000),
            _json(((forwarded - admitted) * 1e6 + _ROUND - _ROUND) / 1000),
            _json(((answered - forwarded) * 1e6 + _ROUND - _ROUND) / 1000),
            int(length) if length else 0, exchange.sent, more,
        )  # fmt: skip

    def _begin(self, at: float) -> None:
        """How lines of this millisecond begin, from half a one before it until half a one after it."""
        number = int(at * 1000 + 0.5)
        self._since, self._until = (number - 0.5) / 1000, (number + 0.5) / 1000
        second, millisecond = divmod(number, 1000)
        if second != self._second:
            self._second, self._second_began = second, b'{"time":"%b' % _second(second).encode()
        self._began = self._second_began + _MILLISECONDS[millisecond]

    def _fields_of(self, head: RequestHead) -> bytes:
        """Clients are few kinds of programs, which say the same again and again."""
        wanted = self._headers
        found: tuple[Pair, ...] = ()
        for pair in head.passed:
            if pair[0] in wanted:
                found = (*found, pair)
        shown = self._shown.get(found)
        return self._show(found) if shown is None else shown

    def _show(self, found: tuple[Pair, ...]) -> bytes:
        shown = b',"headers":' + _json(_shown(found, self._rules))
        if sum([len(value) for _, value in found]) <= LONGEST:
            if len(self._shown) >= _MOST_SHOWN:
                self._shown.clear()
            self._shown[found] = shown
        return shown


def common_of(alike: Alike, rules: Rules) -> Common:
    """Errors are written, unless their route is not written at all. Of the rest a share."""
    log, code = alike.log, alike.code
    share = rules.sample if log is None or log.sample is None else log.sample
    if alike.status >= 400 or alike.status == 0:
        share = 1.0
    begin = b'%%b%%b","trace_id":"%%b%%b%%b,"method":%b,"path":"%%b",%b,"ms":{' % (
        _written(alike.method[:32]),
        _members(
            route=alike.route,
            service=alike.service,
            target=alike.target,
            status=alike.status,
            code="" if code is None else code.value,
        ),
    )
    counts = _members(
        attempts=alike.attempts,
        retries=max(alike.attempts - 1, 0),
        cache=alike.cache,
        revision=alike.revision,
    )
    end = b'},"received":%%d,"sent":%%d,%b' % counts
    outcome = b"," + _members(outcome=alike.outcome) if alike.attempts else b""
    is_more = alike.is_odd or code in (Code.AUTH_ERROR, Code.FORBIDDEN)
    return Common(
        share=-1.0 if log is not None and not log.access else share,
        usual=None if is_more else b"%b%b%b%b%%b}\n" % (begin, _PHASES, end, outcome),
        any=b"%b%%b%b%%b%%b}\n" % (begin, end),
    )


_PHASES: Final = b'"total":%b,"auth":%b,"queue":%b,"upstream":%b'


def _members(**members: Any) -> bytes:
    """Of an object in JSON, as a part of a template."""
    return _written(members)[1:-1]


def _written(value: Any) -> bytes:
    return _json(value).replace(b"%", b"%%")


def _phases_of(exchange: Exchange) -> bytes:
    """What did not happen is left out."""
    started, admitted, forwarded = exchange.started, exchange.admitted, exchange.forwarded
    spent = {"total": exchange.ended - started}
    if admitted:
        spent["auth"] = admitted - started
    if forwarded:
        spent["queue"] = forwarded - admitted
        if exchange.connecting_s:
            spent["connect"] = exchange.connecting_s
        if exchange.answered:
            spent["upstream"] = exchange.answered - forwarded
    return _json({name: round(seconds * 1e6) / 1000 for name, seconds in spent.items()})[1:-1]


def _is_picked(exchange: Exchange, share: float) -> bool:
    """By trace: gateways one behind the other pick the same requests."""
    if exchange.would or share < 0:
        return share >= 0
    try:
        return int(exchange.traceparent[27:35], 16) < share * 0x1_0000_0000
    except ValueError:
        return True


def _why_of(exchange: Exchange, alike: Alike) -> bytes:
    """How it ended, where that has a name; and what most requests do not have."""
    rest: dict[str, Any] = {}
    if alike.code in (Code.AUTH_ERROR, Code.FORBIDDEN):
        rest["reason"] = "forbidden" if exchange.identity else exchange.auth_failure
    if alike.attempts:
        rest["outcome"] = alike.outcome
    if exchange.failures:
        rest["failures"] = [{"target": target, "outcome": end.value} for target, end in exchange.failures]
    if exchange.would:
        rest["would"] = [{"policy": policy, "code": each.code.value} for policy, each in exchange.would]
    return b"," + _json(rest)[1:-1] if rest else b""


def _query_member(raw: bytes, rules: Rules) -> bytes:
    return b"" if rules.query == "off" else b',"query":' + _json(query_of(raw, rules))


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
    """ISO 8601 in UTC. Lines come nearly in the order of time, so a second is written out once."""
    second, millisecond = divmod(epoch_ms, 1000)
    return f"{_second(second)}.{millisecond:03d}+00:00"


@lru_cache(maxsize=4)
def _second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")
