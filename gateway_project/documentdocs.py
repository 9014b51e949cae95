"""D: The shapes of the configuration document in the OpenAPI document, from the document's own schema."""

from typing import Any, Final

from routing.document.schema import json_schema

Json = dict[str, Any]
_HERE: Final = "#/$defs/"
_THERE: Final = "#/components/schemas/"


def schemas() -> dict[str, Json]:
    """Every part of the document, by the name of its class; the whole is DocumentSpec."""
    whole = json_schema()
    parts = whole.pop("$defs")
    for key in ("$schema", "$id"):
        del whole[key]
    found: dict[str, Json] = _moved({**parts, "DocumentSpec": whole})
    return found


def add(result: Json, generator: Any, request: Any, public: bool) -> Json:
    """A hook of drf-spectacular's: the document with these shapes."""
    del generator, request, public
    there = result["components"]["schemas"]
    result["components"]["schemas"] = dict(sorted({**schemas(), **there}.items()))
    return result


def _moved(node: Any) -> Any:
    """References lead to where the shapes are there."""
    if isinstance(node, list):
        return [_moved(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value.replace(_HERE, _THERE) if key == "$ref" and isinstance(value, str) else _moved(value)
        for key, value in node.items()
    }
