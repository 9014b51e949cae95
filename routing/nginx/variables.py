"""P: Where a `proxy_pass` with a variable sends: `map` of a header, cookie or query parameter, and `split_clients`.

https://nginx.org/en/docs/http/ngx_http_map_module.html, https://nginx.org/en/docs/http/ngx_http_split_clients_module.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from routing.foreign import Notes
from routing.nginx.conditions import match_of
from routing.nginx.directives import Directive

_VARIABLE: Final = re.compile(r"\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))", re.IGNORECASE)
_WHOLE: Final = 10_000
_SPECIAL: Final = ("hostnames", "include", "volatile")


@dataclass(frozen=True, slots=True)
class Way:
    """Requests with `match` go to one of these addresses, by weight."""

    targets: tuple[tuple[str, int], ...]
    match: dict[str, Any] = field(default_factory=dict)


class Variables:
    """Those that can be carried over; `left` are the blocks that can not, or that nothing asked for."""

    def __init__(self, http: Directive, notes: Notes) -> None:
        self._notes = notes
        self._made = {
            each.args[1].removeprefix("$"): each
            for name in ("map", "split_clients")
            for each in http.all(name)
            if len(each.args) == 2
        }
        self._used: set[str] = set()

    def note_left(self) -> None:
        """Names what no route came of."""
        for name, each in self._made.items():
            if name not in self._used:
                self._notes.add(each.place, f"{each.name} {' '.join(each.args)}: is not carried over")

    def ways(self, target: str) -> tuple[Way, ...]:
        """The address itself where there is no variable in it, or none that can be carried over."""
        found = _VARIABLE.findall(target)
        name = "".join(found[0]) if len(found) == 1 else ""
        directive = self._made.get(name)
        values = None
        if directive is not None:
            values = self._split(directive) if directive.name == "split_clients" else _mapped(directive)
        if values is None:
            return (Way(((target, 1),)),)
        self._used.add(name)
        return tuple(
            Way(tuple((_VARIABLE.sub(lambda _: value, target), weight) for value, weight in way.targets), way.match)  # noqa: B023 - called at once
            for way in values
        )  # fmt: skip

    def _split(self, directive: Directive) -> tuple[Way, ...] | None:
        """Shares in hundredths of a percent; `*` has the rest."""
        targets, rest = [], _WHOLE
        for each in directive.block:
            share = round(float(each.name.removesuffix("%")) * 100) if each.name != "*" else rest
            rest -= share
            if share > 0 and each.args:
                targets.append((each.args[0], share))
        if not targets or rest > 0:
            return None
        self._notes.add(
            directive.place,
            "split_clients: each request is shared out anew; sticky: {cookie: …} keeps a client",
        )
        return (Way(tuple(targets)),)


def _mapped(directive: Directive) -> tuple[Way, ...] | None:
    """One way for each value, and the default's. A text is compared without case, as nginx does it."""
    default, ways = "", []
    for name, value in _entries(directive.block):
        if name == "default":
            default = value
            continue
        if name.startswith("~") or name in ("", *_SPECIAL) or value.startswith("$"):
            return None
        match = match_of(directive.args[0], f"^{re.escape(name.removeprefix(chr(92)))}$", "~*")
        if match is None:
            match = match_of(directive.args[0], name)
        if match is None:
            return None
        ways.append(Way(((value, 1),), match))
    if not default or default.startswith("$") or not ways:
        return None
    return (Way(((default, 1),)), *ways)


def _entries(block: Iterable[Directive]) -> list[tuple[str, str]]:
    return [(each.name.strip("\"'"), each.args[0] if each.args else "") for each in block]
