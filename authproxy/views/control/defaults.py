"""D: `/control/v1/defaults`: the keys that every route has unless it has its own."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.merging import patched
from authproxy.control.preconditions import etag
from authproxy.views.control.asking import (
    ControlEndpoint,
    changing,
    flag,
    message_of,
    outcome_fields,
    outcome_json,
    require_match,
    shown,
    status_of,
)
from authproxy.views.control.calling import Caller, permission_for, staff
from authproxy.views.control.entries import EntryParser, PatchParser
from routing.checking import Document
from routing.document.canonical import canonicalise
from routing.merging import Merge
from routing.models import RouteDefaults
from routing.publishing import apply_edit

_KIND = "defaults"


class DefaultsView(ControlEndpoint):
    """One object, which is there always: empty, where it says nothing."""

    parser_classes = (EntryParser, PatchParser)

    def get(self, request: Request) -> Response:
        """As the document has them."""
        staff(request).require(permission_for("view", RouteDefaults))
        values = RouteDefaults.objects.values_list("values", flat=True).first()
        there = _of(canonicalise({"version": 1, _KIND: values or {}}))
        return shown(request, there, etag(there))

    def put(self, request: Request) -> Response:
        """Replaces them whole. The same body again changes nothing."""
        given = dict(request.data) if _caller(request) else {}
        return self._write(request, lambda _: given)

    def patch(self, request: Request) -> Response:
        """Changes some of their keys: a JSON merge patch (RFC 7396), in which null removes a key."""
        given = dict(request.data) if _caller(request) else {}
        return self._write(request, lambda there: patched(there, given))

    def _write(self, request: Request, become: Any) -> Response:
        caller = _caller(request)
        after: dict[str, Any] = {}

        def edit(current: Document) -> Merge:
            there = _of(current)
            require_match(request, etag(there))
            return Merge({**current, _KIND: become(there)})

        def judge(before: Document, target: Document, changes: Any) -> None:
            caller.judge(before, target, changes)
            after.update(_of(target))

        with changing():
            outcome = apply_edit(
                edit,
                actor=caller.actor,
                message=message_of(request),
                draft=flag(request, "draft"),
                dry_run=flag(request, "dry_run"),
                judge=judge,
            )
        if outcome.kind == "previewed":
            return Response(outcome_json(outcome))
        return Response(
            after, status=status_of(outcome), headers={**outcome_fields(outcome), "ETag": etag(after)}
        )


def _caller(request: Request) -> Caller:
    caller = staff(request)
    caller.require_hand(_KIND, ("change",))
    return caller


def _of(document: Document) -> dict[str, Any]:
    return dict(document.get(_KIND) or {})
