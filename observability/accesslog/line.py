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
from observability.traffic.alikes import Alike

HIDDEN: Final = "***"
LONGEST: Final = 1024
"""Characters of a path, a query or a field: a line stays short enough to be written in one piece."""
_ROUND: Final = 1.5 * 2**52
"""Added and taken away again, it leaves a float without digits behind the point: a quarter of what `round` takes."""
_NOTHING: Final = b'""'
_json: Final = orjson.dumps
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
    counts: bytes
    outcome: bytes | None
    """None: more is to be said before it, of each of them."""


class Lines:
    """One worker's. For one thread."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._headers = frozenset(rules.headers)
        self._shown: dict[tuple[Pair, ...], bytes] = {}
        self._since = self._until = 0.0
        self._began = b""

    def of(self, exchange: Exchange, alike: Alike, offset_s: float) -> bytes | None:
        """With its line feed; None: it is not to be written. `offset_s` makes epoch seconds of moments."""
        common: Common | None = alike.written
        if common is None:
            common = alike.written = common_of(alike, self._rules)
        share, asked, went, counts, rest = common
        if share < 1.0 and not _is_picked(exchange, share):
            return None
        if not self._since <= (at := exchange.ended + offset_s) < self._until:
            self._begin(at)
        rules, scope, length = self._rules, exchange.scope, exchange.head.content_length
        query, identity = scope["query_string"], exchange.identity
        try:
            client = exchange.origin.client_ip
        except AttributeError:  # it could not be read so far
            client = ""
        path = scope["raw_path"].decode("utf-8", "replace")
        if rules.hide_paths or len(path) > LONGEST:
            path = shortened(path, rules)
        if query or exchange.failures or exchange.would or rest is None:
            rest = _rest_of(exchange, alike, rules)
        pieces = (
            self._began, exchange.request_id,  # plain, see `authproxy.headers`
            b'","trace_id":"', exchange.traceparent[3:35],
            b'","client":', _json(client),
            b',"consumer":', _NOTHING if identity is None else _json(identity.consumer),
            asked, _json(path),
            went, _json(phases_of(exchange)),
            b',"received":', _json(int(length)) if length else b"0", b',"sent":', _json(exchange.sent),
            counts, rest, self._fields_of(exchange.head) if self._headers else b"", b"}\n",
        )  # fmt: skip
        return b"".join(pieces)

    def _begin(self, at: float) -> None:
        """How lines of this millisecond begin, from half a one before it until half a one after it."""
        millisecond = int(at * 1000 + 0.5)
        self._since, self._until = (millisecond - 0.5) / 1000, (millisecond + 0.5) / 1000
        self._began = b'{"time":"%b","request_id":"' % stamp(millisecond).encode()

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
    return Common(
        -1.0 if log is not None and not log.access else share,
        b',"method":%b,"path":' % _json(alike.method[:32]),
        b',"route":%b,"service":%b,"target":%b,"status":%b,"code":%b,"ms":' % tuple(map(_json, went)),
        b',"attempts":%d,"retries":%d,"cache":%b,"revision":%d'
        % (attempts, max(attempts - 1, 0), _json(alike.cache), alike.revision),
        None if code in (Code.AUTH_ERROR, Code.FORBIDDEN) else outcome,
    )


def _is_picked(exchange: Exchange, share: float) -> bool:
    """By trace: gateways one behind the other pick the same requests."""
    if exchange.would or share < 0:
        return share >= 0
    try:
        return int(exchange.traceparent[27:35], 16) < share * 0x1_0000_0000
    except ValueError:
        return True


def _rest_of(exchange: Exchange, alike: Alike, rules: Rules) -> bytes:
    """With what most requests do not have."""
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


def phases_of(exchange: Exchange) -> dict[str, float]:
    """In milliseconds: `auth` until the route's steps let it in, `queue` until it had its place, `upstream` until the
    head of the answer, of which opening connections took `connect`; `total`. What did not happen is left out. To the
    microsecond."""
    started, admitted = exchange.started, exchange.admitted
    found = {"total": ((exchange.ended - started) * 1e6 + _ROUND - _ROUND) / 1000}
    if admitted:
        found["auth"] = ((admitted - started) * 1e6 + _ROUND - _ROUND) / 1000
        forwarded = exchange.forwarded
        if forwarded:
            found["queue"] = ((forwarded - admitted) * 1e6 + _ROUND - _ROUND) / 1000
            if exchange.connecting_s:
                found["connect"] = (exchange.connecting_s * 1e6 + _ROUND - _ROUND) / 1000
            if exchange.answered:
                found["upstream"] = ((exchange.answered - forwarded) * 1e6 + _ROUND - _ROUND) / 1000
    return found


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
