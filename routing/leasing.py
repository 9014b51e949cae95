"""P: What a service sends to register itself: read into a Registration, or every reason why not, at once.

And when a registered target is let go of: the rules that need no database.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from routing.document.scalars import parse_duration
from routing.leaseaddresses import Premises, clean_host, unfit_host
from routing.problems import did_you_mean, quote

Scheme = Literal["http", "https"]
FIELDS: Final = (
    "service_name",
    "host",
    "port",
    "check_endpoint",
    "check_interval",
    "weight",
    "ttl",
    "scheme",
)
REQUIRED: Final = FIELDS[:3]
SCHEMES: Final = ("http", "https")
SHORTEST_TTL_S: Final = 1.0
LONGEST_TTL_S: Final = 86_400.0
SHORTEST_CHECK_S: Final = 1.0
LONGEST_CHECK_S: Final = 3600.0
USUAL_CHECK_S: Final = 30.0
USUAL_ENDPOINT: Final = "/health"
HEAVIEST: Final = 65_535
LAPSES_AFTER: Final = 3
"""A lease without ttl ends when its check has failed for so many of its intervals."""
ABANDONED_S: Final = 86_400.0
"""For so long a lease is kept whose check fails while no other target of its service passes either."""
_NAME: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}")
_ENDPOINT: Final = re.compile(r"/[!-~]{0,1999}")


class Fault(NamedTuple):
    """What is wrong with one field. `code` is for programs and stays the same; `message` is for people."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Registration:
    """One address of a service. `scheme` None: the one that the service's protocol goes with."""

    service: str
    host: str
    port: int
    scheme: Scheme | None = None
    check_endpoint: str = USUAL_ENDPOINT
    check_interval_s: float = USUAL_CHECK_S
    weight: int = 1
    ttl_s: float | None = None

    def url(self, scheme: Scheme) -> str:
        """The target's URL."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme or scheme}://{name}:{self.port}"


def read_registration(raw: Mapping[str, Any], premises: Premises) -> Registration | tuple[Fault, ...]:
    """The registration, or all its faults in the order of the fields."""
    faults = [
        Fault(str(name)[:100], "unknown", f"is not a field here{did_you_mean(str(name), FIELDS)}")
        for name in raw
        if name not in FIELDS
    ]
    faults += [Fault(name, "missing", "is wanted") for name in REQUIRED if raw.get(name) is None]
    read: dict[str, Any] = {}
    for name, parse in _PARSERS.items():
        if (value := raw.get(name)) is not None:
            found = parse(name, value)
            if isinstance(found, Fault):
                faults.append(found)
            else:
                read[_KEPT_AS.get(name, name)] = found
    if "host" in read and (why := unfit_host(read["host"], read.get("port", 0), premises)):
        faults.append(Fault("host", why.reason, why.message))
    if faults:
        return tuple(sorted(faults, key=lambda fault: _place(fault.field)))
    return Registration(**read)


def _place(field: str) -> int:
    return FIELDS.index(field) if field in FIELDS else len(FIELDS)


def _service(field: str, value: object) -> str | Fault:
    if isinstance(value, str) and _NAME.fullmatch(value):
        return value
    text = (
        "is no name of a service: letters, digits, dot, dash and underscore, beginning with a letter or digit"
    )
    return Fault(field, "name", f"{quote(value)} {text}")


def _host(field: str, value: object) -> str | Fault:
    if isinstance(value, str) and "://" in value:
        return Fault(field, "scheme", f"{quote(value)} must be a host alone, without scheme, port and path")
    host = clean_host(value) if isinstance(value, str) else None
    return host or Fault(field, "host", f"{quote(value)} is neither a host name nor an address")


def _whole(most: int) -> Callable[[str, object], int | Fault]:
    def parse(field: str, value: object) -> int | Fault:
        if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most:
            return value
        return Fault(field, "number", f"{quote(value)} is not a whole number from 1 to {most}")

    return parse


def _seconds(least: float, most: float) -> Callable[[str, object], float | Fault]:
    def parse(field: str, value: object) -> float | Fault:
        seconds = _as_seconds(value)
        if seconds is not None and least <= seconds <= most:
            return seconds
        return Fault(
            field,
            "duration",
            f"{quote(value)} is not a number of seconds from {least:g} to {most:g}, nor a duration such as 30s",
        )

    return parse


def _as_seconds(value: object) -> float | None:
    if isinstance(value, str):
        try:
            return parse_duration(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > LONGEST_TTL_S:
        return None
    return float(value) if math.isfinite(value) else None


def _endpoint(field: str, value: object) -> str | Fault:
    if isinstance(value, str) and _ENDPOINT.fullmatch(value) and "#" not in value:
        return value
    return Fault(field, "path", f"{quote(value)} is not a path such as /health")


def _scheme(field: str, value: object) -> str | Fault:
    if isinstance(value, str) and value in SCHEMES:
        return value
    return Fault(field, "scheme", f"{quote(value)} is neither http nor https")


_PARSERS: Final[dict[str, Callable[[str, object], Any]]] = {
    "service_name": _service,
    "host": _host,
    "port": _whole(65_535),
    "check_endpoint": _endpoint,
    "check_interval": _seconds(SHORTEST_CHECK_S, LONGEST_CHECK_S),
    "weight": _whole(HEAVIEST),
    "ttl": _seconds(SHORTEST_TTL_S, LONGEST_TTL_S),
    "scheme": _scheme,
}
_KEPT_AS: Final = {"service_name": "service", "check_interval": "check_interval_s", "ttl": "ttl_s"}


class LeasedTarget(NamedTuple):
    """One address of a service, as its approved live lease has it."""

    lease: str
    url: str
    weight: int
    check_endpoint: str
    check_interval_s: float
    ttl_s: float | None


Targets = tuple[LeasedTarget, ...]


class Checked(NamedTuple):
    """A live lease as its checks see it; `failing_s` is None while nothing speaks against it."""

    lease: str
    service: str
    check_interval_s: float
    has_ttl: bool
    passes: bool | None
    failing_s: float | None


def lapsed(leases: Iterable[Checked]) -> list[str]:
    """The leases without ttl whose checks have failed for too long.

    Where nothing of a service passes, the way there may be at fault: all of it is kept, for a day.
    """
    known = list(leases)
    answering = {each.service for each in known if each.passes}
    return [
        each.lease
        for each in known
        if not each.has_ttl
        and each.failing_s is not None
        and each.failing_s >= _patience_s(each, each.service in answering)
    ]


def _patience_s(lease: Checked, others_answer: bool) -> float:
    return LAPSES_AFTER * lease.check_interval_s if others_answer else ABANDONED_S
