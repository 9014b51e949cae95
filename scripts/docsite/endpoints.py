"""P: The reference of the gateway's own HTTP API, from its OpenAPI document."""

import re
from typing import Any

from scripts.docsite.shapes import Json, kind, written

HEAD = """\
# API reference: {title}

Generated from the OpenAPI document that a gateway serves at `/docs/openapi.json`; `/docs` is a page to try it on.
Refusals have the [error envelope](../errors.md).
"""
# Pages by the tags of operations.
PAGES = {
    "sign-in": ("accounts and sign-in", ("Sign-in", "Account", "Keys")),
    "builtin": ("health, events and discovery", ("Health", "Events", "Discovery")),
    "configuration": ("configuration", ("Configuration", "Revisions")),
    "control": ("control", ("Control", "Access")),
}
CONFIGURATION = "configuration.md"
SCHEMES = {"bearer": "bearer token", "apiKey": "API key", "session": "session cookie"}
DEEPEST = 3  # levels of sections within a body


class Endpoints:
    """An OpenAPI document, as pages."""

    def __init__(self, document: Json, sections: dict[str, str]) -> None:
        """`sections` leads from names of the configuration's parts to anchors of their reference."""
        self._document = document
        self._parts: dict[str, Json] = document["components"]["schemas"]
        self._sections = sections

    def tags(self) -> set[str]:
        """The tags that there are."""
        return {
            tag for path in self._document["paths"].values() for each in path.values() for tag in each["tags"]
        }

    def page(self, name: str) -> str:
        """One of PAGES, in Markdown."""
        title, tags = PAGES[name]
        lines = [HEAD.format(title=title)]
        for tag in tags:
            lines += [f"## {tag}", ""]
            for path, methods in self._document["paths"].items():
                for method, operation in methods.items():
                    if tag in operation["tags"]:
                        lines += self._operation(method.upper(), path, operation)
        return "\n".join(lines)

    def _operation(self, method: str, path: str, operation: Json) -> list[str]:
        anchor = re.sub(r"(?<=\w)([A-Z])", r"-\1", operation["operationId"]).lower()
        lines = [
            f"### {operation.get('summary', path)} {{ #{anchor} }}",
            "",
            f"```http\n{method} {path}\n```",
            "",
        ]
        lines += [_prose(operation.get("description", "")), "", f"*Who:* {_who(operation)}", ""]
        parameters = [self._parameter(each) for each in operation.get("parameters", ())]
        lines += ["**Parameters**", "", *parameters, ""] if parameters else []
        if body := operation.get("requestBody"):
            lines += ["**Body**", "", *self._body(body["content"])]
        lines += ["**Answers**", "", "| status | body | meaning |", "| --- | --- | --- |"]
        for status, answer in operation["responses"].items():
            content = answer.get("content", {})
            meaning = _prose(answer.get("description", "")).replace("|", "\\|")
            lines.append(f"| {status} | {self._short(content)} | {meaning} |")
        lines += ["", *self._success(operation["responses"])]
        return lines

    def _parameter(self, parameter: Json) -> str:
        need = "; **required**" if parameter.get("required") else ""
        said = _prose(parameter.get("description", ""))
        kinds = kind(parameter.get("schema", {}), self._link)
        return f"- `{parameter['name']}` ({parameter['in']}) — {kinds}{need}{': ' + said if said else ''}"

    def _success(self, responses: Json) -> list[str]:
        for status, answer in responses.items():
            content = answer.get("content", {}).get("application/json")
            if status.startswith("2") and content:
                listed = self._fields(content.get("schema", {}), 0)
                return (
                    ['??? note "Fields of the answer"', "", *(f"    {line}" for line in listed), ""]
                    if listed
                    else []
                )
        return []

    def _body(self, content: Json) -> list[str]:
        lines = [f"As {', '.join(f'`{name}`' for name in content)}.", ""]
        schema = next(iter(content.values())).get("schema", {})
        return [*lines, *(self._fields(schema, 0) or [kind(schema, self._link) + "."]), ""]

    def _short(self, content: Json) -> str:
        if not content:
            return "none"
        name, first = next(iter(content.items()))
        if name != "application/json":
            return f"`{name}`"
        return kind(first.get("schema", {}), self._link)

    def _fields(self, schema: Json, depth: int) -> list[str]:
        """A list with an item for each field, and those below it."""
        schema = self._resolved(schema)
        if schema.get("type") == "array":
            return self._fields(schema.get("items", {}), depth)
        lines = []
        for name, below in schema.get("properties", {}).items():
            need = "; **required**" if name in schema.get("required", ()) else ""
            said = _prose(below.get("description", ""))
            default = f"; default `{written(below['default'])}`" if "default" in below else ""
            lines.append(
                f"{'    ' * depth}- `{name}` — {kind(below, self._link)}{default}{need}{': ' + said if said else ''}"
            )
            if depth + 1 < DEEPEST and not self._is_configuration(below):
                lines += self._fields(below, depth + 1)
        return lines

    def _resolved(self, schema: Json) -> Json:
        seen = 0
        while seen < 5:
            seen += 1
            if "$ref" in schema:
                name = schema["$ref"].rpartition("/")[2]
                if name in self._sections:
                    return {}
                schema = self._parts[name]
            elif len(held := [each for each in schema.get("allOf", schema.get("anyOf", ()))]) == 1:
                schema = held[0]
            else:
                break
        return schema

    def _is_configuration(self, schema: Json) -> bool:
        return schema.get("$ref", "").rpartition("/")[2] in self._sections

    def _link(self, name: str) -> str:
        if (anchor := self._sections.get(name)) is not None:
            return f"[{_title(name)}]({CONFIGURATION}#{anchor})"
        if name == "ErrorEnvelope":
            return "[error](../errors.md)"
        part = self._parts.get(name, {})
        if "enum" in part:
            return kind(part, self._link)
        return "a mapping" if part.get("type") == "object" else "JSON"


def _title(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda m: f" {m[1].lower()}", name.removesuffix("Spec"))


def _who(operation: Json) -> str:
    schemes = [name for each in operation.get("security", [{}]) for name in (each or {"": 0})]
    said = [SCHEMES.get(name, name) for name in schemes if name]
    return f"{'anybody, or ' if '' in schemes and said else ''}{', '.join(said)}" if said else "anybody"


def _prose(said: Any) -> str:
    return " ".join(str(said).split()).replace("{", "&#123;").replace("<", "&lt;")
