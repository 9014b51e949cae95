"""D: `gateway log-only` and `gateway log-only enforce`: whom policies in mode log would refuse, and enforcing one."""

import argparse
from typing import Any, Final

from observability.requests.enforcing import POLICIES, NothingToEnforce
from observability.requests.logonly import Group, NoSuchRoute, enforce, groups, with_callers
from routing.commands.console import OK, CommandRefused, Console, add_author, add_json, author
from routing.commands.documents import describe, sentence

SHOWN: Final = 5


def add(subparsers: Any) -> None:
    """Registers the subcommands."""
    parser = subparsers.add_parser("log-only", help="whom policies in mode log would refuse; enforce one")
    parser.add_argument("--route", default="", metavar="ROUTE", help="of this route alone")
    add_json(parser)
    parser.set_defaults(run=run_list)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    change = commands.add_parser("enforce", help="take `mode: log` out of a policy, and publish that")
    change.add_argument("route", metavar="ROUTE")
    change.add_argument("policy", metavar="POLICY", choices=POLICIES, help=", ".join(POLICIES))
    change.add_argument("--quota", default="", metavar="NAME", help="which of several quotas")
    change.add_argument("--dry-run", action="store_true", help="only say what it would change")
    add_author(change)
    add_json(change)
    change.set_defaults(run=run_enforce)


def run_list(options: argparse.Namespace, console: Console) -> int:
    """`gateway log-only`: those hit most often first."""
    found = with_callers(groups(options.route))
    if options.as_json:
        console.data([group.as_json() for group in found])
        return OK
    for group in found:
        console.say(_line(group))
        for row in group.rows[:SHOWN]:
            console.say(f"  {row.count:>8} × {row.caller}  {row.code}: {row.message}  {row.request_id}")
        if group.callers > SHOWN:
            console.say(f"  … and {group.callers - SHOWN} more callers")
    if not found:
        console.say("no policy is in mode log")
    return OK


def run_enforce(options: argparse.Namespace, console: Console) -> int:
    """`gateway log-only enforce ROUTE POLICY`."""
    try:
        outcome, places = enforce(
            options.route,
            options.policy,
            options.quota,
            actor=author(options),
            message=options.message,
            source="cli",
            dry_run=options.dry_run,
        )
    except (NothingToEnforce, NoSuchRoute) as error:
        raise CommandRefused(str(error)) from None
    if options.as_json:
        console.data({**describe(outcome), "places": places})
    else:
        console.say(f"{options.policy} of {' and '.join(places)}: {sentence(outcome)}")
    return OK


def _line(group: Group) -> str:
    state = "" if group.is_log or not group.route else " (not in mode log any more)"
    if not group.total:
        return f"{group.title}: would have refused nobody"
    callers = "1 caller" if group.callers == 1 else f"{group.callers} callers"
    requests = "1 request" if group.total == 1 else f"{group.total} requests"
    return f"{group.title}: would have refused {requests} of {callers}{state}"
