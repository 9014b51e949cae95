"""P: OpenAPI 3.0 and 3.1 documents: their operations, with local references followed. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from routing.foreign import Notes, NotReadable

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_DEEPEST: Final = 20
Raw = Mapping[str, Any]


class NotOpenApi(NotReadable):
    """The document cannot be read as OpenAPI 3; str() says why."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. `parameters` by place and name, the operation's own before those of its path."""

    path: str
    method: str
    id: str
    parameters: Mapping[tuple[str, str], Raw] = field(default_factory=dict)
    body: Raw | None = None
    security: list[Any] | None = None
    """None: nothing is said, there or for all."""

    @property
    def place(self) -> str:
        return f"{self.method.upper()} {self.path}"


class Source:
    """A document that was read."""

    def __init__(self, raw: object, notes: Notes) -> None:
        if not isinstance(raw, Mapping):
            raise NotOpenApi("it is not a mapping")
        version = str(raw.get("openapi", ""))
        if raw.get("swagger") is not None:
            raise NotOpenApi("it is Swagger 2.0; convert it to OpenAPI 3 first")
        if not version.startswith(("3.0", "3.1")):
            raise NotOpenApi("it does not say openapi: 3.0 or 3.1")
        self.raw: Raw = raw
        self.is_31 = version.startswith("3.1")
        self.notes = notes

    def operations(self) -> Iterator[Operation]:
        """In the document's order."""
        paths = self.raw.get("paths")
        for path, written in paths.items() if isinstance(paths, Mapping) else ():
            item = self.resolved(written, path)
            if item is None:
                continue
            if not str(path).startswith("/"):
                self.notes.add(str(path)[:100], "it does not begin with /; it is left out")
                continue
            for method in METHODS:
                operation = item.get(method)
                if isinstance(operation, Mapping):
                    yield self._operation(str(path), method, item, operation)

    def _operation(self, path: str, method: str, item: Raw, operation: Raw) -> Operation:
        place = f"{method.upper()} {path}"
        parameters: dict[tuple[str, str], Raw] = {}
        for listed in (item.get("parameters"), operation.get("parameters")):
            for written in listed if isinstance(listed, list) else ():
                parameter = self.resolved(written, place)
                if parameter is not None:
                    parameters[str(parameter.get("in")), str(parameter.get("name"))] = parameter
        body = operation.get("requestBody")
        security = operation.get("security", self.raw.get("security"))
        if operation.get("callbacks"):
            self.notes.add(place, "callbacks are not carried over")
        if operation.get("servers") or item.get("servers"):
            self.notes.add(place, "servers of its own are not carried over: it is led to the document's")
        return Operation(
            path,
            method,
            str(operation.get("operationId") or ""),
            parameters,
            None if body is None else self.resolved(body, place),
            security if isinstance(security, list) else None,
        )

    def server(self) -> str | None:
        """The URL of the first server, with the defaults of its variables."""
        servers = self.raw.get("servers")
        first = (
            servers[0] if isinstance(servers, list) and servers and isinstance(servers[0], Mapping) else {}
        )
        url = first.get("url")
        if not isinstance(url, str):
            return None
        variables = first.get("variables")
        for name, variable in variables.items() if isinstance(variables, Mapping) else ():
            if isinstance(variable, Mapping):
                url = url.replace(f"{{{name}}}", str(variable.get("default", "")))
        return url

    def resolved(self, written: object, place: str) -> Raw | None:
        """What a reference leads to; None, with a note, for what is not in the document."""
        for _ in range(_DEEPEST):
            if not isinstance(written, Mapping):
                return None
            reference = written.get("$ref")
            if not isinstance(reference, str):
                return written
            written = self.target(reference)
            if written is None:
                self.notes.add(place, f'"{reference[:100]}" leads out of the document, or nowhere')
        return None

    def target(self, reference: str) -> Any:
        """The value at a local reference; None for any other."""
        if not reference.startswith("#/"):
            return None
        found: Any = self.raw
        for step in reference[2:].split("/"):
            if not isinstance(found, Mapping):
                return None
            found = found.get(step.replace("~1", "/").replace("~0", "~"))
        return found
