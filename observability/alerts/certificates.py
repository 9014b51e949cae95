"""I: When the certificates that services name expire. Files are read, in whatever thread asks."""

import ssl
from collections.abc import Iterable, Mapping
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


def expiring(services: Mapping[str, CompiledService], now: float) -> list[Condition]:
    """A condition for each certificate that has two weeks left or fewer, and for each that cannot be read."""
    found: list[Condition] = []
    for name, service in sorted(services.items()):
        if service.tls is not None:
            for part in ("cert", "ca"):
                text = getattr(service.tls, part)
                if text:
                    found += _judged(name, part, str(text), now)
    return found


def _judged(service: str, part: str, text: str, now: float) -> Iterable[Condition]:
    subject, place = service, f"tls.{part} of service {service}"
    try:
        certificates = _read(_pem(text))
    except (OSError, ValueError, ssl.SSLError) as problem:
        why = problem.strerror if isinstance(problem, OSError) and problem.strerror else "not a certificate"
        yield Condition(CERTIFICATE, f"{service}:{part}", subject, f"{place} cannot be read: {why}", CRITICAL)
        return
    if part == "ca":
        # Of several authorities any may do: only that the last of them ends is a trouble.
        certificates = sorted(certificates, key=lambda each: each[1])[-1:]
    for name, ends in sorted(certificates, key=lambda each: each[1])[:1]:
        left_s = ends - now
        if left_s <= SOON_S:
            day = datetime.fromtimestamp(ends, UTC).date().isoformat()
            said = f"has expired on {day}" if left_s <= 0 else f"expires on {day}"
            severity = CRITICAL if left_s <= VERY_SOON_S else WARNING
            details = {"certificate": name, "expires": datetime.fromtimestamp(ends, UTC).isoformat()}
            yield Condition(CERTIFICATE, f"{service}:{part}", subject, f"{place} {said}", severity, details)


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
