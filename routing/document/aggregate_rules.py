"""P: What the parts of an aggregate must be to each other. Reads raw values; wrong types are reported elsewhere."""

from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final

from routing.aggregation import parse_path, placeholders, sorted_by_need
from routing.document.findings import Finding, Location
from routing.document.jmespaths import check_jmespath
from routing.document.template_rules import names_in_path
from routing.document.variables import judge, split_default
from routing.problems import did_you_mean, quote

Names = tuple[str, ...] | None
"""What the route's path calls its segments; None: not known yet."""
RESERVED: Final = "errors"
"""The key under which the answer says what is missing."""


def check_aggregate(raw: Mapping[str, Any], aggregate: Any) -> Iterator[Finding]:
    """Expressions that do not compile, parts that there are not, parts that wait for each other."""
    names = names_in_path(raw)
    parts = aggregate.get("parts") if isinstance(aggregate, dict) else None
    if not isinstance(parts, dict):
        return
    needs: dict[str, tuple[str, ...]] = {}
    for name, part in parts.items():
        if isinstance(part, dict):
            needs[name] = yield from _check_part(name, part, parts, names)
    if RESERVED in parts:
        message = f"{quote(RESERVED)} is the key that says what is missing; name the part otherwise"
        yield Finding("gateway.E036", ("aggregate", "parts", RESERVED), message)
    _, circle = sorted_by_need(needs)
    if circle:
        message = f"{', '.join(sorted(circle))} need each other in a circle"
        yield Finding("gateway.E036", ("aggregate", "parts"), message)


def _check_part(
    name: str, part: dict[str, Any], parts: dict[str, Any], names: Names
) -> Generator[Finding, None, tuple[str, ...]]:
    place = ("aggregate", "parts", name)
    yield from check_jmespath(part.get("pick"), (*place, "pick"))
    if part.get("required") is True and part.get("fallback") is not None:
        yield Finding(
            "gateway.W005", (*place, "fallback"), "has no effect: without this part there is no answer"
        )
    path = part.get("path")
    if part.get("service") is None or part.get("value") is not None:
        yield from _value(part, place, names)
        return ()
    if path is None:
        yield Finding("gateway.E003", (*place, "path"), "is missing: what the service is asked for")
    if not isinstance(path, str):
        return ()
    try:
        template = parse_path(path)
    except ValueError as error:
        yield Finding("gateway.E039", (*place, "path"), str(error), path)
        return ()
    for reference in template.references:
        if not reference.part and (problem := _problem_with(reference.text, names)):
            yield Finding("gateway.E045", (*place, "path"), problem, path)
    for each in template.needs:
        if each not in parts:
            message = f"no part named {quote(each)}{did_you_mean(each, parts)}"
            yield Finding("gateway.E011", (*place, "path"), message, path)
    return template.needs


def _value(part: dict[str, Any], place: Location, names: Names) -> Iterator[Finding]:
    """Of a part that asks no service."""
    if part.get("value") is None:
        yield Finding("gateway.E012", place, "needs a service and a path, or a value")
    for key in ("service", "path", "pick"):
        if part.get("value") is not None and part.get(key) is not None:
            yield Finding(
                "gateway.E022", (*place, key), "goes with a service, and this part is a value; keep one"
            )
    for name in placeholders(part.get("value")):
        if problem := _problem_with(name, names):
            yield Finding("gateway.E045", (*place, "value"), problem)


def _problem_with(text: str, names: Names) -> str:
    """There is no answer yet when a part is asked, as when header fields are set."""
    return judge(split_default(text)[0], "request_headers", names)
