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


MANAGED: Final = Section(
    "Managed by",
    ("managed_by",),
    "Whose it is, where documents come from several sources: gateway apply --managed-by with this name changes and "
    "prunes it. Empty: it belongs to nobody, and is left alone.",
)
SERVICE_SECTIONS: Final = (
    Section("Service", ("name", "protocol"), is_open=True),
    Section(
        "Timeouts",
        ("timeout",),
        "A request that takes longer is answered 504. What is left of the time is told to the target in "
        "X-Request-Timeout-Ms.",
    ),
    Section(
        "Balancing",
        ("load_balancing", "hash_on", "slow_start", "panic"),
        "Which of the targets gets a request. Weight, zone, backup and drain are said of each target above.",
    ),
    Section(
        "Connections and concurrency",
        ("max_connections", "max_concurrency"),
        "Both hold for each worker by itself.",
    ),
    Section(
        "Messages of gRPC",
        ("descriptors",),
        "Protocol grpc: what the messages look like, where the service has no reflection. A file that is chosen takes "
        "the place of the text.",
    ),
    Section(
        "OpenAPI",
        ("openapi",),
        "Where the service describes itself. The portal at /docs shows callers those operations that a route leads to "
        "and that they may use.",
    ),
    Section("TLS", ("tls",), "How https targets are checked, and how the gateway shows itself to them."),
    Section(
        "Retries",
        ("retries",),
        "Without anything here, only what was never sent is sent again. What may have arrived is repeated only if "
        "its method may be sent twice; another target gets it, if there is one.",
    ),
    Section(
        "Breaker",
        ("breaker",),
        "A service has one as soon as anything here is filled in. Connection errors, timeouts and 5xx count as "
        "failures, a client's mistakes never do. While it is open, requests are answered 503 at once. How it stands "
        "now, and forcing it, is on the page of breakers.",
    ),
    Section(
        "Health checks",
        ("health",),
        "One worker asks every target and tells the others. A target that fails gets no requests until it is well.",
    ),
    Section(
        "Ejection",
        ("ejection",),
        "A target whose requests fail one after the other is left out for a while, and tried again after it.",
    ),
    MANAGED,
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
        (
            "service",
            "backends",
            "sticky",
            "force",
            "canary",
            "redirect",
            "respond",
            "aggregate",
            "publish",
        ),
        is_open=True,
    ),
    Section(
        "Who may pass",
        ("auth", "forward_identity", "forward_credentials", "ip"),
        "A route is closed unless it says public.",
        is_open=True,
    ),
    Section(
        "Limits",
        ("quotas", "limits", "timeout"),
        "How much this route takes. Quotas are named as in the list of quotas: [free, {name: strict, mode: log}]; "
        "log only counts whom it would have refused.",
    ),
    Section(
        "On the way in",
        ("rewrite", "request_headers", "require_headers", "validate", "allow_encoded_slashes", "mirror"),
        "What is checked and changed before the service sees the request.",
    ),
    Section(
        "On the way out",
        (
            "response_headers",
            "transform",
            "status_map",
            "envelope",
            "cache",
            "compress",
            "compression",
            "cors",
        ),
        "What is changed before the client sees the answer.",
    ),
    Section("WebSocket", ("websocket",)),
    Section("gRPC", ("grpc",), "Which method of the service is called, where its protocol is grpc."),
    Section(
        "Objectives",
        ("slo",),
        "What the route promises, such as 99.9 percent over 30 days. When its error budget burns too fast, receivers "
        "of alerts are told.",
    ),
    Section(
        "Access log",
        ("log",),
        "A route that is asked often and tells little may be written down less, or not at all.",
    ),
    Section(
        "Fault injection",
        ("fault",),
        "For drills: requests are delayed or answered with an error on purpose. In production only where "
        "FAULT_INJECTION allows it.",
    ),
    MANAGED,
)

QUOTA_SECTIONS: Final = (
    Section(
        "Quota",
        ("name", "limit", "per", "algorithm", "burst"),
        "token bucket: the limit flows back evenly, and as many as burst may come at once. sliding window: no more "
        "than the limit in any period. fixed window: the count begins anew with each period; a day or a month is "
        "always counted so.",
        is_open=True,
    ),
    Section(
        "Whose requests",
        ("key", "methods"),
        "Each caller has a budget of its own. All routes that name the quota share it.",
        is_open=True,
    ),
    Section(
        "When it is used up",
        ("mode", "on_store_failure"),
        "A request that is refused is answered 429 with Retry-After, and counts against no other quota.",
        is_open=True,
    ),
    MANAGED,
)
PLAN_SECTIONS: Final = (
    Section(
        "Plan",
        ("name", "quotas"),
        "A consumer is put on a plan by its name. Its quotas take the place of a route's quotas of the same name: "
        "[{name: free, limit: 1000, per: 1m}].",
        is_open=True,
    ),
    MANAGED,
)
ROLE_SECTIONS: Final = (
    Section(
        "Role",
        ("name", "scopes", "default"),
        "A role is a group of accounts: publishing makes the group, and nothing ever removes it. A role that gets "
        "another name gets another group, with nobody in it.",
        is_open=True,
    ),
    MANAGED,
)
PROVIDER_SECTIONS: Final = (
    Section("Identity provider", ("name", "issuer", "audience"), is_open=True),
    Section(
        "Keys",
        ("discovery_url", "jwks_url", "secret", "algorithms"),
        "Where the keys are found that verify its tokens: one of the two addresses, or a shared secret.",
        is_open=True,
    ),
    Section("Claims", ("claims",), "Which claims of a token say what."),
    Section("Cookie", ("cookie",), "For browsers that carry the token in a cookie."),
    MANAGED,
)
TOPIC_SECTIONS: Final = (
    Section(
        "Topics",
        ("name", "topics"),
        "orders.* is any one part after orders., orders.> all that follows, user.${user.id} the caller's own. Of all "
        "patterns that fit a topic, the most specific one decides. Where none does, signed-in callers read "
        "generation.* and their own user.<id>, staff reads everything, and services and staff publish.",
        is_open=True,
    ),
    Section(
        "Who may read",
        ("subscribe",),
        "Nothing here: any signed-in caller. service means service consumers and staff.",
        is_open=True,
    ),
    Section(
        "Who may write",
        ("publish",),
        "Nothing here: service consumers and staff. Nobody but the gateway itself publishes below gateway.",
        is_open=True,
    ),
    Section("Message hub", ("bus",), "Messages of the hub become events of the topics with their subjects."),
    MANAGED,
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

    A choice of one is no choice and is not shown.
    """
    found = []
    for leaf in leaves:
        key = ".".join(filter(None, (below, *leaf.path)))
        if not is_honoured(kind, key):
            continue
        values = honoured_values(kind, key)
        if values is None:
            found.append(leaf)
        elif len(values) > 1:
            found.append(replace(leaf, choices=tuple(str(value) for value in values)))
    return tuple(found)
