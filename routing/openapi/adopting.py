"""P: Parts of an upstream's document as parts of the gateway's: names of components prefixed, 3.0 said as 3.1 says it.

Only what operations refer to is taken over, so that nobody sees components of operations that are not shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.foreign import Notes
from routing.openapi.reading import Source

Json = dict[str, Any]
_MAPS: Final = frozenset({
    "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "responses", "headers", "content",
    "encoding", "links",
})  # fmt: skip
"""Their keys are names, not keywords."""
_DATA: Final = frozenset({"default", "example", "enum", "const", "value"})
"""What is in them is data, whatever it looks like."""
_LEFT_OUT: Final = frozenset(
    {"callbacks", "server", "servers", "$id", "$schema", "$dynamicRef", "$dynamicAnchor", "$anchor"}
)
_KINDS: Final = frozenset(
    {"schemas", "responses", "parameters", "examples", "requestBodies", "headers", "links"}
)


class Adopter:
    """Takes parts of one service's document over; `components` are those that were referred to, by kind and name."""

    def __init__(self, source: Source, prefix: str, notes: Notes) -> None:
        self._source = source
        self._prefix = prefix
        self._notes = notes
        self._waiting: list[tuple[str, str]] = []
        self.components: dict[str, Json] = {}

    def adopted(self, written: Any, place: str) -> Any:
        """A part with all its references leading to prefixed components, which are taken over with it."""
        made = self._value(written, place)
        while self._waiting:
            kind, name = self._waiting.pop()
            found = self._source.target(f"#/components/{kind}/{_escaped(name)}")
            here = f"components.{kind}.{name}"
            self.components[kind][self._name(name)] = self._value(found, here)
        return made

    def _value(self, written: Any, place: str) -> Any:
        if isinstance(written, list):
            return [self._value(each, place) for each in written]
        if not isinstance(written, Mapping):
            return written
        if isinstance(reference := written.get("$ref"), str):
            return self._referring(reference, written, place)
        made: Json = {}
        for name, value in written.items():
            if name in _LEFT_OUT:
                continue
            made[name] = self._keyword(name, value, place)
        return made if self._source.is_31 else _as_31(made)

    def _keyword(self, name: str, value: Any, place: str) -> Any:
        if name in _DATA or name.startswith("x-"):
            return value
        if name in _MAPS and isinstance(value, Mapping):
            return {key: self._value(each, place) for key, each in value.items()}
        if name == "examples":
            return self._examples(value, place)
        if name == "discriminator" and isinstance(value, Mapping):
            return self._discriminator(value, place)
        return self._value(value, place)

    def _examples(self, value: Any, place: str) -> Any:
        """A schema lists values; elsewhere there are examples by name, which may refer to others."""
        if not isinstance(value, Mapping):
            return value
        return {key: self._value(each, place) for key, each in value.items()}

    def _discriminator(self, value: Mapping[str, Any], place: str) -> Json:
        mapping = value.get("mapping")
        if not isinstance(mapping, Mapping):
            return dict(value)
        made = {}
        for word, target in mapping.items():
            reference = target if "/" in str(target) else f"#/components/schemas/{target}"
            made[word] = self._reference(str(reference), place) or "#/components/schemas/missing"
        return {**value, "mapping": made}

    def _referring(self, reference: str, written: Mapping[str, Any], place: str) -> Json:
        found = self._reference(reference, place)
        if found is None:
            return {"description": "What stands here is not in the service's document."}
        beside = {key: value for key, value in written.items() if key in ("summary", "description")}
        return {"$ref": found, **beside}

    def _reference(self, reference: str, place: str) -> str | None:
        """Where it leads now; None, with a note, for what is nowhere or elsewhere."""
        steps = reference.split("/")
        is_ours = steps[:2] == ["#", "components"] and len(steps) > 3 and steps[2] in _KINDS
        if not is_ours or self._source.target(reference) is None:
            self._notes.add(place, f'"{reference[:100]}" leads out of the document, or nowhere')
            return None
        kind, name = steps[2], steps[3].replace("~1", "/").replace("~0", "~")
        kept = self.components.setdefault(kind, {})
        if self._name(name) not in kept:
            kept[self._name(name)] = {}
            self._waiting.append((kind, name))
        return "/".join(["#", "components", kind, self._name(name), *steps[4:]])

    def _name(self, name: str) -> str:
        return f"{self._prefix}.{plain(name)}"


def plain(name: str) -> str:
    """As names of components may be; what they may not have is spelt by its number, so that two names stay two."""
    return "".join(
        each if (each.isascii() and each.isalnum()) or each in "._" else f"-{ord(each):x}-" for each in name
    )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _as_31(made: Json) -> Json:
    """What 3.0 says of a schema in its own way."""
    for bound, key in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(bound), bool) and made.pop(bound) and key in made:
            made[bound] = made.pop(key)
    if made.get("nullable") is True:
        del made["nullable"]
        if isinstance(kind := made.get("type"), str):
            made["type"] = [kind, "null"]
            if isinstance(made.get("enum"), list):
                made["enum"] = [*made["enum"], None]
        elif {"allOf", "anyOf", "oneOf"} & made.keys():
            return {"anyOf": [made, {"type": "null"}]}
    elif made.get("nullable") is False:
        del made["nullable"]
    return made
