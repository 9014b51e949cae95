"""P: How the keys of a service and of a route are grouped on their pages; only honoured keys are shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from routing.admin.forms.leaves import Leaf
from routing.document.honoured import honoured_values, is_honoured

ELSEWHERE: Final = "More"


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of the document's keys. A section that is not `open` is folded away while it is empty."""

    title: str
    keys: tuple[str, ...]
    about: str = ""
    is_open: bool = False


SERVICE_SECTIONS: Final = (
    Section("Service", ("name", "protocol"), is_open=True),
    Section("Timeouts", ("timeout",)),
    Section(
        "Connections and balancing",
        ("max_connections", "max_concurrency", "load_balancing", "hash_on", "slow_start", "panic"),
    ),
    Section("TLS", ("tls",), "How https targets are checked, and how the gateway shows itself to them."),
    Section("Retries", ("retries",)),
    Section("Breaker", ("breaker",)),
    Section("Health", ("health", "ejection")),
)
ROUTE_SECTIONS: Final = (
    Section("Route", ("name", "enabled", "priority"), is_open=True),
    Section(
        "Match",
        ("match",),
        "What a request must look like. What is left empty matches anything.",
        is_open=True,
    ),
    Section(
        "Destination",
        ("service", "backends", "sticky", "canary", "redirect", "respond", "aggregate", "publish", "grpc"),
        is_open=True,
    ),
    Section(
        "Who may pass",
        ("auth", "forward_identity", "forward_credentials", "ip"),
        "A route is closed unless it says public.",
        is_open=True,
    ),
    Section("Limits", ("limits", "quotas", "timeout")),
    Section(
        "On the way in",
        ("rewrite", "request_headers", "require_headers", "validate", "allow_encoded_slashes", "mirror"),
        "What is checked and changed before the service sees the request.",
    ),
    Section(
        "On the way out",
        ("response_headers", "transform", "status_map", "envelope", "cache", "compress", "cors"),
        "What is changed before the client sees the answer.",
    ),
    Section("WebSocket", ("websocket",)),
    Section("Fault injection", ("fault",)),
)


def grouped(sections: Sequence[Section], leaves: Iterable[Leaf]) -> list[tuple[Section, list[Leaf]]]:
    """Sections that have leaves; keys that no section names come last."""
    found: dict[str, list[Leaf]] = {}
    for leaf in leaves:
        found.setdefault(leaf.path[0], []).append(leaf)
    groups = [
        (section, [leaf for key in section.keys for leaf in found.pop(key, ())]) for section in sections
    ]
    rest = [leaf for group in found.values() for leaf in group]
    groups.append((Section(ELSEWHERE, tuple(found)), rest))
    return [(section, members) for section, members in groups if members]


def honoured(kind: str, leaves: Iterable[Leaf], *, below: str = "") -> tuple[Leaf, ...]:
    """The leaves that this version acts on, with the choices that it acts on: what is shown is never refused.

    A choice of one is shown only where leaving it out is refused.
    """
    found = []
    for leaf in leaves:
        key = ".".join(filter(None, (below, *leaf.path)))
        if not is_honoured(kind, key):
            continue
        values = honoured_values(kind, key)
        if values is None:
            found.append(leaf)
        elif len(values) > 1 or key == "auth.level":
            found.append(replace(leaf, choices=tuple(str(value) for value in values)))
    return tuple(found)
