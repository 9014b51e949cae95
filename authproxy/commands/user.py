"""D: `gateway user create`, `list`, `enable` and `disable`."""

import argparse
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from authproxy import accounts
from authproxy.commands.shared import (
    add_change,
    add_group,
    add_list,
    add_roles,
    changing,
    groups_named,
    listed,
    told_switched,
    user_named,
)
from authproxy.moments import rfc3339
from routing.commands.console import OK, Console, author


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    commands = add_group(subparsers, "user", "accounts of people")

    create = add_change(commands, "create", "make an account", run_create)
    create.add_argument("--email", default="", metavar="E")
    create.add_argument("--password", metavar="P", help="without it, one is generated and printed")
    add_roles(create)
    create.add_argument(
        "--staff", action="store_true", help="may sign in to admin, and pass routes of level admin"
    )

    add_list(commands, "every account", run_list)
    add_change(commands, "enable", "let an account in again", partial(run_switch, is_on=True))
    shut_out = "shut an account out and end its sessions, everywhere within a second"
    add_change(commands, "disable", shut_out, partial(run_switch, is_on=False))


def run_create(options: argparse.Namespace, console: Console) -> int:
    """`gateway user create NAME`. A weak password is the operator's choice, and is remarked on."""
    with changing():
        roles = groups_named(options.roles, console)
        user, password = accounts.create(
            options.name, email=options.email, password=options.password, roles=roles, is_staff=options.staff
        )
    if options.password is not None:
        _warn_of_weakness(password, user, console)
    if options.as_json:
        made_up = {} if options.password is not None else {"password": password}
        console.data({**_as_json(user), **made_up})
    elif options.password is not None:
        console.say(f"created user {user.get_username()}")
    else:
        console.warn(f"created user {user.get_username()}; the password, shown this once:")
        console.say(password)
    return OK


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway user list`."""
    rows = User.objects.prefetch_related("groups").order_by("username")
    return listed(rows, options, console, as_json=_as_json, line=_line)


def run_switch(options: argparse.Namespace, console: Console, *, is_on: bool) -> int:
    """`gateway user enable NAME`, `gateway user disable NAME`."""
    user = user_named(options.name)
    with changing():
        changed = accounts.set_active([user], is_on, by=author(options).name)
    return told_switched(options, console, _as_json(user), is_on=is_on, changed=changed)


def _warn_of_weakness(password: str, user: User, console: Console) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        console.warn(f"warning: {' '.join(error.messages)}")


def _as_json(user: User) -> dict[str, Any]:
    return {
        "id": user.pk,
        "username": user.get_username(),
        "email": user.email,
        "roles": sorted(group.name for group in user.groups.all()),
        "staff": user.is_staff,
        "active": user.is_active,
        "created_at": rfc3339(user.date_joined),
        "last_login": rfc3339(user.last_login),
    }


def _line(user: User) -> str:
    roles = " ".join(sorted(group.name for group in user.groups.all()))
    parts = (
        f"{user.get_username():<30} {user.email:<30}",
        f"roles {roles}" if roles else "",
        "staff" if user.is_staff else "",
        "" if user.is_active else "disabled",
    )
    return "  ".join(filter(None, parts)).rstrip()
