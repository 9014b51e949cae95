"""P: What a request's body and query must look like (`validate`), compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from routing.explanation import PolicyNote
from routing.jsonschemas import SchemaFault, Validator, compile_schema
from routing.mediatypes import ANY_TYPE, MediaTypes, is_json
from routing.pointers import Pointer, parse
from routing.problems import ConfigurationInvalid, Problem, format_path
from routing.shapes.queries import NO_SHAPE, QueryShape, query_shape_of

if TYPE_CHECKING:
    from routing.document.access import ValidateSpec
    from routing.document.routes import RouteSpec

MB: Final = 1 << 20
MOST_BODY: Final = MB
"""Of a body that has to be in memory to be judged, where the route says nothing else. What `data_urls` may hold comes
on top."""
MULTIPART: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class UploadRules:
    """Which files a request may carry. Sizes in bytes; None: any."""

    types: MediaTypes = ANY_TYPE
    max_file: int | None = None
    max_total: int | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """A route's rules. What is None or empty is not judged."""

    content_types: MediaTypes = ANY_TYPE
    body: Validator | None = None
    body_required: bool = True
    query: Validator | None = None
    query_shape: QueryShape = NO_SHAPE
    upload: UploadRules | None = None
    data_urls: tuple[Pointer, ...] = ()
    max_body: int = MOST_BODY
    """Of bodies that are read whole."""
    is_enforced: bool = True

    @property
    def judges_body(self) -> bool:
        """Whether anything of a body is looked at but its type."""
        return self.reads_json or self.upload is not None

    @property
    def reads_json(self) -> bool:
        return self.body is not None or bool(self.data_urls)

    @property
    def accepted(self) -> tuple[str, ...]:
        """The media types that a body may have, for people and for `Accept`; empty: any."""
        if self.content_types:
            return self.content_types.listed
        json = ("application/json", "application/*+json") if self.reads_json else ()
        return json + ((MULTIPART,) if self.upload is not None else ())

    def is_file(self, media_type: str) -> bool:
        """Whether a body of this type is one file, on a route that takes JSON too."""
        upload = self.upload
        return (
            upload is not None
            and bool(upload.types)
            and not is_json(media_type)
            and upload.types.takes(media_type)
        )

    def takes(self, media_type: str) -> bool:
        """Whether a body of this type may come at all."""
        if self.content_types:
            return self.content_types.takes(media_type)
        if not self.judges_body:
            return True
        return (self.reads_json and is_json(media_type)) or (
            self.upload is not None and media_type == MULTIPART
        )


def validation_of(spec: RouteSpec) -> Validation | None:
    """The rules of a route; None where it has none. Raises ConfigurationInvalid for a schema that is none."""
    part = spec.validate_
    if part is None:
        return None
    upload = _upload(part)
    found = Validation(
        content_types=MediaTypes(part.content_types),
        body=_compiled(part.body_schema, spec.name, "body_schema"),
        body_required=part.body_required,
        query=_compiled(part.query_schema, spec.name, "query_schema"),
        query_shape=query_shape_of(part.query_schema or {}),
        upload=upload,
        data_urls=tuple(pointer for text in part.data_urls if (pointer := parse(text)) is not None),
        max_body=_most(spec, upload if part.data_urls else None),
        is_enforced=part.mode == "enforce",
    )
    if not (found.content_types or found.query is not None or found.judges_body):
        return None
    return found


def validation_note(rules: Validation | None, source: str) -> Iterator[PolicyNote]:
    """What is judged; the body is not there to be judged itself."""
    if rules is None:
        return
    judged = {
        "body_schema": rules.body is not None,
        "query_schema": rules.query is not None,
        "upload": rules.upload is not None,
        "data_urls": bool(rules.data_urls),
    }
    details = {
        "content_types": list(rules.accepted) or None,
        "judges": [name for name, is_judged in judged.items() if is_judged],
        "max_body": rules.max_body if rules.reads_json else None,
        "mode": "enforce" if rules.is_enforced else "log",
    }
    yield PolicyNote("validate", source, "applies", details)


def _upload(part: ValidateSpec) -> UploadRules | None:
    spec = part.upload
    if spec is None or not (spec.types or spec.max_file is not None or spec.max_total is not None):
        return None
    return UploadRules(MediaTypes(spec.types), spec.max_file, spec.max_total)


def _most(spec: RouteSpec, upload: UploadRules | None) -> int:
    """Base64 makes three bytes four."""
    if spec.limits is not None and spec.limits.max_body is not None:
        return spec.limits.max_body
    if upload is None:
        return MOST_BODY
    return MOST_BODY + (upload.max_total or upload.max_file or 0) // 3 * 4


def _compiled(schema: dict[str, Any] | None, route: str, key: str) -> Validator | None:
    if schema is None:
        return None
    compiled = compile_schema(schema)
    if isinstance(compiled, SchemaFault):
        place = format_path((f"routes[{route}]", "validate", key, *compiled.location))
        raise ConfigurationInvalid([Problem("gateway.E041", place, compiled.message)])
    return compiled
