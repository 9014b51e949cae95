"""D: `gateway bus`: whether the message hub answers, what waits for it, and dead letters."""

import argparse
import asyncio
from typing import Any

from django.conf import settings

from authproxy.commands.shared import add_group, add_list, listed, told
from authproxy.moments import rfc3339
from realtime.bus import kept
from realtime.bus.adapter import HubAway
from realtime.bus.opening import adapter_for
from realtime.models import DeadLetter, WaitingEvent
from routing.commands.console import OK, REFUSED, CommandRefused, Console, add_json

ASKED_S = 5.0


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "bus", "the message hub, the outbox, and dead letters")
    parser = commands.add_parser("status", help="whether the message hub answers, and what waits for it")
    add_json(parser)
    parser.set_defaults(run=run_status)
    parser = commands.add_parser("outbox", help="events that wait for the message hub, the oldest first")
    add_json(parser)
    parser.set_defaults(run=run_outbox)
    letters = add_group(commands, "dead", "messages that could not be handled")
    add_list(letters, "the latest first, with the beginning of their bodies", run_dead)
    for name, words, run in (
        ("resend", "send them again, behind what waits already", run_resend),
        ("discard", "throw them away", run_discard),
    ):
        parser = letters.add_parser(name, help=words)
        parser.add_argument("ids", metavar="ID", nargs="*", type=int, help="as `list` shows it")
        parser.add_argument("--all", action="store_true", help="all that there are")
        add_json(parser)
        parser.set_defaults(run=run)


def run_status(options: argparse.Namespace, console: Console) -> int:
    """`gateway bus status`: exit code 1 if the hub does not answer."""
    url = settings.CONFIG.message_hub_url
    if url is None:
        raise CommandRefused("MESSAGE_HUB_URL is not set: there is no message hub")
    guarantee, why = asyncio.run(_asked(url))
    count, size = kept.held()
    dead = DeadLetter.objects.count()
    data = {
        "status": "unhealthy" if why else "healthy",
        "reason": why or None,
        "guarantee": guarantee,
        "waiting": count,
        "waiting_bytes": size,
        "dead": dead,
    }
    text = "\n".join(
        (
            f"away: {why}" if why else "answers",
            guarantee,
            f"{count} events wait ({size} bytes), {dead} dead letters",
        )
    )
    told(options, console, data, text)
    return REFUSED if why else OK


def run_outbox(options: argparse.Namespace, console: Console) -> int:
    """`gateway bus outbox`."""
    return listed(
        WaitingEvent.objects.order_by("pk"), options, console, as_json=_waiting_as_json, line=_waiting_line
    )


def run_dead(options: argparse.Namespace, console: Console) -> int:
    """`gateway bus dead list`."""
    return listed(DeadLetter.objects.all(), options, console, as_json=_dead_as_json, line=_dead_line)


def run_resend(options: argparse.Namespace, console: Console) -> int:
    """`gateway bus dead resend ID… | --all`."""
    letters = list(_chosen(options).order_by("pk"))
    moved = kept.send_again(letters)
    left = len(letters) - moved
    told(options, console, {"sent": moved, "left": left}, f"sent again: {moved}; left: {left}")
    return REFUSED if left else OK


def run_discard(options: argparse.Namespace, console: Console) -> int:
    """`gateway bus dead discard ID… | --all`."""
    gone = kept.throw_away(_chosen(options))
    return told(options, console, {"discarded": gone}, f"thrown away: {gone}")


def _chosen(options: argparse.Namespace) -> Any:
    if bool(options.ids) == options.all:
        raise CommandRefused("say which: one or more ids, or --all")
    if options.all:
        return DeadLetter.objects.all()
    rows = DeadLetter.objects.filter(pk__in=options.ids)
    missing = sorted(set(options.ids) - set(rows.values_list("pk", flat=True)))
    if missing:
        raise CommandRefused(f"there is no dead letter {missing[0]}")
    return rows


async def _asked(url: str) -> tuple[str, str]:
    """What the hub guarantees, and why it is away, if it is."""
    adapter = adapter_for(url)
    try:
        async with asyncio.timeout(ASKED_S):
            await adapter.open()
            await adapter.ping()
    except (HubAway, TimeoutError) as error:
        return adapter.guarantee, str(error) or f"no answer within {ASKED_S:g} s"
    finally:
        await adapter.close()
    return adapter.guarantee, ""


def _waiting_as_json(row: WaitingEvent) -> dict[str, Any]:
    return {"id": row.event_id, "topic": row.topic, "at": rfc3339(row.at), "bytes": row.size}


def _waiting_line(row: WaitingEvent) -> str:
    return f"{rfc3339(row.at)}  {row.topic:<30} {row.event_id}  {row.size} bytes"


def _dead_as_json(row: DeadLetter) -> dict[str, Any]:
    return {
        "id": row.pk,
        "event": row.event_id,
        "direction": row.direction,
        "topic": row.topic,
        "reason": row.reason,
        "at": rfc3339(row.at),
        "bytes": row.size,
        "content_type": row.content_type or None,
        "headers": row.headers,
        "body": kept.preview(row),
    }


def _dead_line(row: DeadLetter) -> str:
    shown = " ".join(kept.preview(row)[:60].split())
    return f"{row.pk:<8} {rfc3339(row.at)}  {row.direction:<4}{row.topic:<30} {row.reason}  {row.size} bytes  {shown}"
