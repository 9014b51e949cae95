"""D: What calls of the control API take beside a body, as their description has it: pages, messages, preconditions."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from authproxy.control.paging import MOST, USUAL
from authproxy.views.control.asking import LONGEST_MESSAGE, LONGEST_WORD, MESSAGE_FIELD
from authproxy.views.documented import TAGGED, documented

READING: Final = (400, 401, 403)
CHANGING: Final = (400, 401, 403, 412, 413, 415)


def query(name: str, about: str, **more: Any) -> OpenApiParameter:
    """A parameter of the query."""
    return OpenApiParameter(name, more.pop("type", OpenApiTypes.STR), description=about, **more)


def text(name: str, about: str, most: int = LONGEST_WORD) -> OpenApiParameter:
    """A parameter that `word` reads."""
    return query(name, about, type={"type": "string", "maxLength": most})


def if_match(about: str) -> OpenApiParameter:
    """What a change may be made for."""
    return OpenApiParameter("If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description=about)


PAGING: Final = [
    query("limit", "", type={"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}),
    query("cursor", "`next` of the page before.", type={"type": "string", "minLength": 1}),
]
MESSAGE: Final = [
    query(
        "message",
        f"Why; kept with the revision. Or the header `{MESSAGE_FIELD}`.",
        type={"type": "string", "maxLength": LONGEST_MESSAGE},
    ),
    OpenApiParameter(MESSAGE_FIELD, OpenApiTypes.STR, OpenApiParameter.HEADER, description="Why."),
]
WRITES: Final = [
    query("dry_run", "Only say what it would change.", type=OpenApiTypes.BOOL),
    query("draft", "Change the draft without publishing it.", type=OpenApiTypes.BOOL),
    *MESSAGE,
]
PRUNE: Final = query("prune", "Remove what the document does not name.", type=OpenApiTypes.BOOL)
OWNER: Final = text(
    "managed_by", "Whose document it is: what it names gets this mark, and `prune` removes only what has it."
)
TAKE_OVER: Final = query(
    "take_over", "With `managed_by`: also change what others made, and mark it.", type=OpenApiTypes.BOOL
)
MANAGED: Final = text("managed_by", "Only what has this mark.")
FORMAT: Final = query("format", "", enum=["json", "yaml"])
IF_MATCH: Final = if_match("Only if this is its `ETag` now.")
IF_ROWS: Final = if_match(
    "Only if these are the `etag`s of all rows that it is about, as they are listed now."
)
IF_NONE_MATCH: Final = OpenApiParameter(
    "If-None-Match",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`*`: only if it is not there yet.",
)
KNOWN: Final = OpenApiParameter(
    "If-None-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, description="304 if this is its `ETag` still."
)
UNCHANGED: Final = OpenApiResponse(description="The client has it already.")


def shows(
    summary: str, *, tag: str, answers: Any, errors: tuple[int, ...] = (*READING, 404)
) -> Callable[[Any], Any]:
    """Describes the GET of one thing that has an `ETag`."""
    return documented(summary, tag=tag, asks=[KNOWN], answers={200: answers, 304: UNCHANGED}, errors=errors)


def lists(
    summary: str,
    *,
    tag: str,
    answers: Any,
    asks: Sequence[Any] = (),
    errors: tuple[int, ...] = READING,
) -> Callable[[Any], Any]:
    """Describes the GET of a list: it comes in pages, and each page has an `ETag`. `asks`: by what it is narrowed."""
    describe = documented(
        summary,
        tag=tag,
        asks=[*PAGING, *asks, KNOWN],
        answers={200: answers, 304: UNCHANGED},
        errors=errors,
    )

    def describing(method: Any) -> Any:
        found = describe(method)
        setattr(found, TAGGED, True)
        return found

    return describing
