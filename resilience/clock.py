"""I: The clocks. Everything else is handed a number."""

import time
from datetime import UTC, datetime
from email.utils import formatdate

monotonic = time.monotonic
wall_clock = time.time


def timestamp() -> str:
    """Now, as error envelopes and health answers write it: 2026-01-01T12:00:00Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def http_date() -> bytes:
    """Now, as a Date field has it (RFC 9110 section 5.6.7)."""
    return formatdate(usegmt=True).encode("ascii")
