"""P: What one client may cost the server: sizes, counts and deadlines of a connection."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds that every client connection lives under. Times are seconds, sizes bytes.

    A deadline holds at least as long as it says, and at most two sweeps (`sweep_period_s`) longer.
    """

    max_url_bytes: int = 16_384
    max_head_bytes: int = 65_536
    max_headers: int = 128
    max_pipelined: int = 256
    max_connections: int = 10_000
    body_buffer_bytes: int = 65_536
    drain_body_bytes: int = 65_536
    """An unread request body up to this size is read and thrown away to keep the connection."""
    max_websocket_message_bytes: int = 16 * 1024 * 1024

    first_byte_timeout_s: float = 10.0
    head_timeout_s: float = 10.0
    keep_alive_timeout_s: float = 65.0
    body_timeout_s: float = 30.0
    write_timeout_s: float = 30.0
    linger_timeout_s: float = 2.0
    drain_idle_s: float = 1.0
    """How long an idle connection is still served after draining began."""
    half_close_probe_s: float = 0.3
    half_close_idle_s: float = 5.0

    min_transfer_bytes_per_s: float = 500.0
    """Slower uploads end with 408, slower readers are cut off; 0 asks only for some progress."""
    upload_grace_s: float = 5.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value < 0 or (value == 0 and field.name != "min_transfer_bytes_per_s"):
                raise ValueError(f"{field.name} must be above zero, not {value!r}")

    @property
    def sweep_period_s(self) -> float:
        """How often deadlines are looked at: a quarter of the shortest, 20 ms to half a second."""
        times: list[float] = [
            getattr(self, field.name) for field in fields(self) if field.name.endswith("_timeout_s")
        ]
        return max(0.02, min(0.5, min([*times, self.upload_grace_s, self.drain_idle_s]) / 4))
