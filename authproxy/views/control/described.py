"""D: How the control API's calls are described, and the views of all kinds of entries."""

from typing import Any, Final

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema_view

from authproxy.views.control.defaults import DefaultsView
from authproxy.views.control.documents import YAML, DocumentView
from authproxy.views.control.entries import EntriesView, EntryView
from authproxy.views.control.kinds import KINDS, Kind
from authproxy.views.control.parameters import (
    CHANGING,
    FORMAT,
    IF_MATCH,
    IF_NONE_MATCH,
    KNOWN,
    MANAGED,
    MESSAGE,
    OWNER,
    PRUNE,
    READING,
    TAKE_OVER,
    UNCHANGED,
    WRITES,
    lists,
    query,
    shows,
    text,
)
from authproxy.views.control.revisions import (
    DiffView,
    RevisionDocumentView,
    RevisionsView,
    RevisionView,
    RollbackView,
)
from authproxy.views.control.shapes import DiffShape, OutcomeShape, RevisionShape, RevisionsPage
from authproxy.views.documented import documented

CONFIGURATION: Final = "Configuration"
HISTORY: Final = "Revisions"
Schema = dict[str, Any]


NUMBER: Final = OpenApiParameter(
    "number", OpenApiTypes.STR, OpenApiParameter.PATH, description="Of the revision; or `live`."
)


def answer(about: str, schema: Schema) -> OpenApiResponse:
    """An answer whose shape is written out."""
    return OpenApiResponse(schema, description=about)


def ref(name: str) -> Schema:
    """A shape of the document's; see `gateway_project/documentdocs.py`."""
    return {"$ref": f"#/components/schemas/{name}"}


MERGE_PATCH: Final = "application/merge-patch+json"
_PATCH: Final = {"type": "object", "additionalProperties": True}
PATCHES: Final = {"application/json": _PATCH, MERGE_PATCH: _PATCH}
_DRAFTED: Final = "It is a draft: somebody must publish it."


def _page(kind: Kind) -> OpenApiResponse:
    properties = {
        kind.name: {"type": "array", "items": ref(kind.schema)},
        "total": {"type": "integer"},
        "next": {"type": ["string", "null"]},
    }
    shape = {"type": "object", "properties": properties, "required": sorted(properties)}
    return answer("Entries by name; `next` is null on the last page.", shape)


def _article(kind: Kind) -> str:
    return f"{'an' if kind.singular[0] in 'aeiou' else 'a'} {kind.singular}"


def _either(entry: Schema) -> Schema:
    return {"anyOf": [entry, ref("OutcomeShape")]}


def _entries_described(kind: Kind) -> Any:
    filters = [
        query(name, each.about, enum=each.values) if each.values else text(name, each.about)
        for name, each in kind.filters.items()
    ]
    entry = ref(kind.schema)
    return extend_schema_view(
        get=lists(
            f"List {kind.plural}",
            tag=CONFIGURATION,
            asks=[text("search", "Part of " + ", ".join(kind.searched) + "."), *filters],
            answers=_page(kind),
        ),
        post=documented(
            f"Add {_article(kind)}",
            tag=CONFIGURATION,
            takes={"application/json": entry},
            asks=WRITES,
            answers={200: OutcomeShape, 201: answer("It was made.", entry), 202: answer(_DRAFTED, entry)},
            errors=(400, 401, 403, 409, 413, 415),
        ),
    )


def _entry_described(kind: Kind) -> Any:
    a, entry = _article(kind), ref(kind.schema)
    now = answer("As it is now; under `dry_run`, what it would change.", _either(entry))
    written = {200: now, 202: answer(_DRAFTED, entry)}
    return extend_schema_view(
        get=shows(f"Show {a}", tag=CONFIGURATION, answers=answer("As the document has it.", entry)),
        put=documented(
            f"Make or replace {a}",
            tag=CONFIGURATION,
            takes={"application/json": entry},
            asks=[*WRITES, IF_MATCH, IF_NONE_MATCH],
            answers={**written, 201: answer("It was made.", entry)},
            errors=CHANGING,
        ),
        patch=documented(
            f"Change {a}",
            tag=CONFIGURATION,
            takes=PATCHES,
            asks=[*WRITES, IF_MATCH],
            answers=written,
            errors=(*CHANGING, 404),
        ),
        delete=documented(
            f"Remove {a}",
            tag=CONFIGURATION,
            asks=[*WRITES, IF_MATCH],
            answers={200: OutcomeShape, 202: OutcomeShape, 204: None},
            errors=(*READING, 404, 409, 412),
        ),
    )


