"""D: `/control/v1/{services,routes,…}[/{name}]`: entries of the configuration, each call one revision."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.merging import found, patched, with_entry, without_entry
from authproxy.control.preconditions import etag
from authproxy.parsing import JsonParser
from authproxy.refusing import invalid, not_found
from authproxy.views.control.asking import (
    ControlEndpoint,
    changing,
    conflict,
    flag,
    message_of,
    outcome_fields,
    outcome_json,
    require_match,
    shown,
    status_of,
)
from authproxy.views.control.calling import Caller, staff
from authproxy.views.control.kinds import Kind, chosen, entries, page
from routing.checking import Document
from routing.merging import Merge, releasing
from routing.publishing import Outcome, apply_edit

Entry = Mapping[str, Any]


class EntryParser(JsonParser):
    """One entry; large enough for schemas of bodies."""

    largest = 1 << 20


class PatchParser(EntryParser):
    """RFC 7396."""

    media_type = "application/merge-patch+json"


class _Written:
    """One entry on its way into the configuration."""

    def __init__(self, caller: Caller, kind: Kind, name: str) -> None:
        self.caller, self.kind, self.name = caller, kind, name
        self.before: Entry | None = None
        self.after: Entry | None = None

    def judge(self, before: Document, after: Document, changes: Any) -> None:
        self.caller.judge(before, after, changes)
        self.before = found(before, self.kind.name, self.name)
        self.after = found(after, self.kind.name, self.name)


class _Writing(ControlEndpoint):
    kind: ClassVar[Kind]
    parser_classes = (EntryParser, PatchParser)

    def write(self, request: Request, written: _Written, edit: Any) -> Outcome:
        """Calls `publishing` with what the request says about it."""
        return apply_edit(
            edit,
            actor=written.caller.actor,
            message=message_of(request),
            source="api",
            draft=flag(request, "draft"),
            dry_run=flag(request, "dry_run"),
            judge=written.judge,
        )

    def answer(self, written: _Written, outcome: Outcome) -> Response:
        """The entry as it is now, or what would have become of it."""
        if outcome.kind == "previewed":
            return Response(outcome_json(outcome))
        fields = outcome_fields(outcome)
        status = status_of(outcome)
        if written.after is not None:
            fields["ETag"] = etag(written.after)
        if written.before is None and status == 200:
            status = 201
        return Response(written.after, status=status, headers=fields)


class EntriesView(_Writing):
    """All entries of one kind."""

    def get(self, request: Request) -> Response:
        """By name, a page at a time. Drafts are shown as they stand."""
        rows = staff(request).visible(self.kind.name)
        return Response(page(self.kind, chosen(self.kind, rows, request), request))

    def post(self, request: Request) -> Response:
        """Adds one; refused if there is one of that name."""
        caller = staff(request)
        caller.require_hand(self.kind.name, ("add",))
        entry = dict(request.data)
        name = entry.get("name")
        if not isinstance(name, str) or not name:
            raise invalid({"name": "Name the entry."})
        written = _Written(caller, self.kind, name)

        def edit(current: Document) -> Merge:
            if found(current, self.kind.name, name) is not None:
                raise conflict(f'There is a {self.kind.singular} "{name}" already.')
            return with_entry(current, self.kind.name, entry)

        with changing():
            outcome = self.write(request, written, edit)
        return self.answer(written, outcome)


class EntryView(_Writing):
    """One entry."""

    def get(self, request: Request, name: str) -> Response:
        """As the document has it."""
        rows = staff(request).visible(self.kind.name).filter(name=name)
        there = entries(self.kind, rows)
        if not there:
            raise not_found(f'There is no {self.kind.singular} "{name}".')
        return shown(request, there[0], etag(there[0]))

    def put(self, request: Request, name: str) -> Response:
        """Makes it, or replaces it whole. The same body again changes nothing."""
        caller = self._caller(request, name, "change", "add")
        entry = self._named(request, name)

        def edit(current: Document) -> Merge:
            there = found(current, self.kind.name, name)
            require_match(request, None if there is None else etag(there))
            return with_entry(current, self.kind.name, entry)

        return self._written(request, _Written(caller, self.kind, name), edit)

    def patch(self, request: Request, name: str) -> Response:
        """Changes some of its keys: a JSON merge patch (RFC 7396), in which null removes a key."""
        caller = self._caller(request, name, "change")
        patch = self._named(request, name)

        def edit(current: Document) -> Merge:
            there = found(current, self.kind.name, name)
            if there is None:
                raise not_found(f'There is no {self.kind.singular} "{name}".')
            require_match(request, etag(there))
            return with_entry(current, self.kind.name, releasing(patch, patched(there, patch)))

        return self._written(request, _Written(caller, self.kind, name), edit)

    def delete(self, request: Request, name: str) -> Response:
        """Removes it; refused while others refer to it."""
        caller = self._caller(request, name, "delete")

        def edit(current: Document) -> Merge:
            there = found(current, self.kind.name, name)
            if there is None:
                raise not_found(f'There is no {self.kind.singular} "{name}".')
            require_match(request, etag(there))
            return without_entry(current, self.kind.name, name)

        with changing(invalid_is_conflict=True):
            outcome = self.write(request, _Written(caller, self.kind, name), edit)
        if outcome.kind in ("previewed", "drafted"):
            return Response(outcome_json(outcome), status=status_of(outcome))
        return Response(status=204, headers=outcome_fields(outcome))

    def _written(self, request: Request, written: _Written, edit: Any) -> Response:
        with changing():
            outcome = self.write(request, written, edit)
        return self.answer(written, outcome)

    def _caller(self, request: Request, name: str, *verbs: str) -> Caller:
        caller = staff(request)
        caller.require_hand(self.kind.name, verbs, name)
        return caller

    def _named(self, request: Request, name: str) -> dict[str, Any]:
        """The body, whose name is the path's."""
        entry = dict(request.data)
        if entry.setdefault("name", name) != name:
            raise invalid({"name": f'The path names "{name}". An entry is renamed by making another one.'})
        return entry
