"""D: Who changed what, read from revisions and from the draft."""

import json
from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet

from routing.loader import MODELS
from routing.models import PendingChange, Revision

# A revision is written in the same transaction as its rows, and dated a moment later.
DEFAULTS: Final = "defaults"
MOMENT: Final = timedelta(seconds=1)


def kind_of(row: Any) -> str:
    """The document's key for rows like this."""
    return next((kind for kind, model in MODELS.items() if isinstance(row, model)), DEFAULTS)


def last_author(row: Any) -> str | None:
    """Who last changed this row, as far as history knows."""
    if (draft := PendingChange.objects.order_by("-pk").first()) is not None:
        return draft.author
    touched = touching(
        Revision.objects.filter(created_at__gte=row.updated_at - MOMENT), kind_of(row), str(row)
    )
    return touched.order_by("-number").values_list("author", flat=True).first()


def touching(revisions: QuerySet[Revision], kind: str, name: str) -> QuerySet[Revision]:
    """The revisions that added, changed or removed an entry; the defaults have no name."""
    named = json.dumps("" if kind == DEFAULTS else name, ensure_ascii=False)
    return revisions.filter(changes__contains=f'"kind":{json.dumps(kind)},"name":{named}')
