"""P: Bodies made from a JSON schema by a random number generator: such as fit, and such as nearly do.

Strategies of Hypothesis take minutes for the schema of the whole configuration; this takes milliseconds. It leans on
the schema's examples, so that many bodies get as far as being published.
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from random import Random
from typing import Any, Final

Json = Any
WORDS: Final = (
    *("orders", "other", "a", "b-1", "GET", "POST", "x-tenant", "/orders", "/a/{id}", "/", "(a+)+", "[", "public"),
    *("250ms", "2s", "1h", "1d", "64KB", "10MB", "0s", "100%", "10.0.0.0/8", "::1/128", "https://app.example.com"),
    *("http://127.0.0.1:8001", "https://h:1/", "unix:///s", "*.example.com", "api.example.com", "application/json"),
    *("200", "404", "503", "2026-01-01T12:00:00Z", "tomorrow", "items[:20]", "foo(", "/image", "\\1", "é", " ", "ip"),
    *("generation.*", "pkg.Service", "orders.made", "consumer", "read", "path", "day", "user", "RS256"),
)  # fmt: skip
ODD: Final[tuple[Json, ...]] = (
    *(
        None,
        True,
        0,
        -1,
        1.5,
        10**9,
        2**63,
        10**30,
        1e300,
        "",
        " ",
        "\x00",
        "\ud800",
        "a" * 5000,
        "null",
        "🦔",
    ),
    *("${", "${NOT_THERE}", "${PORT:-8001}", "-0", "1e5"),
    *([], {}, [None], [[]], {"": None}, {"a": {"b": []}}, {"name": "orders"}),
)
DEEPEST: Final = 7
DESTINATIONS: Final = ("service", "backends", "redirect", "respond", "aggregate", "publish", "grpc")
_VARIABLE: Final = r"\$\{"


class Maker:
    """Makes values of schemas whose references lead to `shapes`, as `#/components/schemas/NAME`."""

    def __init__(self, shapes: Mapping[str, Any], rng: Random, *, is_plain: bool = False) -> None:
        """`is_plain`: nothing that is not required, so that it is very likely taken."""
        self.shapes, self.rng, self.is_plain = shapes, rng, is_plain

    def made(self, schema: Any, depth: int = 0) -> Json:
        """A value that fits, but for what people say in prose alone."""
        rng = self.rng
        if schema is True or not schema:
            return rng.choice(ODD)
        if "$ref" in schema:
            return self.made(self.shapes[schema["$ref"].rpartition("/")[2]], depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return rng.choice(schema["enum"])
        if "examples" in schema and rng.random() < 0.6:
            return deepcopy(rng.choice(schema["examples"]))
        if choices := schema.get("anyOf") or schema.get("oneOf"):
            some = [
                each for each in choices if each.get("type") != "null" and each.get("pattern") != _VARIABLE
            ]
            return self.made(rng.choice(some if some and rng.random() < 0.9 else choices), depth)
        return self._by_type(schema, depth)

    def entry(self, name: str) -> Json:
        """A body of this shape. A route has one destination, and its service is there; a provider has keys."""
        found = self.made(self.shapes[name])
        if name == "RouteSpec":
            one = self.rng.choice([each for each in DESTINATIONS if each in found] or ["service"])
            found = {key: value for key, value in found.items() if key == one or key not in DESTINATIONS}
            if one in ("service", "grpc"):
                found["service"] = "orders"
            found |= {"match": {"path": "/made"}} if self.is_plain else {}
        if name == "IdentityProviderSpec":
            found = {"jwks_url": "https://i.example/keys", **found}
        return found

    def spoiled(self, value: Json) -> Json:
        """The value, odd in one place."""
        rng = self.rng
        places = list(_places(value))
        if not places:
            return rng.choice(ODD)
        holder, key = rng.choice(places)
        if isinstance(holder, dict) and rng.random() < 0.2:
            holder[rng.choice(("", "nmae", "x" * 300, "\x00", "é"))] = rng.choice(ODD)
        else:
            holder[key] = deepcopy(rng.choice(ODD))
        return value

    def _by_type(self, schema: Mapping[str, Any], depth: int) -> Json:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kinds: dict[str, Callable[[], Json]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, depth),
            "string": lambda: self._string(schema),
            "integer": lambda: self._number(schema),
            "number": lambda: self._number(schema),
            "boolean": lambda: self.rng.random() < 0.5,
            "null": lambda: None,
        }
        return kinds[self.rng.choice(kind) if isinstance(kind, list) else kind]()

    def _object(self, schema: Mapping[str, Any], depth: int) -> Json:
        rng, required = self.rng, schema.get("required", ())
        likely = 0 if depth > DEEPEST or self.is_plain else 0.35 if depth else rng.choice((0.02, 0.08, 0.3))
        found = {
            name: self.made(part, depth + 1)
            for name, part in schema.get("properties", {}).items()
            if name in required or rng.random() < likely
        }
        more = schema.get("additionalProperties")
        patterns = {**schema.get("patternProperties", {}), **({"": more} if isinstance(more, dict) else {})}
        for pattern, part in patterns.items():
            for _ in range(rng.randrange(3) if depth <= DEEPEST else 0):
                found[self._word(pattern)] = self.made(part, depth + 1)
        return found

    def _array(self, schema: Mapping[str, Any], depth: int) -> Json:
        least = schema.get("minItems", 0)
        count = least if depth > DEEPEST else max(least, self.rng.choice((0, 1, 1, 2, 3)))
        return [self.made(schema.get("items", True), depth + 1) for _ in range(count)]

    def _string(self, schema: Mapping[str, Any]) -> str:
        word = self._word(schema.get("pattern", ""))
        return word[: schema.get("maxLength", len(word))]

    def _word(self, pattern: str) -> str:
        fitting = [word for word in WORDS if re.search(pattern, word)] if pattern else WORDS
        return self.rng.choice(fitting or WORDS)

    def _number(self, schema: Mapping[str, Any]) -> float:
        least = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        most = schema.get("maximum", schema.get("exclusiveMaximum", least + 10**6))
        usual = [each for each in (least, most, 1, 2, 5, 50, 200) if least <= each <= most]
        found: float = self.rng.choice(usual or [least])
        return found + 0.5 if schema["type"] == "number" and found + 0.5 <= most else found


def _places(value: Json) -> Any:
    """Every place in it: what holds it, and under which key or number."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in list(inside):
        yield value, key
        yield from _places(each)
