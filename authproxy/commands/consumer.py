"""D: `gateway consumer create`, `list`, `enable`, `disable` and `delete`."""

import argparse
from functools import partial
from typing import Any

from authproxy import consumers
from authproxy.commands.shared import (
    add_change,
    add_group,
    add_list,
    add_roles,
    changing,
    consumer_named,
    groups_named,
    listed,
    told,
    told_switched,
)
from authproxy.liveroles import live_roles
from authproxy.models import Consumer
from authproxy.moments import rfc3339
from authproxy.rows.consumers import KINDS
from routing.commands.console import Console, author
from routing.problems import did_you_mean


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "consumer", "who calls the API: programs and people")

    create = add_change(commands, "create", "make a consumer that is no account", run_create)
    create.add_argument("--kind", choices=KINDS, default="user", help="default: user")
    create.add_argument("--plan", default="", metavar="P", help="a plan of the configuration")
    add_roles(create)
    create.add_argument("--scope", action="append", default=[], metavar="S", dest="scopes", help="likewise")

    add_list(commands, "every consumer", run_list)
    add_change(commands, "enable", "let a consumer in again", partial(run_switch, is_on=True))
    add_change(
        commands,
        "disable",
        "shut a consumer out, everywhere within a second",
        partial(run_switch, is_on=False),
    )
    add_change(commands, "delete", "delete a consumer with its keys", run_delete)


def run_create(options: argparse.Namespace, console: Console) -> int:
    """`gateway consumer create NAME`."""
    with changing():
        roles = groups_named(options.roles, console)
        consumer = consumers.create(
            options.name, kind=options.kind, plan=options.plan, roles=roles, scopes=options.scopes
        )
    plans = live_roles().plans
    if consumer.plan and consumer.plan not in plans:
        console.warn(f'warning: there is no plan "{consumer.plan}" yet{did_you_mean(consumer.plan, plans)}')
    text = f"created {consumer.kind} consumer {consumer.name}"
    return told(options, console, _as_json(consumer), text)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway consumer list`."""
    rows = Consumer.objects.select_related("user").prefetch_related("roles")
    return listed(rows, options, console, as_json=_as_json, line=_line)


def run_switch(options: argparse.Namespace, console: Console, *, is_on: bool) -> int:
    """`gateway consumer enable NAME`, `gateway consumer disable NAME`."""
    consumer = consumer_named(options.name)
    with changing():
        found = Consumer.objects.filter(pk=consumer.pk)
        changed = consumers.set_enabled(found, is_on, by=author(options).name)
    consumer.enabled = is_on
    return told_switched(options, console, _as_json(consumer), is_on=is_on, changed=changed)


def run_delete(options: argparse.Namespace, console: Console) -> int:
    """`gateway consumer delete NAME`."""
    consumer = consumer_named(options.name)
    data = _as_json(consumer)
    with changing():
        consumers.delete(consumer)
    return told(options, console, data, f"deleted consumer {options.name}")


def _as_json(consumer: Consumer) -> dict[str, Any]:
    return {
        "name": consumer.name,
        "kind": consumer.kind,
        "enabled": consumer.enabled,
        "plan": consumer.plan or None,
        "roles": sorted(role.name for role in consumer.roles.all()),
        "scopes": consumer.scopes or [],
        "account": consumer.user.get_username() if consumer.user is not None else None,
        "created_at": rfc3339(consumer.created_at),
    }


def _line(consumer: Consumer) -> str:
    roles = " ".join(sorted(role.name for role in consumer.roles.all()))
    parts = (
        f"{consumer.name:<30} {consumer.kind:<8}",
        "" if consumer.enabled else "disabled",
        f"plan {consumer.plan}" if consumer.plan else "",
        f"roles {roles}" if roles else "",
        f"scopes {' '.join(consumer.scopes)}" if consumer.scopes else "",
    )
    return "  ".join(filter(None, parts)).rstrip()
