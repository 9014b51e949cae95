"""I: A route that asks several services at a time and answers one JSON object.

Each part is a task of its own, which waits for the parts that it needs. The first required part that fails ends the
others; so does the client when it leaves. What an optional part lacks stands under `errors`.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import orjson

from authproxy import bodies
from authproxy.caching.directives import directives_of
from authproxy.caching.storability import vary_of
from authproxy.exchange import Exchange
from authproxy.headers import Pair, Pairs
from authproxy.problems import bad_answer
from authproxy.rejections import Code, Rejection
from authproxy.relaying import relay
from authproxy.shaping.applying import applied
from authproxy.shaping.pieces import memory_response
from authproxy.shaping.templates import facts
from authproxy.subrequests import Answer, Ask, ask, own_route
from resilience.clock import http_date
from resilience.outcomes import Outcome
from routing.aggregation import Aggregate, Part, Unknown, filled
from routing.snapshot import CompiledRoute

Tell = Callable[[Exchange, str], Pairs]
"""What a service is told of the caller."""
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_MAX_BODY: Final = 1 << 20
_OF_THE_BODY: Final = frozenset({b"content-type", b"content-encoding", b"content-language"})
_NOT_PASSED: Final = _OF_THE_BODY | {b"accept", b"accept-encoding", b"range"}
"""What the client says of the whole answer or of its own body says nothing of a part's."""
_TO_CACHES: Final = frozenset({b"cache-control", b"set-cookie", b"vary"})
_FORBIDDING: Final = frozenset({b"no-cache", b"no-store", b"private"})
_CONDITIONS: Final = b"if-"
_ACCEPTED: Final[tuple[Pair, ...]] = ((b"accept", b"application/json"), (b"accept-encoding", b"identity"))
_TIMED_OUT: Final = Rejection(Code.UPSTREAM_TIMEOUT, "The service did not answer in time.")


class Got(NamedTuple):
    """A part's value, ready to be written, and as others may need it."""

    written: Any
    value: Any
    said: Pairs = ()
    """What its service says to caches."""


Result = Got | Rejection


class RequiredPartFailed(Exception):  # noqa: N818 - becomes a refusal
    """Without this part there is no answer."""

    def __init__(self, part: Part, why: Rejection) -> None:
        super().__init__(part.name)
        self.part = part
        self.why = why


class Aggregating:
    """The destination of one route."""

    def __init__(self, route: CompiledRoute, aggregate: Aggregate, tell: Tell) -> None:
        self._aggregate = aggregate
        self._tell = tell
        self._asked = tuple(part for part in aggregate.parts if part.service)
        self._given = tuple(part for part in aggregate.parts if not part.service)
        self._routes = {part.name: own_route(route, timeout_s=part.timeout_s) for part in self._asked}
        self._takes_body = any(part.method in _WITH_BODY for part in self._asked)

    async def answer(self, exchange: Exchange) -> Rejection | None:
        """Ask for all parts and hand the whole on."""
        body = await bodies.whole(exchange, _MAX_BODY) if self._takes_body else b""
        if isinstance(body, Rejection):
            return body
        try:
            results = await self._results(exchange, body, self._values_of(exchange))
        except RequiredPartFailed as failed:
            return _refusal(exchange, failed)
        written, is_whole = merged(self._aggregate, results)
        headers: list[Pair] = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(written)),
            (b"date", http_date()),
            *to_caches(results.values(), is_whole=is_whole),
        ]
        return await relay(exchange, memory_response(200, headers, written), "")

    def _request(self, exchange: Exchange) -> Callable[[str], str | None]:
        """What the request brings, by the text of a placeholder."""
        variables = self._aggregate.variables
        if not variables:
            return _nothing
        known = facts(exchange)
        return lambda text: variables[text].value(known).decode("utf-8", "replace") or None

    def _values_of(self, exchange: Exchange) -> dict[str, Result]:
        """Of the parts that ask nobody."""
        if not self._given:
            return {}
        values = [(part.name, filled(part.value, self._request(exchange))) for part in self._given]
        return {name: Got(value, value) for name, value in values}

    async def _results(
        self, exchange: Exchange, body: bytes, known: Mapping[str, Result]
    ) -> Mapping[str, Result]:
        """By part, with those that are known. Raises RequiredPartFailed; whatever happens, no task is left behind."""
        tasks: dict[str, asyncio.Task[Result]] = {}
        create = asyncio.get_running_loop().create_task
        for part in self._asked:
            needed = {name: tasks[name] for name in part.needs if name in tasks}
            tasks[part.name] = create(self._part(exchange, part, body, needed, known))
        if not tasks:
            return known
        try:
            await asyncio.wait(
                tasks.values(), timeout=self._aggregate.timeout_s, return_when=asyncio.FIRST_EXCEPTION
            )
            for task in tasks.values():
                if task.done():
                    task.result()  # what failed is to blame, not what is ended because of it
        finally:
            await _end(tasks.values())
        return {**known, **{part.name: _result(part, tasks[part.name]) for part in self._asked}}

    async def _part(
        self,
        exchange: Exchange,
        part: Part,
        body: bytes,
        needed: Mapping[str, "asyncio.Task[Result]"],
        known: Mapping[str, Result],
    ) -> Result:
        if needed:
            await asyncio.wait(needed.values())
        parts = {**known, **{name: task.result() for name, task in needed.items()}}
        values = {name: result.value for name, result in parts.items() if isinstance(result, Got)}
        try:
            path, query = part.path.fill(self._request(exchange), values)
        except Unknown as unknown:
            return _checked(part, Rejection(Code.BAD_GATEWAY, f"It cannot be asked: {unknown}."))
        sends = part.method in _WITH_BODY and body
        wanted = Ask(
            part.service,
            part.method,
            path,
            query,
            _passed(exchange, with_body=bool(sends)),
            body if sends else b"",
        )
        told = self._tell(exchange, part.service)
        asking = ask(exchange, self._routes[part.name], wanted, told=told, limit=part.max_body)
        try:
            if part.timeout_s >= self._aggregate.timeout_s:  # the whole has no more time than that
                answer = await asking
            else:
                async with asyncio.timeout(part.timeout_s):
                    answer = await asking
        except TimeoutError:
            return _checked(part, _TIMED_OUT)
        return _checked(part, answer if isinstance(answer, Rejection) else await read(part, answer))


