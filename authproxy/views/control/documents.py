"""D: `/control/v1/document`: the whole configuration, out and in."""

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpResponse
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from authproxy.control.preconditions import of_digest
from authproxy.parsing import read_bounded
from authproxy.refusing import forbidden, invalid
from authproxy.views.control.asking import (
    ControlEndpoint,
    changing,
    flag,
    message_of,
    outcome_json,
    require_match,
    shown,
    status_of,
    word,
)
from authproxy.views.control.calling import HISTORY, Caller, model_of, permission_for, staff
from routing.checking import Document
from routing.document.canonical import canonicalise, digest, dump_yaml
from routing.document.yaml import parse_text
from routing.loader import MODELS, read_rows
from routing.locking import reading
from routing.merging import Merge, laid_over, managed_part
from routing.publishing import apply_edit

LARGEST: Final = 10 * 1024 * 1024  # what the pipeline lets through to Django
YAML: Final = "application/yaml"
_VERBS: Final = ("change", "add", "delete")


class _DocumentParser(BaseParser):
    """YAML, of which JSON is a part; a problem is told by line and column."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        body = read_bounded(stream, LARGEST)
        with changing():
            return parse_text(body)


class JsonDocument(_DocumentParser):
    media_type = "application/json"


class YamlDocument(_DocumentParser):
    media_type = YAML


class DocumentView(ControlEndpoint):
    """The configuration as one document."""

    parser_classes = (JsonDocument, YamlDocument)

    def get(self, request: Request) -> Any:
        """As `gateway export` prints it: canonical, without secrets, as the draft stands; `format=yaml` for people,
        `managed_by` for the entries that have this mark."""
        staff(request).require(HISTORY)
        with changing(), reading():
            document = canonicalise(read_rows())
        if owner := word(request, "managed_by"):
            document = managed_part(document, owner)
        return document_answer(request, document)

    def put(self, request: Request) -> Response:
        """Makes the configuration match the document; all or nothing. What it does not name is left alone, unless
        `prune`; with `managed_by` that removes only what has this mark."""
        return self._apply(request)

    def post(self, request: Request) -> Response:
        """The same, for clients that only post."""
        return self._apply(request)

    def _apply(self, request: Request) -> Response:
        caller = staff(request)
        _require_any_hand(caller)
        raw = request.data
        prune = flag(request, "prune")
        is_draft = flag(request, "draft")
        owner, takes_over = word(request, "managed_by"), flag(request, "take_over")
        if takes_over and not owner:
            raise invalid({"take_over": "This goes with managed_by."})

        def edit(current: Document) -> Merge:
            require_match(request, of_digest(digest(current, is_canonical=True)))
            return laid_over(current, raw, prune=prune, managed_by=owner, take_over=takes_over)

        with changing():
            outcome = apply_edit(
                edit,
                actor=caller.actor,
                message=message_of(request),
                draft=is_draft,
                dry_run=flag(request, "dry_run"),
                judge=caller.judge,
            )
        return Response(outcome_json(outcome), status=status_of(outcome))


def document_answer(request: Request, document: Document) -> Any:
    """A document in the form that the request asks for, with its entity tag."""
    form = word(request, "format") or "json"
    if form not in ("json", "yaml"):
        raise invalid({"format": "This must be json or yaml."})
    tag = of_digest(digest(document, is_canonical=True))
    answer = shown(request, document, tag)
    if form == "json" or answer.status_code != 200:
        return answer
    return HttpResponse(
        dump_yaml(document),
        content_type=f"{YAML}; charset=utf-8",
        headers={"ETag": tag, "Cache-Control": "no-store"},
    )


def _require_any_hand(caller: Caller) -> None:
    """Before a document is read: whoever may change nothing at all need not send one."""
    for kind in (*MODELS, "defaults"):
        model = model_of(kind)
        if any(caller.may(permission_for(verb, model)) for verb in _VERBS) or caller.owned(model).exists():
            return
    raise forbidden("This takes a permission to change the configuration.")
