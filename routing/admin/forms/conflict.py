"""D: What to tell somebody whose form is older than the row: who saved it, when, and what differs."""

from collections.abc import Sequence

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from routing.admin.history import last_author
from routing.rows.base import Versioned
from routing.templatetags.torana import ago

SHOWN: int = 20
Difference = tuple[str, str, str]


def explain_conflict(row: Versioned, differences: Sequence[Difference]) -> SafeString:
    """One message; `differences` are (field, what is stored, what was typed)."""
    who = last_author(row) or "Somebody else"
    head = format_html(
        "{} changed this {}, after you had opened it. What you typed is still below; nothing is saved. "
        "Save again to put yours in its place.",
        who,
        ago(row.updated_at),
    )
    if not differences:
        return format_html("{} Both of you wrote the same.", head)
    rows = format_html_join(
        "",
        "<li><b>{}</b>: stored now <code>{}</code>, yours <code>{}</code></li>",
        ((label, theirs or "nothing", mine or "nothing") for label, theirs, mine in differences[:SHOWN]),
    )
    return format_html('{}<ul class="torana-differences">{}</ul>', head, rows)