def _nothing(_text: str) -> None:
    return None


async def _end(tasks: Collection["asyncio.Task[Result]"]) -> None:
    """Those that are still under way end here; what failed has been looked at, whoever failed first."""
    pending = [task for task in tasks if not task.done()]
    for task in pending:
        task.cancel()
    if pending:
        await asyncio.wait(pending)
    for task in tasks:
        if not task.cancelled():
            task.exception()


async def read(part: Part, answer: Answer) -> Result:
    """A part's value from its service's answer, or what is wrong with it."""
    if not 200 <= answer.status < 300:
        return Rejection(
            Code.BAD_GATEWAY,
            f"The service answered {answer.status}.",
            details={"service": part.service, "status": answer.status},
        )
    if not answer.body:
        return Got(None, None)
    try:
        taken = answer.body if part.pick is None else await applied(part.pick, answer.body)
        if taken is None:
            raise ValueError("it is no JSON")
        said = [pair for pair in answer.headers if pair[0] in _TO_CACHES]
        return Got(
            orjson.Fragment(taken), orjson.loads(taken), said
        )  # as it came: no digit of a number is lost
    except ValueError as problem:
        return bad_answer(part.service, f"The answer is not what was expected: {problem}.")


def merged(aggregate: Aggregate, results: Mapping[str, Result]) -> tuple[bytes, bool]:
    """The answer's body, and whether nothing is missing."""
    fallbacks = {part.name: part.fallback for part in aggregate.parts}
    answer: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for name in aggregate.order:
        result = results[name]
        if isinstance(result, Got):
            answer[name] = result.written
        else:
            answer[name] = fallbacks[name]
            errors[name] = {"code": result.code.value, "message": result.message}
    if errors:
        answer["errors"] = errors
    return orjson.dumps(answer), not errors


def to_caches(results: Iterable[Result], *, is_whole: bool) -> Iterator[Pair]:
    """Nobody keeps what is missing something, or what a part's service lets nobody keep for others; and the whole
    depends on what its parts depend on (RFC 9111 sections 3 and 4.1)."""
    said = [pair for result in results if isinstance(result, Got) for pair in result.said]
    control = directives_of([value for name, value in said if name == b"cache-control"])
    vary = vary_of(value for name, value in said if name == b"vary")
    sets_cookies = any(name == b"set-cookie" for name, _ in said)
    if not is_whole or sets_cookies or b"*" in vary or not _FORBIDDING.isdisjoint(control):
        yield b"cache-control", b"no-store"
    if names := [name for name in vary if name not in _NOT_PASSED]:
        yield b"vary", b", ".join(names)


def _passed(exchange: Exchange, *, with_body: bool) -> Sequence[Pair]:
    """The client's fields that say something to a part's service as well."""
    fields = [
        pair
        for pair in exchange.head.passed
        if pair[0] not in _NOT_PASSED and not pair[0].startswith(_CONDITIONS)
    ]
    if with_body:
        fields += [pair for pair in exchange.head.passed if pair[0] in _OF_THE_BODY]
    return (*fields, *_ACCEPTED)


def _checked(part: Part, result: Result) -> Result:
    if part.required and isinstance(result, Rejection):
        raise RequiredPartFailed(part, result)
    return result


def _result(part: Part, task: "asyncio.Task[Result]") -> Result:
    if task.cancelled():
        return _checked(part, _TIMED_OUT)
    return task.result()


def _refusal(exchange: Exchange, failed: RequiredPartFailed) -> Rejection:
    """502 or 504, with which part it was and why."""
    why = failed.why
    is_late = why.code is Code.UPSTREAM_TIMEOUT
    exchange.outcome = Outcome.TOTAL_TIMEOUT if is_late else Outcome.UPSTREAM_ERROR
    code = Code.UPSTREAM_TIMEOUT if is_late else Code.BAD_GATEWAY
    details = {
        "part": failed.part.name,
        "service": failed.part.service,
        "code": why.code.value,
        **why.details,
    }
    return Rejection(code, f'The part "{failed.part.name}" failed: {why.message}', details=details)
