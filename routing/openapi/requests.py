"""P: What an OpenAPI operation says of its requests, as `validate` and `require_headers` of a route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from routing.document.wire import is_token
from routing.jsonschemas import SchemaFault, compile_schema
from routing.mediatypes import is_json
from routing.openapi.reading import Operation, Raw, Source
from routing.openapi.schemas import Bundler

_MULTIPART: Final = "multipart/form-data"
_MEDIA_TYPE: Final = re.compile(r"[!#$&^_.+a-z0-9-]{1,127}/(?:[!#$&^_.+a-z0-9-]{1,127}|\*)")
_OWN_HEADERS: Final = frozenset({"accept", "content-type", "authorization"})
"""OpenAPI has these said elsewhere."""
_VALUE: Final = re.compile(r"[!-~](?:[\t -~]*[!-~])?")


def validate_of(operation: Operation, source: Source) -> dict[str, Any]:
    """`validate`; empty where nothing is to be judged."""
    found: dict[str, Any] = {}
    if (query := _query(operation, source)) is not None:
        found["query_schema"] = query
    if operation.body is not None:
        found |= _body(operation, operation.body, source)
    return found


def required_headers_of(operation: Operation, source: Source) -> dict[str, Any]:
    """`require_headers` for the header fields that must be there."""
    found: dict[str, Any] = {}
    for (where, name), parameter in operation.parameters.items():
        if where == "cookie":
            source.notes.add(operation.place, f"cookie {name[:60]} is not checked")
        if where != "header" or name.lower() in _OWN_HEADERS or not is_token(name):
            continue
        if parameter.get("required") is not True:
            source.notes.add(operation.place, f"header {name[:60]} may be missing, so it is not checked")
            continue
        schema = source.resolved(parameter.get("schema"), operation.place) or {}
        values = schema.get("enum")
        texts = [str(value) for value in values] if isinstance(values, list) else []
        if texts and all(_VALUE.fullmatch(text) for text in texts):
            found[name.lower()] = {"one_of": texts}
            continue
        found[name.lower()] = {}
        if schema.get("pattern") or schema.get("type") not in (None, "string"):
            source.notes.add(operation.place, f"header {name[:60]} must be there; its value is not checked")
    return found


def _query(operation: Operation, source: Source) -> dict[str, Any] | None:
    bundler = Bundler(source, operation.place)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for (where, name), parameter in operation.parameters.items():
        if where == "path" and _says_more(parameter, source):
            source.notes.add(operation.place, f"path parameter {name[:60]} may be any text")
        if where != "query":
            continue
        if parameter.get("required") is True:
            required.append(name)
        if (reason := _unreadable(parameter, source)) is not None:
            source.notes.add(operation.place, f"query parameter {name[:60]} is not checked: {reason}")
            properties[name] = {}
        else:
            properties[name] = bundler.converted(parameter.get("schema"))
    if not properties:
        return None
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    bundled = bundler.bundled({}) or {}
    return _usable({**schema, **({"required": required} if required else {}), **bundled}, operation, source)


def _says_more(parameter: Raw, source: Source) -> bool:
    schema = source.resolved(parameter.get("schema"), "") or {}
    return bool(set(schema) - {"type", "title", "description", "example", "examples", "default"}) or (
        schema.get("type") not in (None, "string")
    )


def _unreadable(parameter: Raw, source: Source) -> str | None:
    if parameter.get("content") is not None:
        return "it has a media type of its own"
    style, explode = parameter.get("style", "form"), parameter.get("explode", True)
    schema = source.resolved(parameter.get("schema"), "") or {}
    if schema.get("type") == "object":
        return "it is an object"
    if style != "form" or (explode is False and schema.get("type") == "array"):
        return f"style {str(style)[:30]}{', not exploded' if explode is False else ''}"
    return None


def _body(operation: Operation, body: Raw, source: Source) -> dict[str, Any]:
    content = body.get("content")
    types = {
        str(name).partition(";")[0].strip().lower(): media
        for name, media in (content.items() if isinstance(content, Mapping) else ())
        if isinstance(media, Mapping)
    }
    if not types or "*/*" in types:
        return {}
    found: dict[str, Any] = {"content_types": [name for name in types if _MEDIA_TYPE.fullmatch(name)]}
    upload = _upload(types[_MULTIPART], source, operation) if _MULTIPART in types else None
    if upload is not None:
        found["upload"] = {"types": upload}
    elif _MULTIPART in types:
        source.notes.add(operation.place, "the parts of its form are not checked")
    schema = _json_schema(operation, types, source, has_upload=upload is not None)
    if schema is not None:
        found["body_schema"] = schema
    if body.get("required") is not True and (schema is not None or upload is not None):
        found["body_required"] = False
    return found


def _json_schema(
    operation: Operation, types: Mapping[str, Raw], source: Source, *, has_upload: bool
) -> dict[str, Any] | None:
    """Of bodies in JSON, where no other kind of body would have to pass as such."""
    schemas = [media.get("schema") for name, media in types.items() if is_json(name)]
    others = [name for name in types if not is_json(name) and not (has_upload and name == _MULTIPART)]
    if not schemas:
        if any(media.get("schema") for name, media in types.items() if name != _MULTIPART):
            source.notes.add(operation.place, "only the media type of its body is checked: it is not JSON")
        return None
    if others or any(schema != schemas[0] for schema in schemas):
        source.notes.add(
            operation.place, "only the media type of its body is checked: it may be of several kinds"
        )
        return None
    bundled = Bundler(source, operation.place).bundled(schemas[0])
    return None if bundled is None else _usable(bundled, operation, source)


def _upload(media: Raw, source: Source, operation: Operation) -> list[str] | None:
    """The types of files, where the form names them for each file."""
    schema = source.resolved(media.get("schema"), operation.place) or {}
    properties, encoding = schema.get("properties"), media.get("encoding")
    types: list[str] = []
    for name, written in properties.items() if isinstance(properties, Mapping) else ():
        if not _is_file(source.resolved(written, operation.place) or {}, source):
            continue
        said = encoding.get(name) if isinstance(encoding, Mapping) else None
        listed = str(said.get("contentType", "")) if isinstance(said, Mapping) else ""
        found = [each.partition(";")[0].strip().lower() for each in listed.split(",")]
        if not all(_MEDIA_TYPE.fullmatch(each) for each in found):
            return None
        types += found
    return list(dict.fromkeys(types)) or None


def _is_file(schema: Raw, source: Source) -> bool:
    if schema.get("type") == "array":
        schema = source.resolved(schema.get("items"), "") or {}
    return schema.get("format") == "binary" or "contentMediaType" in schema


def _usable(schema: dict[str, Any], operation: Operation, source: Source) -> dict[str, Any] | None:
    compiled = compile_schema(schema)
    if isinstance(compiled, SchemaFault):
        where = "/".join(map(str, compiled.location))
        source.notes.add(
            operation.place, f"its schema is left out: {where} {compiled.message}".replace("  ", " ")
        )
        return None
    return schema
