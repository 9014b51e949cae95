"""P: The targets of a service as an explanation lists them: configured ones, and those that registered themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from routing.choosing import choose
from routing.knowledge import Discovered, Knowledge, Standings, standing_of
from routing.snapshot import CompiledService, CompiledTarget, HeaderList

Target = dict[str, Any]


def with_discovered(
    service: CompiledService, known: Knowledge
) -> tuple[CompiledService, tuple[Discovered, ...]]:
    """The service with all targets that may be chosen, as a worker has it, and what registered itself beside these.

    Of an address that is configured as well, the configuration is what counts.
    """
    configured = {target.url for target in service.targets}
    found = tuple(each for each in known.discovered(service) if each.target.url not in configured)
    joined = tuple(each.target for each in found if each.state == "approved")
    return replace(service, targets=(*service.targets, *joined)) if joined else service, found


def listed(
    service: CompiledService,
    known: Knowledge,
    *,
    headers: HeaderList,
    caller: Mapping[str, Any] | None,
    address: str = "",
) -> tuple[CompiledTarget | None, tuple[Target, ...]]:
    """The target that a request would get, and all of them: first those that may get one."""
    whole, discovered = with_discovered(service, known)
    standings = known.targets(whole)
    at = choose(whole, standings, headers, caller, address) if whole.targets else -1
    chosen = whole.targets[at] if at >= 0 else None
    by_url = {each.target.url: each for each in discovered if each.state == "approved"}
    targets = [
        _shown(target, standings, by_url.get(target.url), is_chosen=target is chosen)
        for target in whole.targets
    ]
    waiting = [_shown(each.target, {}, each) for each in discovered if each.state != "approved"]
    return chosen, (*targets, *waiting)


def _shown(
    target: CompiledTarget, standings: Standings, lease: Discovered | None, *, is_chosen: bool = False
) -> Target:
    """As it is configured or registered, and how it is where somebody knows it."""
    found: Target = {"url": target.url, "chosen": is_chosen, "weight": target.weight}
    found |= {"zone": target.zone or None, "backup": target.backup, "drain": target.drain}
    found["origin"] = "configuration" if lease is None else "lease"
    if lease is not None:
        found |= {"registered_by": lease.registered_by, "expires_at": _moment(lease.expires_at)}
    state = _state(target, standings, lease)
    return found if state is None else {**found, "state": state}


def _state(target: CompiledTarget, standings: Standings, lease: Discovered | None) -> str | None:
    if lease is not None and lease.state != "approved":
        return lease.state
    if lease is not None and lease.is_stale:
        return "stale"
    if target.drain:
        return standing_of(drain=True)
    return standings.get(target.url) or (None if lease is None else "unchecked")


def _moment(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
