"""D: Who changed what, read from revisions and from the draft."""

import json
from datetime import timedelta
from typing import Any, Final

from routing.loader import MODELS
from routing.models import PendingChange, Revision

# A revision is written in the same transaction as its rows, and dated a moment later.
MOMENT: Final = timedelta(seconds=1)


def kind_of(row: Any) -> str:
    """The document's key for rows like this."""
    return next((kind for kind, model in MODELS.items() if isinstance(row, model)), "defaults")


def last_author(row: Any) -> str | None:
    """Who last changed this row, as far as history knows."""
    if (draft := PendingChange.objects.order_by("-pk").first()) is not None:
        return draft.author
    entry = f'"kind":"{kind_of(row)}","name":{json.dumps(str(row), ensure_ascii=False)}'
    touched = Revision.objects.filter(created_at__gte=row.updated_at - MOMENT, changes__contains=entry)
    return touched.order_by("-number").values_list("author", flat=True).first()
