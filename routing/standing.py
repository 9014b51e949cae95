"""P: What admission would make of a caller, as explaining needs it. What an identity is lies above this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from routing.explanation import Refusal
from routing.snapshot import CompiledRoute, Snapshot


@dataclass(frozen=True, slots=True)
class Admission:
    """`caller` is who calls, None for nobody in particular; `lacking` is what the refusal tells in its details."""

    refusal: Refusal | None = None
    lacking: Mapping[str, Any] = field(default_factory=dict)
    caller: Mapping[str, Any] | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    """The header fields that would tell an upstream who calls."""
    remark: str = ""

    @property
    def recognised(self) -> Mapping[str, Any] | None:
        """The caller, unless it is one that is refused like nobody."""
        return None if self.caller is None or self.caller.get("enabled") is False else self.caller


Judge = Callable[[CompiledRoute, Snapshot], Admission]


def nobody(route: CompiledRoute, _snapshot: Snapshot) -> Admission:
    """A caller without credentials."""
    if route.auth.level == "public":
        return Admission()
    lacking = {"reason": "missing", "methods": list(route.auth.methods)}
    return Admission(Refusal(401, "AUTH_ERROR", "Credentials are needed here."), lacking)
