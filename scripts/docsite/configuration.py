"""P: The reference of the configuration document, from its JSON Schema and the documents of the examples."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from scripts.docsite.shapes import Json, example, kind, written

LONGEST_EXAMPLE = 100  # characters
TITLES = {
    **{name.capitalize(): name for name in ("IP", "TLS", "CORS", "SLO")},
    "Grpc": "gRPC",
    "Header ops": "Header fields",
    "Web socket": "WebSocket",
}
HEAD = """\
# Configuration reference

Every key of the configuration document, generated from the schema that `gateway schema` prints; editors that know JSON
Schema show the same texts. Whole documents to start from are among the [examples](../examples.md).

**Durations** are `250ms`, `2s`, `5m`, `1h` or `1d`; **sizes** are `512B`, `64KB` or `10MB`. `${VAR}` and
`${VAR:-default}` stand for the environment and are filled in when a worker compiles. Unknown keys are errors. A key
without a default may be left out unless it says *required*.
"""


class Reference:
    """The parts of a schema, in the order in which the document reaches them."""

    def __init__(self, schema: Json, documents: Iterable[Json] = ()) -> None:
        self._parts: dict[str, Json] = schema["$defs"]
        self._root = schema
        self._seen: dict[tuple[str, str], Any] = {}
        self.places: dict[str, list[str]] = {}
        self._place(schema, "")
        for document in documents:
            self._gather(schema, "", document)

    def text(self) -> str:
        """The page, in Markdown."""
        whole = self._part("", "The document", self._root)
        return "\n".join(
            [HEAD, whole, *(self._part(name, self._title(name), self._parts[name]) for name in self.places)]
        )

    def anchors(self) -> dict[str, str]:
        """Where each part is on the page, by its name; the whole is DocumentSpec."""
        return {"DocumentSpec": self._anchor(""), **{name: self._anchor(name) for name in self.places}}

    def entries(self) -> Iterator[tuple[str, str, Json]]:
        """(part, key, schema) of every key."""
        for part in ("", *self.places):
            for name, schema in self._keys_of(self._parts[part] if part else self._root).items():
                yield part, name, schema

    def example_of(self, part: str, name: str, schema: Json) -> str:
        """What might be written there, from an example system if one has it; may be empty for sections."""
        found = self._seen.get((part, name))
        if found is None:
            found = example(schema)
        return "" if found is None or found == "" else f"{name}: {written(found)}"

    def _part(self, name: str, title: str, schema: Json) -> str:
        lines = [f"## {title} {{ #{self._anchor(name)} }}", "", schema.get("description", ""), ""]
        if places := self.places.get(name):
            lines += [f"*Where:* {', '.join(f'`{place}`' for place in places)}", ""]
        if (beside := schema.get("additionalProperties")) and isinstance(beside, dict):
            lines += [f"Any other key is a name, with {kind(beside, self._link)}.", ""]
        required = set(schema.get("required", ()))
        for key, below in self._keys_of(schema).items():
            lines += self._key(name, key, below, key in required)
        return "\n".join(lines)

    def _key(self, part: str, key: str, schema: Json, is_required: bool) -> list[str]:
        facts = [kind(schema, self._link)]
        if is_required:
            facts.append("**required**")
        elif "default" in schema and schema["default"] not in ([], {}):
            facts.append(f"default `{written(schema['default'])}`")
        lines = [f"`{key}`{{ #{self._anchor(part)}--{key} .key }} — {'; '.join(facts)}", ""]
        text = self.example_of(part, key, schema)
        shown = f"<br>Example: `{text}`" if text else ""
        return [*lines[:1], f":   {schema.get('description', '')}{shown}", ""]

    def _keys_of(self, schema: Json) -> dict[str, Json]:
        for each in (schema, *schema.get("anyOf", ())):
            if "properties" in each:
                found: dict[str, Json] = each["properties"]
                return found
        return {}

    def _place(self, schema: Json, place: str) -> None:
        for name, below in self._keys_of(schema).items():
            for part, suffix in _references(below):
                where = f"{place}.{name}{suffix}".removeprefix(".")
                known = self.places.setdefault(part, [])
                if place.startswith("defaults"):
                    continue
                known.append(where)
                if len(known) == 1:
                    self._place(self._parts[part], where)
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            for part, _ in _references(extra):
                self.places.setdefault(part, []).append(f"{place}.NAME")

    def _gather(self, schema: Json, part: str, value: Any) -> None:
        if not isinstance(value, dict):
            return
        for name, below in self._keys_of(schema).items():
            if name not in value:
                continue
            text = written(value[name])
            if len(text) <= LONGEST_EXAMPLE and "\n" not in text and "`" not in text:
                self._seen.setdefault((part, name), value[name])
            for reference, _ in _references(below):
                held = value[name]
                items = (
                    held
                    if isinstance(held, list)
                    else list(held.values())
                    if _is_map(below, held)
                    else [held]
                )
                for each in items:
                    self._gather(self._parts[reference], reference, each)

    def _title(self, name: str) -> str:
        title = str(self._parts[name].get("title") or name)
        title = TITLES.get(title, title)
        same = sum(part.get("title") == self._parts[name].get("title") for part in self._parts.values())
        return title if same == 1 else f"{title} ({self.places[name][0].split('.')[0].removesuffix('[]')})"

    def _anchor(self, name: str) -> str:
        title = self._title(name) if name else "document"
        return re.sub(r"\W+", "-", title.lower()).strip("-")

    def _link(self, name: str) -> str:
        return f"[{self._title(name)}](#{self._anchor(name)})"


def _references(schema: Any, suffix: str = "") -> Iterator[tuple[str, str]]:
    """(part, what follows the key's name) of each part that a key's value is made of."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield schema["$ref"].rpartition("/")[2], suffix
    for each in schema.get("anyOf", ()):
        yield from _references(each, suffix)
    yield from _references(schema.get("items"), f"{suffix}[]")
    for each in (schema.get("additionalProperties"), *schema.get("patternProperties", {}).values()):
        yield from _references(each, f"{suffix}.NAME")


def _is_map(schema: Json, value: Any) -> bool:
    return isinstance(value, dict) and "additionalProperties" in schema and "properties" not in schema
