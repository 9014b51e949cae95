"""P: Which of a route's services a request would get, for explain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from routing.explanation import PolicyNote
from routing.knowledge import KnownCanary
from routing.snapshot import CompiledRoute, Forward, HeaderList
from routing.splitting import Share, Split, moved, percentages, settled

_BECAUSE: Final = {
    "forced": "the request names it",
    "consumer": "its caller stays with it",
    "cookie": "its cookie remembers it",
}


def chosen_of(
    split: Split, headers: HeaderList, caller: Mapping[str, Any] | None, address: str
) -> tuple[Share, str]:
    """The service, and why; by chance it is the one that gets most."""
    who = str(caller["consumer"]) if caller is not None else address
    is_known = bool(who) or split.sticky != "consumer"
    found = settled(split, headers, who.encode("utf-8", "surrogatepass")) if is_known else None
    if found is not None:
        return found[0], _BECAUSE[found[1]]
    most = max(split.shares, key=lambda share: share.weight)
    return most, f"by chance, in {percentages(split.shares)[most.service]:g} % of the cases"


def as_if_alone(
    route: CompiledRoute, split: Split, share: Share, why: str, source: str
) -> tuple[CompiledRoute, PolicyNote]:
    """The route as it would be if it led to the chosen service, and what is to be said of the choice."""
    details: dict[str, Any] = {
        "chosen": share.service,
        "because": why,
        "percent": percentages(split.shares),
        "sticky": split.cookie.decode() if split.sticky == "cookie" else split.sticky,
        "forced_by": f"{split.forced_by} {split.forced_name.decode()}" if split.forced_by else "",
    }
    alone = replace(route, destination=Forward(share.service))
    return alone, PolicyNote("backends", source, "applies", details)


def as_it_stands(split: Split, canary: KnownCanary | None) -> Split:
    """With the shares of now."""
    return replace(split, shares=moved(split.shares, 0.0 if canary is None else canary.percent))


def with_canary(note: PolicyNote, canary: KnownCanary | None) -> PolicyNote:
    """What is to be said of the choice, and of how the canary stands."""
    if canary is None:
        return replace(
            note, details={**note.details, "canary": "nothing is known of it: it gets no requests"}
        )
    details = {
        "state": canary.state,
        "step": f"{canary.step} of {canary.steps}",
        "since": _moment(canary.since),
        "next_at": None if canary.next_at is None else _moment(canary.next_at),
        "by": canary.by,
        "reason": canary.reason,
    }
    return replace(note, details={**note.details, "canary": details})


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
