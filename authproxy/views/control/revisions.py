"""D: `/control/v1/revisions…`: the history of the configuration: looking, comparing, going back."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.moments import rfc3339
from authproxy.refusing import invalid, not_found
from authproxy.views.control.asking import ControlEndpoint, changing, message_of, outcome_json, word
from authproxy.views.control.calling import HISTORY, PUBLISH, staff
from authproxy.views.control.documents import document_answer
from authproxy.views.control.tables import page, searched
from routing.checking import EMPTY
from routing.diff import diff
from routing.document.canonical import canonicalise
from routing.loader import read_rows
from routing.locking import reading
from routing.models import Revision
from routing.publishing import rollback

_MOST: Final = 2**63 - 1
_DRAFT: Final = "draft"


class RevisionsView(ControlEndpoint):
    """All revisions."""

    def get(self, request: Request) -> Response:
        """Newest first, a page at a time."""
        staff(request).require(HISTORY)
        rows = searched(Revision.objects.defer("document"), request, "message")
        if author := word(request, "author"):
            rows = rows.filter(author=author)
        if source := word(request, "source"):
            rows = rows.filter(source=source)
        return Response(page(rows, request, "revisions", as_json, by=("-number",)))


class RevisionView(ControlEndpoint):
    """One revision."""

    def get(self, request: Request, number: str) -> Response:
        """Who made it, when, why, and what it changed. `live` is the newest."""
        staff(request).require(HISTORY)
        return Response(as_json(revision(number)))


class RevisionDocumentView(ControlEndpoint):
    """What one revision holds."""

    def get(self, request: Request, number: str) -> Any:
        """The whole document."""
        staff(request).require(HISTORY)
        return document_answer(request, document_of(number))


class DiffView(ControlEndpoint):
    """What differs between two."""

    def get(self, request: Request, number: str) -> Response:
        """From `against` to this one. Without `against`, from the one before it; `draft` is the configuration as it
        is edited now."""
        staff(request).require(HISTORY)
        against = word(request, "against")
        if not against:
            parent = None if number == _DRAFT else revision(number).parent
            against = "live" if number == _DRAFT else str(parent or 0)
        with changing(), reading():
            changes = diff(document_of(against), document_of(number), are_canonical=True)
        return Response({"from": against, "to": number, "changes": changes.as_json()})


class RollbackView(ControlEndpoint):
    """Going back."""

    def post(self, request: Request, number: str) -> Response:
        """Publishes what this revision holds, as a new one; refused while there is a draft."""
        caller = staff(request)
        caller.require(PUBLISH)
        row = revision(number)
        with changing(invalid_is_conflict=True):
            outcome = rollback(row.number, actor=caller.actor, message=message_of(request))
        return Response(outcome_json(outcome))


def number_of(text: str, field: str = "number") -> int:
    """The number of a revision."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= _MOST):
        raise invalid({field: "This is not the number of a revision."})
    return int(text)


def revision(number: str) -> Revision:
    """The revision of this number, or the live one."""
    rows = Revision.objects.order_by("-number")
    found = (rows if number == "live" else rows.filter(number=number_of(number))).first()
    if found is None:
        raise not_found(f"There is no revision {number}.")
    return found


def as_json(row: Revision) -> dict[str, Any]:
    """All but its document."""
    return {
        "number": row.number,
        "created_at": rfc3339(row.created_at),
        "author": row.author,
        "message": row.message,
        "source": row.source,
        "parent": row.parent,
        "digest": row.digest,
        "changes": row.changes,
        "edits": row.edits or [],
    }


def document_of(number: str) -> Mapping[str, Any]:
    """By today's schema. 0: nothing."""
    if number == _DRAFT:
        return canonicalise(read_rows())
    return EMPTY if number == "0" else canonicalise(orjson.loads(revision(number).document))
