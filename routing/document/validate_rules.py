"""P: What `validate` of a route must be: schemas that compile, pointers that lead somewhere."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.document.findings import Finding, Location, repeated
from routing.jsonschemas import SchemaFault, compile_schema
from routing.pointers import parse
from routing.problems import quote

Raw = Mapping[str, Any]
_SCHEMAS: Final = ("body_schema", "query_schema")
_HERE: Final = "validate"


def check_validate(_raw: Raw, part: Any) -> Iterator[Finding]:
    """Reads raw values; wrong types are reported elsewhere."""
    if not isinstance(part, dict):
        return
    for name in _SCHEMAS:
        if isinstance(part.get(name), dict):
            yield from _schema(part[name], (_HERE, name))
    yield from repeated(part.get("content_types"), (_HERE, "content_types"))
    upload = part.get("upload")
    if isinstance(upload, dict):
        yield from repeated(upload.get("types"), (_HERE, "upload", "types"))
    yield from _data_urls(part)


def _schema(schema: Raw, location: Location) -> Iterator[Finding]:
    compiled = compile_schema(schema)
    if isinstance(compiled, SchemaFault):
        yield Finding("gateway.E041", (*location, *compiled.location), compiled.message)


def _data_urls(part: Raw) -> Iterator[Finding]:
    pointers = part.get("data_urls")
    if not isinstance(pointers, list) or not pointers:
        return
    location = (_HERE, "data_urls")
    for index, text in enumerate(pointers):
        if isinstance(text, str) and parse(text) is None:
            message = f"{quote(text)} is not a JSON pointer such as /image or /images/*/url"
            yield Finding("gateway.E042", (*location, index), message, text)
    yield from repeated(pointers, location)
    if not part.get("upload"):
        yield Finding("gateway.E036", location, "needs validate.upload, whose rules it goes by")
