"""P: Which requests a location takes: paths, and the order in which nginx asks them.

`=` comes first, then the longest prefix if it has `^~`, then regular expressions as they are written, then the longest
prefix (https://nginx.org/en/docs/http/ngx_http_core_module.html#location). Ours ask prefixes before expressions, so
locations get a priority where there are expressions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from routing.foreign import Notes, named_groups
from routing.nginx.directives import Directive

_EXACT, _STRONG, _REGEX = 3000, 2000, 1000
TIER: Final = 10_000
"""Between servers: what a host name decides comes before what a path decides."""


@dataclass(frozen=True, slots=True)
class Location:
    """`location MODIFIER PATH`, with the blocks around it from the inside out."""

    modifier: str
    path: str
    directive: Directive
    around: tuple[Directive, ...] = field(repr=False)

    @property
    def place(self) -> str:
        return self.directive.place

    @property
    def is_regex(self) -> bool:
        return self.modifier in ("~", "~*")

    @property
    def outer(self) -> list[tuple[str, str]]:
        """Modifier and path of the locations around it."""
        return [_head(block) for block in self.around if block.name == "location"]

    def find(self, name: str) -> list[Directive]:
        """The directives of this name that are in force: a block that has some forgets those around it."""
        for block in (self.directive, *self.around):
            if found := list(block.all(name)):
                return found
        return []

    def one(self, name: str) -> tuple[str, ...] | None:
        found = self.find(name)
        return found[-1].args if found else None

    def zone_key(self, zone: str) -> str:
        """What limit_conn counts by; empty: there is no such zone."""
        for each in self.around[-1].all("limit_conn_zone"):
            if any(arg.startswith(f"zone={zone}:") for arg in each.args):
                return each.args[0]
        return ""

    def own(self, name: str) -> Directive | None:
        """What is not inherited."""
        return next(self.directive.all(name), None)


def locations_of(server: Directive, http: Directive, notes: Notes) -> list[Location]:
    """Those of a server, nested ones as well. A server that answers by itself asks none of them."""
    if next(server.all("return"), None) is not None:
        return [Location("", "/", server, (http,))]
    found: list[Location] = []
    _gather(server, (http,), found, notes)
    return found


def _head(location: Directive) -> tuple[str, str]:
    args = location.args
    return (args[0], args[1]) if len(args) == 2 else ("", args[0] if args else "/")


def _gather(block: Directive, around: tuple[Directive, ...], found: list[Location], notes: Notes) -> None:
    for each in block.all("location"):
        modifier, path = _head(each)
        if path.startswith("@"):
            notes.add(each.place, f"location {path}: named locations are not carried over")
            continue
        found.append(Location(modifier, path, each, (block, *around)))
        _gather(each, (block, *around), found, notes)


def match_of(location: Location, notes: Notes) -> dict[str, str]:
    """The `path` of a route's match, with its type."""
    path = location.path
    if location.is_regex:
        path = named_groups(path)
        pattern = path[1:] if path.startswith("^") else f".*{path}"
        pattern = pattern[:-1] if pattern.endswith("$") and not pattern.endswith("\\$") else f"{pattern}.*"
        pattern = _within(location) + pattern
        return {"path": f"(?i){pattern}" if location.modifier == "~*" else pattern, "path_type": "regex"}
    if location.modifier == "=":
        return {"path": path, "path_type": "exact"}
    if path != "/":
        notes.add("", "nginx's location /a takes /ab as well; here it takes /a and what is below /a/")
    return {"path": path.rstrip("/") or "/"}


def _within(location: Location) -> str:
    """An expression inside another location is asked only for what that one takes."""
    heads = []
    for modifier, path in location.outer:
        if modifier in ("~", "~*"):
            text = path[1:] if path.startswith("^") else f".*{path}"
            heads.append(f"(?=(?{'i' if modifier == '~*' else ''}:{text}))")
        else:
            heads.append(f"(?=(?-i:{re.escape(path)}))")
    return "".join(heads)


def priorities_of(locations: list[Location], notes: Notes) -> list[int]:
    """One for each, in their order."""
    expressions = [each for each in locations if each.is_regex]
    if not expressions:
        return [0] * len(locations)
    _note_cycles(locations, notes)
    found = []
    for each in locations:
        if each.is_regex:
            base = _STRONG if any(modifier == "^~" for modifier, _ in each.outer) else _REGEX
            found.append(base + len(expressions) - expressions.index(each))
        else:
            found.append({"=": _EXACT, "^~": _STRONG}.get(each.modifier, 0))
    return found


def _note_cycles(locations: list[Location], notes: Notes) -> None:
    strong = [each.path for each in locations if each.modifier == "^~"]
    for each in locations:
        if each.modifier == "" and any(each.path.startswith(path) and each.path != path for path in strong):
            notes.add(
                each.place,
                f"location {each.path}: the ^~ above it comes first here; give the route a priority",
            )


def names_of(server: Directive, notes: Notes) -> list[tuple[str, ...]]:
    """Host names that belong together: exact ones, and each wildcard by itself."""
    exact: list[str] = []
    wild: list[str] = []
    for directive in server.all("server_name"):
        for raw in directive.args:
            name = raw.lower()
            if name in ("", "_"):
                continue
            if name.startswith("~") or name.endswith(".*") or ("*" in name and not name.startswith("*.")):
                notes.add(directive.place, f"server_name {raw}: only exact names and *.example.com; left out")
            elif name.startswith("."):
                exact.append(name[1:])
                wild.append(f"*{name}")
            else:
                (wild if name.startswith("*.") else exact).append(name)
    return [*([tuple(exact)] if exact else []), *((each,) for each in wild)]


def tier_of(names: tuple[str, ...]) -> int:
    """An exact name comes before the longest wildcard, and that before any."""
    if not names:
        return 0
    return 50 if not names[0].startswith("*") else min(names[0].count("."), 49)


def hosts(names: tuple[str, ...]) -> dict[str, Any]:
    """The part of a match."""
    return {"hosts": list(names)} if names else {}
