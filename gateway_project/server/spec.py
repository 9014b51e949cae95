"""P: What the supervisor tells a worker when it starts it, as one argument of the command line."""

import json
from dataclasses import asdict, dataclass, field

from gateway_project.server.limits import ServerLimits

ROLE_VARIABLE = "TORANA_ROLE"
REVISION_VARIABLE = "TORANA_REVISION_FILE"
WORKERS_VARIABLE = "TORANA_WORKERS"
READY = b"ready\n"


@dataclass(frozen=True, slots=True)
class LeavingTimes:
    """How a worker leaves. Seconds."""

    grace_s: float = 1.0
    """Still accepting, while readiness already says no, so that load balancers can turn away first."""
    drain_timeout_s: float = 30.0
    """For requests in flight, after which they are cut off."""


@dataclass(frozen=True, slots=True)
class WorkerSpec:
    """File descriptors are numbers that the worker inherits.

    It writes READY to `ready_fd` once it accepts. Input or end of file on `lifeline_fd` makes it leave without grace:
    the supervisor has a replacement for it, or is dead.
    """

    app: str
    listening_fds: tuple[int, ...]
    ready_fd: int
    lifeline_fd: int
    times: LeavingTimes = field(default_factory=LeavingTimes)
    limits: ServerLimits = field(default_factory=ServerLimits)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "WorkerSpec":
        values = json.loads(text)
        values["listening_fds"] = tuple(values["listening_fds"])
        values["times"] = LeavingTimes(**values["times"])
        values["limits"] = ServerLimits(**values["limits"])
        return cls(**values)
