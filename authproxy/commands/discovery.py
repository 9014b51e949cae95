"""D: `gateway discovery list`, `approve`, `reject` and `end`."""

import argparse
from collections.abc import Callable
from typing import Any
from uuid import UUID

from authproxy.commands.shared import add_change, add_group, add_list, add_reason, listed, told
from authproxy.moments import rfc3339
from routing import leases
from routing.commands.console import CommandRefused, Console, author
from routing.models import Lease, LeaseState

Act = Callable[[list[UUID], str, str], list[Lease]]
_LIVE = (LeaseState.PENDING, LeaseState.APPROVED)


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "discovery", "targets that services registered by themselves")
    parser = add_list(commands, "every live registration", run_list)
    parser.add_argument("--state", choices=[*LeaseState.values, "all"], help="default: those that are live")
    parser.add_argument("--service", metavar="NAME", help="of this service alone")
    _add_act(
        commands, "approve", "let it take traffic, and later ones of its account for its service", _approve
    )
    _add_act(commands, "reject", "end it; later ones of its account for its service have to wait", _reject)
    _add_act(commands, "end", "take it out, on every worker within a second", _end)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway discovery list`."""
    rows = Lease.objects.order_by("service", "url", "created_at")
    if options.state != "all":
        rows = rows.filter(state__in=[options.state] if options.state else _LIVE)
    if options.service:
        rows = rows.filter(service=options.service)
    return listed(rows, options, console, as_json=as_json, line=_line)


def as_json(row: Lease) -> dict[str, Any]:
    """A lease for programs."""
    return {
        "id": str(row.pk),
        "service": row.service,
        "url": row.url,
        "weight": row.weight,
        "state": row.state,
        "registered_by": row.consumer,
        "ttl": row.ttl_s,
        "created_at": rfc3339(row.created_at),
        "renewed_at": rfc3339(row.renewed_at),
        "expires_at": rfc3339(row.expires_at),
        "decided_by": row.decided_by or None,
        "ended_at": rfc3339(row.ended_at),
        "ended_by": row.ended_by or None,
        "ended_why": row.ended_why or None,
    }


def _add_act(commands: Any, name: str, words: str, act: Act) -> None:
    def run(options: argparse.Namespace, console: Console) -> int:
        found = act(_named(options.name), author(options).name, getattr(options, "reason", ""))
        if not found:
            raise CommandRefused(f'nothing to {name}: there is no such registration for "{options.name}"')
        lines = "\n".join(f"{_DONE[name]} {row}" for row in found)
        return told(options, console, {"leases": [as_json(row) for row in found]}, lines)

    parser = add_change(commands, name, words, run)
    if act is not _approve:
        add_reason(parser)


_DONE = {"approve": "approved", "reject": "rejected", "end": "ended"}


def _named(text: str) -> list[UUID]:
    """A lease's id, an address, or a service: all that is live of it."""
    live = Lease.objects.filter(ended_at=None)
    try:
        rows = live.filter(pk=UUID(text))
    except ValueError:
        rows = live.filter(url=text) if "://" in text else live.filter(service=text)
    return list(rows.values_list("pk", flat=True))


def _approve(found: list[UUID], by: str, _why: str) -> list[Lease]:
    return leases.approve(found, by=by)


def _reject(found: list[UUID], by: str, why: str) -> list[Lease]:
    """Rejecting a whole service takes those that wait; one that was approved is named by itself."""
    waiting = Lease.objects.filter(pk__in=found, state=LeaseState.PENDING).values_list("pk", flat=True)
    return leases.reject(list(waiting) if len(found) > 1 else found, by=by, why=why)


def _end(found: list[UUID], by: str, why: str) -> list[Lease]:
    return leases.end(found, by=by, why=why or f"ended by {by}")


def _line(row: Lease) -> str:
    parts = (
        str(row.pk),
        f"{row.service:<24} {row.url:<32} {row.state:<8}",
        f"by {row.consumer}",
        f"until {rfc3339(row.expires_at)}" if row.expires_at and not row.ended_at else "",
        f"ended {rfc3339(row.ended_at)}: {row.ended_why}" if row.ended_at else "",
    )
    return "  ".join(filter(None, parts))
