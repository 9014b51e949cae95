"""D: Changes of the configuration as HTML and in a few words."""

import json
from typing import Any, Final

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast, Substr
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from routing.diff import ABSENT, Changes, EntryChange
from routing.models import Revision

ENTRIES: Final = 200
LONGEST: Final = 300
FIELDS: Final = 200
"""Of one entry."""
_TABLE: Final = (
    '<table class="torana-table"><thead><tr><th>key</th><th>{}</th><th>{}</th></tr></thead>'
    "<tbody>{}</tbody></table>"
)
_HEAD: Final = 500
_SUMMARY: Final = '{"summary":'


def with_summary(revisions: QuerySet[Revision]) -> QuerySet[Revision]:
    """Revisions without their documents and changes, which may be megabytes; the summary begins the latter."""
    head = Substr(Cast(F("changes"), TextField()), Value(1), Value(_HEAD), output_field=TextField())
    return revisions.defer("document", "changes").annotate(changes_head=head)


def summary(revision: Any) -> str:
    """`2 routes added, 1 changed`, of a revision from `with_summary`."""
    text: str = revision.changes_head or ""
    if not text.startswith(_SUMMARY):
        return ""
    try:
        found, _ = json.JSONDecoder().raw_decode(text, len(_SUMMARY))
    except ValueError:
        return ""
    return str(found)


def difference(changes: Changes, *, before: str = "before", after: str = "after") -> SafeString:
    """Entry by entry what was added, removed and changed, and how, side by side."""
    if not changes:
        return format_html("<p>{}</p>", "Nothing changed.")
    shown = format_html_join(
        "", "{}", ((_block(entry, before, after),) for entry in changes.entries[:ENTRIES])
    )
    more = len(changes) - ENTRIES
    tail = format_html("<p>{}</p>", f"… and {more} more") if more > 0 else ""
    return format_html('<div class="torana-diff"><p>{}</p>{}{}</div>', changes.summary(), shown, tail)


def _block(entry: EntryChange, before: str, after: str) -> SafeString:
    title = f"{entry.kind.replace('_', ' ').removesuffix('s')} {entry.name}" if entry.name else entry.kind
    rows = format_html_join(
        "",
        "<tr><td><code>{}</code></td><td><del>{}</del></td><td><ins>{}</ins></td></tr>",
        ((change.path, _shown(change.before), _shown(change.after)) for change in entry.fields[:FIELDS]),
    )
    if (more := len(entry.fields) - FIELDS) > 0:
        rows += format_html('<tr><td colspan="3">… and {} more</td></tr>', more)
    table = format_html(_TABLE, before, after, rows) if rows else ""
    return format_html(
        '<section><h3><span class="torana-standing torana-{}">{}</span> {} <span class="torana-subtle">{}</span></h3>{}'
        "</section>",
        entry.action,
        entry.action,
        title,
        entry.summary,
        table,
    )


def _shown(value: Any) -> str:
    if value is ABSENT:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
