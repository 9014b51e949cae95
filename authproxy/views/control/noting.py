"""D: Rows that are no part of the document: a call that changes one is one event of the trail, as in admin."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from authproxy.views.control.calling import Caller
from routing.admin.audited import kind_of
from routing.auditing import Deed, changed, record


def note(
    caller: Caller, word: str, row: Model, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> None:
    """Tells the trail how a row was and is; None: there was none, or it is gone. What is as it was is no event."""
    if before == after:
        return
    kind, name = kind_of(row), str(row)
    record(Deed(f"{kind}.{word}", ((kind, name),), caller.name, changes=changed(kind, name, before, after)))
