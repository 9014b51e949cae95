"""D: `/docs`: the gateway's API and that of its services, as one OpenAPI document and as a page to try it on.

The document has what its reader may call: without a credential, the gateway's own part. What was made is kept for
whoever may call the same, until a revision or a service's document is another one.
"""

import json
from collections import OrderedDict
from functools import lru_cache
from hashlib import sha256
from threading import Lock
from typing import Any, Final

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from authproxy import upstreamdocs
from authproxy.authorise import judge
from authproxy.identity import Identity
from authproxy.upstreamdocs import UpstreamDocuments
from authproxy.views.base import Endpoint, identity_of
from routing.openapi.portal import merged
from routing.snapshot import CompiledRoute, Snapshot

MOST_KEPT: Final = 16
Key = tuple[object, ...]
# Swagger UI sets style attributes and draws its icons from data URLs; its scripts are files of ours.
_POLICY: Final = {
    "default-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
}
_kept: OrderedDict[Key, tuple[bytes, str]] = OrderedDict()
_making = Lock()


class DocumentView(Endpoint):
    """The document. `?service=NAME` leaves one service's part, `?service=` the gateway's own."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponseBase:
        """200, or 304 for whoever has it."""
        body, etag = _document(identity_of(request), request.query_params.get("service"))
        answer = HttpResponse(body, content_type="application/vnd.oai.openapi+json; charset=utf-8")
        answer["ETag"] = etag
        answer["Cache-Control"] = "private, no-cache"
        answer["Vary"] = "Authorization, Cookie, X-API-Key"
        return get_conditional_response(request._request, etag=etag, response=answer) or answer

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """As it was made: it is no answer of REST framework's, unless something was refused."""
        if isinstance(response, HttpResponse) and response.has_header("ETag"):
            return response
        return super().finalize_response(request, response, *args, **kwargs)


@csp_replace(_POLICY)
def page(request: HttpRequest) -> HttpResponse:
    """Swagger UI, with sign-in; its script fetches the document."""
    return _page(request, "docs")


@csp_replace({"default-src": [SELF]})
def account(request: HttpRequest) -> HttpResponse:
    """One's own usage, quotas, keys and sessions, with sign-in; its script asks the API."""
    return _page(request, "account")


def _page(request: HttpRequest, name: str) -> HttpResponse:
    context = {"here": name, "prefix": settings.CONFIG.api_prefix.rstrip("/")}
    return render(request, f"authproxy/portal/{name}.html", context)


def _document(identity: Identity | None, service: str | None) -> tuple[bytes, str]:
    documents = upstreamdocs.bound()
    snapshot = None if documents is None else documents.snapshot()
    if documents is None or snapshot is None or identity is None or service == "":
        return _remembered(("gateway",), _gateway_alone)
    may = frozenset(route.name for route in snapshot.routes.values() if _may(route, identity, snapshot))
    key = (snapshot.digest, snapshot.revision, documents.version, may, service)
    return _remembered(key, lambda: _whole(documents, snapshot, may, service))


def _may(route: CompiledRoute, identity: Identity, snapshot: Snapshot) -> bool:
    """Staff see all; what is only judged for the log, everybody may call."""
    is_open = identity.is_staff or not route.auth.is_enforced
    return is_open or judge(route.auth, identity, snapshot.roles) is None


def _remembered(key: Key, make: Any) -> tuple[bytes, str]:
    """Made once, by one thread."""
    with _making:
        found = _kept.get(key)
        if found is None:
            body = _text(make(), 3).encode("utf-8", "replace")
            found = _kept[key] = (body, f'"{sha256(body).hexdigest()[:32]}"')
        _kept.move_to_end(key)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
        return found


def _text(value: Any, levels: int) -> str:
    """As JSON, in pieces: one call for megabytes would keep the process from all else as long."""
    if levels and isinstance(value, dict):
        return (
            "{"
            + ",".join(f"{_text(name, 0)}:{_text(each, levels - 1)}" for name, each in value.items())
            + "}"
        )
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=1)
def gateway_document() -> dict[str, Any]:
    """The gateway's own part; nothing of it depends on who asks."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.loads(json.dumps(made, default=str))  # type: ignore[no-any-return]


def _gateway_alone() -> dict[str, Any]:
    return gateway_document()


def _whole(
    documents: UpstreamDocuments, snapshot: Snapshot, may: frozenset[str], service: str | None
) -> dict[str, Any]:
    described = [each for each in documents.described() if service in (None, each.service)]
    own = gateway_document()
    if service is not None:
        own = {**own, "paths": {}}
    made = merged(described, snapshot, lambda route: route.name in may)
    return {**made.into(own), "x-torana-services": [tag["name"] for tag in made.tags]}
