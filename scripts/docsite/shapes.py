"""P: JSON Schema in words: what kind of value it takes, how it is bounded, what it defaults to."""

from collections.abc import Callable, Iterator
from typing import Any

Json = dict[str, Any]
Link = Callable[[str], str]

# What patterns of the document's schema mean; a part of each is enough to know it.
KINDS = (
    ("(ms|s|m|h|d)$|^(day", "duration, `day` or `month`", "1m"),
    ("(ms|s|m|h|d)$", "duration", "30s"),
    ("[KMGkmg]", "size", "10MB"),
    ("[2-5][0-9][0-9]", "status", "404"),
    (r"\d{4}-\d\d", "date, or date and time (UTC)", "2030-01-31T12:00Z"),
    ("^(https?|unix)://", "URL (http, https or unix)", "http://127.0.0.1:8001"),
    ("^https?://", "URL", "https://login.example.com"),
    ("[A-Z0-9!#$%&'*+.^_`|~-]", "method", "GET"),
    ("{0,99}", "name", "orders"),
    ("^/[!-~]*", "path", "/orders"),
    ("^/|", "file's path", "/etc/torana/ca.pem"),
)
LARGEST = 2**63 - 1  # what a database can count to: no bound that anybody has in mind
WORDS = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "`true` or `false`",
    "null": "null",
}


def kind(schema: Json, link: Link) -> str:
    """What may stand there, such as ``list of [Target](#target)`` or ``integer, 1 to 512``."""
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return f"`{written(schema['const'])}`"
    return _either(list(_alternatives(schema, link)))


def _alternatives(schema: Json, link: Link) -> Iterator[str]:
    held = [each for key in ("anyOf", "oneOf", "allOf") for each in schema.get(key, ())]
    if "enum" in schema:
        yield from (f"`{written(value)}`" for value in schema["enum"])
    elif not held:
        yield _of_type(schema, link) if "$ref" not in schema else kind(schema, link)
    for each in held:
        if each.get("type") != "null":
            yield from _alternatives(each, link)


def _of_type(schema: Json, link: Link) -> str:
    named = schema.get("type")
    if isinstance(named, list):
        return _either([_of_type({**schema, "type": each}, link) for each in named if each != "null"])
    if named == "array":
        return f"list of {kind(schema.get('items', {}), link)}"
    if named == "object":
        return _mapping(schema, link)
    if named in ("integer", "number"):
        return f"{named}{_bounds(schema)}"
    pattern = schema.get("pattern", "")
    meant = next((word for part, word, _ in KINDS if part in pattern), None)
    return meant or schema.get("format", "").replace("-", " ") or WORDS.get(named or "", "any JSON")


def _mapping(schema: Json, link: Link) -> str:
    values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
    held = next((value for value in values if isinstance(value, dict) and value), None)
    if held:
        return f"mapping of names to {kind(held, link)}"
    keys = [f"{name}: {kind(value, link)}" for name, value in schema.get("properties", {}).items()]
    return "`{`" + ", ".join(keys) + "`}`" if keys else "mapping"


def _bounds(schema: Json) -> str:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    high = None if high == LARGEST else high
    above = "above" if "exclusiveMinimum" in schema else "from"
    said = [f"{above} {low}"] if low is not None else []
    said += [f"{'below' if 'exclusiveMaximum' in schema else 'to'} {high}"] if high is not None else []
    return ", " + " ".join(said) if said else ""


def _either(words: list[str]) -> str:
    found = [word for word in dict.fromkeys(words) if word]
    # A text that may also be `${VAR}` is said once, for all keys.
    if len(found) > 1 and "text" in found and any(word.startswith(("integer", "number")) for word in found):
        found.remove("text")
    return " or ".join(filter(None, (", ".join(found[:-1]), found[-1]))) if found else "any JSON"


def written(value: Any) -> str:
    """A value as it is written in YAML, in one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, str) and (value == "" or value[0] in "*&!%@`{[>|#" or ": " in value):
        return f'"{value}"'
    return str(value)


def example(schema: Json) -> Any:
    """A value that fits: a given one, another than the default, or what its kind suggests; None if there is none."""
    if given := schema.get("examples"):
        return given[0]
    for each in schema.get("anyOf", ()):
        if each.get("type") != "null" and (found := example(each)) is not None:
            return found
    if values := schema.get("enum"):
        return next((value for value in values if value != schema.get("default")), values[0])
    if "const" in schema:
        return schema["const"]
    return _example_of_type(schema)


def _example_of_type(schema: Json) -> Any:
    named = schema.get("type")
    if named == "boolean":
        return not schema.get("default", False)
    if named == "array":
        held = example(schema.get("items", {}))
        return None if held is None else [held]
    if named in ("integer", "number"):
        return schema.get("default") or schema.get("minimum") or None
    pattern = schema.get("pattern", "")
    return next((value for part, _, value in KINDS if part in pattern), None)
