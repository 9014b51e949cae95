"""P: Names that stand for something of each request: `${consumer.id}`, `${request.header.x-tenant}`, `${path.id}`.

The list is closed. A name has a dot, which tells it from the environment's `${VAR}`. `:-` gives a default for what a
request does not have; `$${` is a literal `${`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from routing.document.findings import Finding
from routing.problems import did_you_mean, quote

NAME: Final = r"[a-z_]+\.[^{}]+"
VARIABLE: Final = re.compile(rf"\$\$\{{(?={NAME}\}})|\$\{{({NAME})\}}")
"""Either an escape, or (group 1) a name with its default."""

PLAIN_NAMES: Final = (
    "consumer.id",
    "consumer.name",
    "consumer.plan",
    "consumer.kind",
    "user.id",
    "user.name",
    "user.roles",
    "request.id",
    "request.method",
    "request.scheme",
    "request.host",
    "request.path",
    "request.client_ip",
    "route.name",
    "service.name",
    "response.status",
)
FAMILIES: Final = ("request.header.", "request.query.", "path.")
"""Each is followed by a name of the operator's."""
Place = Literal["request_headers", "response_headers", "rewrite"]
_NOT_IN: Final[dict[Place, tuple[str, ...]]] = {
    "request_headers": ("response.status",),
    "response_headers": (),
    "rewrite": ("response.status", "request.path"),
}
_CLAIMS: Final = {
    "x-user-id": "user.id",
    "x-user-name": "user.name",
    "x-user-roles": "user.roles",
    "x-consumer": "consumer.id",
    "x-forwarded-for": "request.client_ip",
    "x-real-ip": "request.client_ip",
    "forwarded": "request.client_ip",
    "x-forwarded-proto": "request.scheme",
    "x-forwarded-host": "request.host",
    "x-request-id": "request.id",
}
"""What any client may claim, and what the gateway knows instead."""
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")


def is_templated(location: Sequence[str | int]) -> bool:
    """Whether the text at a place of the document is filled in for each request."""
    if len(location) >= 3 and location[-2] in ("set", "add"):
        return location[-3] in ("request_headers", "response_headers")
    return len(location) >= 2 and location[-2] == "rewrite" and location[-1] in ("path", "prefix", "host")


def is_of_requests(location: Sequence[str | int]) -> bool:
    """The same, and paths and values of an aggregate's parts, which have names beside (`routing.aggregation`)."""
    return is_templated(location) or _is_of_part(tuple(location)) or _is_topic_pattern(location)


def _is_topic_pattern(location: Sequence[str | int]) -> bool:
    """`topics[i].topics[j]`, whose names are those of `routing.topicpatterns`."""
    return len(location) >= 4 and location[-4] == "topics" and location[-2] == "topics"


def _is_of_part(location: tuple[str | int, ...]) -> bool:
    """`…aggregate.parts.NAME.path` and whatever is in `…aggregate.parts.NAME.value`."""
    for index in range(len(location) - 3):
        if location[index : index + 2] == ("aggregate", "parts"):
            return location[index + 3] == "value" or location[index + 3 :] == ("path",)
    return False


def escaped(text: str) -> str:
    """A text in which nothing stands for anything of a request."""
    return re.sub(rf"\$\{{(?={NAME}\}})", "$${", text) if "${" in text else text


def has_variables(text: str) -> bool:
    """Whether a text holds a variable or an escaped one."""
    return "${" in text and VARIABLE.search(text) is not None


def split_default(text: str) -> tuple[str, str | None]:
    """`consumer.plan:-free` → its name and its default."""
    name, mark, default = text.partition(":-")
    return name, default if mark else None


def check_variables(
    text: object, location: tuple[str | int, ...], place: Place, *, in_path: Iterable[str] | None
) -> Iterator[Finding]:
    """Refuses names that are not on the list. `in_path` are those of the route's path template; None: not known yet."""
    if not isinstance(text, str) or "${" not in text:
        return
    for found in VARIABLE.finditer(text):
        if found[1] is not None:
            problem = judge(split_default(found[1])[0], place, in_path)
            if problem:
                yield Finding("gateway.E045", location, problem, text)


def judge(name: str, place: Place, in_path: Iterable[str] | None) -> str:
    """What is wrong with a name at a place; an empty text if nothing is."""
    if name in _NOT_IN[place]:
        return _misplaced(name, place)
    if name in PLAIN_NAMES:
        return ""
    if name.startswith("request.header."):
        return _judge_header(name.removeprefix("request.header."))
    if name.startswith("request.query."):
        return "" if name.removeprefix("request.query.").isprintable() else f"{quote(name)} is not a name"
    if name.startswith("path."):
        return _judge_path(name.removeprefix("path."), in_path)
    known = [
        one for one in (*PLAIN_NAMES, *(f"{family}…" for family in FAMILIES)) if one not in _NOT_IN[place]
    ]
    hint = did_you_mean(name, known) or f"; known are {', '.join(known)}"
    return f"{quote(name)} stands for nothing{hint}"


def _misplaced(name: str, place: Place) -> str:
    if name == "response.status":
        return f"{quote(name)} is not known before there is an answer; it stands in response_headers only"
    return (
        f"{quote(name)} has slashes, which no variable adds to a path; say prefix or regex instead ({place})"
    )


def _judge_header(header: str) -> str:
    if not _TOKEN.fullmatch(header):
        return f"{quote(header)} is not a header name"
    known = _CLAIMS.get(header.lower().replace("_", "-"))  # CGI-style services cannot tell them apart
    if known is not None:
        return f"{quote(header)} is what any client may claim; say ${{{known}}}, which the gateway knows"
    return ""


def _judge_path(name: str, in_path: Iterable[str] | None) -> str:
    if in_path is None:
        return ""
    names = tuple(in_path)
    if name in names:
        return ""
    if not names:
        return f"{quote('path.' + name)} needs path_type template and {{{name}}} in match.path"
    return f"match.path has no {quote(name)}{did_you_mean(name, names)}"
