"""D: `gateway apikey create`, `list` and `revoke`."""

import argparse
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from authproxy import accounts, apikeys
from authproxy.commands.shared import (
    add_group,
    add_list,
    add_options,
    changing,
    consumer_named,
    listed,
    moment,
    told,
)
from authproxy.models import ApiKey, Consumer
from authproxy.moments import rfc3339
from routing.commands.console import OK, CommandRefused, Console, author


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "apikey", "keys of consumers")

    create = commands.add_parser("create", help="make a key; its secret is printed once")
    create.add_argument("name", metavar="NAME", help="what it is for")
    create.add_argument(
        "--consumer", required=True, metavar="C", help="whose it is: a consumer or an account"
    )
    create.add_argument(
        "--scope",
        action="append",
        metavar="S",
        dest="scopes",
        help="several times; default: all that C has (roles and level stay)",
    )
    create.add_argument(
        "--expires", type=moment, metavar="D", help="a duration (30d) or a date (2030-12-31); default: never"
    )
    add_options(create)
    create.set_defaults(run=run_create)

    listing = add_list(commands, "keys, without their secrets", run_list)
    listing.add_argument("--consumer", metavar="C", help="only of this consumer")
    listing.add_argument("--all", action="store_true", help="revoked and expired ones, too")

    revoke = commands.add_parser("revoke", help="end a key for good, everywhere within a second")
    revoke.add_argument("key", metavar="KEY", help="its name, or the prefix that `list` shows")
    revoke.add_argument("--consumer", metavar="C", help="whose it is, where several have a key of this name")
    add_options(revoke)
    revoke.set_defaults(run=run_revoke)


def run_create(options: argparse.Namespace, console: Console) -> int:
    """`gateway apikey create NAME --consumer C`."""
    with changing():
        key, secret = apikeys.create(
            _owner(options.consumer),
            options.name,
            scopes=options.scopes,
            expires_at=options.expires,
            by=author(options).name,
        )
    if options.as_json:
        console.data({**_as_json(key), "secret": secret})
    else:
        console.warn(f"key {key.name} of {key.consumer.name}: note its secret now, it is not kept")
        console.say(secret)
    return OK


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway apikey list`."""
    rows = ApiKey.objects.select_related("consumer").order_by("consumer__name", "name")
    if options.consumer is not None:
        rows = rows.filter(consumer=consumer_named(options.consumer))
    if not options.all:
        rows = rows.filter(revoked_at=None).exclude(expires_at__lte=timezone.now())
    return listed(rows, options, console, as_json=_as_json, line=_line)


def run_revoke(options: argparse.Namespace, console: Console) -> int:
    """`gateway apikey revoke KEY`."""
    key = _one(options.key, options.consumer)
    with changing():
        apikeys.revoke(key, by=author(options).name)
    return told(options, console, _as_json(key), f"revoked {key.name} of {key.consumer.name}")


def _owner(name: str) -> Consumer:
    """A consumer, or the consumer of an account."""
    user = User.objects.filter(username=name).first()
    return consumer_named(name) if user is None else accounts.consumer_of(user)


def _one(wanted: str, consumer: str | None) -> ApiKey:
    live = ApiKey.objects.filter(revoked_at=None).select_related("consumer")
    if consumer is not None:
        live = live.filter(consumer=consumer_named(consumer))
    found = list(live.filter(prefix=wanted)) or _named(live, wanted)
    if not found:
        raise CommandRefused(f'there is no key "{wanted}" that could be revoked')
    if len(found) > 1:
        owners = ", ".join(sorted(key.consumer.name for key in found))
        raise CommandRefused(f'several have a key "{wanted}": say --consumer with one of {owners}')
    return found[0]


def _named(keys: QuerySet[ApiKey], name: str) -> list[ApiKey]:
    return list(keys.filter(name=name)[:10])


def _as_json(key: ApiKey) -> dict[str, Any]:
    return {
        "name": key.name,
        "consumer": key.consumer.name,
        "prefix": key.prefix,
        "scopes": key.scopes,
        "created_at": rfc3339(key.created_at),
        "expires_at": rfc3339(key.expires_at),
        "last_used_at": rfc3339(key.last_used_at),
        "revoked_at": rfc3339(key.revoked_at),
    }


def _line(key: ApiKey) -> str:
    parts = (
        f"{key.consumer.name:<30} {key.name:<20} {key.prefix}",
        f"scopes {' '.join(key.scopes)}" if key.scopes is not None else "",
        f"expires {rfc3339(key.expires_at)}" if key.expires_at else "",
        f"last used {rfc3339(key.last_used_at)}" if key.last_used_at else "never used",
        f"revoked {rfc3339(key.revoked_at)}" if key.revoked_at else "",
    )
    return "  ".join(filter(None, parts))
