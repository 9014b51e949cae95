"""I: When the certificates that services name expire. Files are read, in whatever thread asks."""

import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from cryptography import x509

from observability.alerts.conditions import CERTIFICATE, CRITICAL, WARNING, Condition
from routing.snapshot import CompiledService

SOON_S: Final = 14 * 86400.0
VERY_SOON_S: Final = 3 * 86400.0
LARGEST_FILE: Final = 4 << 20


class Certificates:
    """What was found at the last look. One per worker; only the one that has the alerts' lease looks."""

    def __init__(self) -> None:
        self.ends: Mapping[tuple[str, str], float] = {}
        """By service and part (`cert`, `ca`): epoch seconds. One that cannot be read has none."""

    def look(self, services: Mapping[str, CompiledService], now: float) -> list[Condition]:
        """A condition for each certificate that has two weeks left or fewer, and for each that cannot be read."""
        found: list[Condition] = []
        ends: dict[tuple[str, str], float] = {}
        for service, part, text in _named(services):
            try:
                name, end = _first(text, is_any_enough=part == "ca")
            except (OSError, ValueError, ssl.SSLError) as problem:
                found.append(_unreadable(service, part, problem))
                continue
            ends[service, part] = end
            if end - now <= SOON_S:
                found.append(_expiring(service, part, name, end, end - now))
        self.ends = ends
        return found


def _named(services: Mapping[str, CompiledService]) -> Iterator[tuple[str, str, str]]:
    for name, service in sorted(services.items()):
        for part in ("cert", "ca"):
            if service.tls is not None and (text := getattr(service.tls, part)):
                yield name, part, str(text)


def _first(text: str, *, is_any_enough: bool) -> tuple[str, float]:
    """Name and end of the one that ends first; of several authorities any may do: there the last one counts."""
    return (max if is_any_enough else min)(_read(_pem(text)), key=lambda each: each[1])


def _unreadable(service: str, part: str, problem: Exception) -> Condition:
    why = problem.strerror if isinstance(problem, OSError) and problem.strerror else "not a certificate"
    said = f"tls.{part} of service {service} cannot be read: {why}"
    return Condition(CERTIFICATE, f"{service}:{part}", service, said, CRITICAL)


def _expiring(service: str, part: str, name: str, end: float, left_s: float) -> Condition:
    moment = datetime.fromtimestamp(end, UTC)
    day = moment.date().isoformat()
    said = f"has expired on {day}" if left_s <= 0 else f"expires on {day}"
    return Condition(
        CERTIFICATE,
        f"{service}:{part}",
        service,
        f"tls.{part} of service {service} {said}",
        CRITICAL if left_s <= VERY_SOON_S else WARNING,
        {"certificate": name, "expires": moment.isoformat()},
    )


def _pem(text: str) -> bytes:
    if "-----BEGIN " in text:
        return text.encode()
    with Path(text).open("rb") as file:
        return file.read(LARGEST_FILE)


@lru_cache(maxsize=256)
def _read(pem: bytes) -> list[tuple[str, float]]:
    """Name and end, in epoch seconds, of each."""
    return [
        (each.subject.rfc4514_string(), each.not_valid_after_utc.timestamp())
        for each in x509.load_pem_x509_certificates(pem)
    ]