def entry_views(kind: Kind) -> tuple[Any, Any]:
    """The views of one kind: of all its entries, and of one."""
    return (
        _entries_described(kind)(type(f"{kind.schema}Entries", (EntriesView,), {"kind": kind})),
        _entry_described(kind)(type(f"{kind.schema}Entry", (EntryView,), {"kind": kind})),
    )


ENTRY_VIEWS: Final = {kind.name: entry_views(kind) for kind in KINDS.values()}

_DEFAULTS: Final = ref("DefaultsSpec")
_DEFAULTS_WRITTEN: Final = {
    200: answer("As they are now; under `dry_run`, what it would change.", _either(_DEFAULTS)),
    202: answer("They are a draft: somebody must publish it.", _DEFAULTS),
}
extend_schema_view(
    get=shows(
        "Show the defaults",
        tag=CONFIGURATION,
        answers=answer("As the document has them.", _DEFAULTS),
        errors=READING,
    ),
    put=documented(
        "Replace the defaults",
        tag=CONFIGURATION,
        takes={"application/json": _DEFAULTS},
        asks=[*WRITES, IF_MATCH, IF_NONE_MATCH],
        answers=_DEFAULTS_WRITTEN,
        errors=CHANGING,
    ),
    patch=documented(
        "Change the defaults",
        tag=CONFIGURATION,
        takes=PATCHES,
        asks=[*WRITES, IF_MATCH],
        answers=_DEFAULTS_WRITTEN,
        errors=CHANGING,
    ),
)(DefaultsView)

_DOCUMENT: Final = ref("DocumentSpec")
_DOCUMENTS: Final[dict[Any, Any]] = {
    200: OpenApiResponse(
        _DOCUMENT, description="As `gateway export` prints it; YAML text under `format=yaml`."
    ),
    (200, YAML): OpenApiResponse(_DOCUMENT, description="As `gateway export` prints it."),
    304: UNCHANGED,
}
_APPLIED: Final = {
    "takes": {"application/json": _DOCUMENT, YAML: _DOCUMENT},
    "asks": [*WRITES, PRUNE, OWNER, TAKE_OVER, IF_MATCH, IF_NONE_MATCH],
    "answers": {200: OutcomeShape, 202: OutcomeShape},
    "errors": CHANGING,
}
extend_schema_view(
    get=documented(
        "Export the configuration",
        tag=CONFIGURATION,
        asks=[FORMAT, MANAGED, KNOWN],
        answers=_DOCUMENTS,
        errors=READING,
    ),
    put=documented("Apply a document", tag=CONFIGURATION, **_APPLIED),  # type: ignore[arg-type]
    post=documented("Apply a posted document", tag=CONFIGURATION, **_APPLIED),  # type: ignore[arg-type]
)(DocumentView)
extend_schema_view(
    get=lists(
        "List revisions",
        tag=HISTORY,
        asks=[
            text("author", "Who made them."),
            text("source", "By which door: admin, api, cli, …"),
            text("search", "Part of the message."),
        ],
        answers=RevisionsPage,
    )
)(RevisionsView)
extend_schema_view(
    get=documented(
        "Show a revision", tag=HISTORY, asks=[NUMBER], answers={200: RevisionShape}, errors=(*READING, 404)
    )
)(RevisionView)
extend_schema_view(
    get=documented(
        "Show a revision's document",
        tag=HISTORY,
        asks=[NUMBER, FORMAT, KNOWN],
        answers=_DOCUMENTS,
        errors=(*READING, 404),
    )
)(RevisionDocumentView)
extend_schema_view(
    get=documented(
        "Compare revisions",
        tag=HISTORY,
        asks=[NUMBER, text("against", "A number, `live` or `draft`; without it, the one before.")],
        answers={200: DiffShape},
        errors=(*READING, 404),
    )
)(DiffView)
extend_schema_view(
    post=documented(
        "Roll back",
        tag=HISTORY,
        asks=[NUMBER, *MESSAGE],
        answers={200: OutcomeShape},
        errors=(*READING, 404, 409),
    )
)(RollbackView)
