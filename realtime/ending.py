"""D: What operators do to proxied connections: end one, those of a route, or all. Every door comes through here.

The row is the order; each worker carries it out within a second, and sooner when woken.
"""

import logging
from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from authproxy.moments import rfc3339
from realtime.models import LiveSocket, SocketEnding
from resilience.rows.breakers import REASON_LENGTH, WHO_LENGTH
from routing.auditing import Deed, gathering, record
from routing.breaking import CHANNEL
from routing.dbtext import db_text
from routing.locking import clear_errors
from routing.models import Route
from routing.notify import tell
from routing.orderfeed import hold_orders
from routing.ordering import MOST_NAMES, OrderRefused
from routing.problems import did_you_mean

LOG: Final = logging.getLogger("torana.sockets")
MOST_ID: Final = 1 << 62


def end_some(keys: Iterable[int], *, by: str, reason: str = "") -> list[SocketEnding]:
    """Ends connections by their ids, all or none."""
    wanted = list(dict.fromkeys(keys))
    with clear_errors(), gathering():
        hold_orders()
        rows = LiveSocket.objects.in_bulk([key for key in wanted if 0 < key < MOST_ID])
        missing = [key for key in wanted if key not in rows]
        if missing:
            raise OrderRefused("id", f"there is no connection {missing[0]}, or it has ended")
        return [
            _order(by, reason, f"{row}, {row.address}", node=row.node, number=row.number)
            for row in rows.values()
        ]


def end_all(*, route: str = "", by: str, reason: str = "") -> SocketEnding:
    """Ends all connections, or those of a route."""
    with clear_errors(), transaction.atomic():
        hold_orders()
        if route and not _is_known(route):
            names = Route.objects.values_list("name", flat=True)[:MOST_NAMES]
            raise OrderRefused("route", f'there is no route "{route}"{did_you_mean(route, names)}')
        what = f"all connections of {route}" if route else "all connections"
        return _order(by, reason, what, route=route)


def as_json(row: LiveSocket) -> dict[str, Any]:
    """One connection for programs."""
    return {
        "id": row.pk,
        "user": row.user or None,
        "address": row.address,
        "route": row.route,
        "service": row.service,
        "target": row.target,
        "since": rfc3339(row.since),
        "received": row.received,
        "sent": row.sent,
        "worker": row.node,
    }


def ending_as_json(row: SocketEnding) -> dict[str, Any]:
    """What was ordered."""
    return {"ended": row.what, "at": rfc3339(row.at), "by": row.by, "reason": row.reason or None}


def _is_known(route: str) -> bool:
    """A route that is gone may have connections still."""
    if "\0" in route:
        return False
    rows = Route.objects.filter(name=route), LiveSocket.objects.filter(route=route)
    return any(each.exists() for each in rows)


def _order(
    by: str, reason: str, what: str, *, route: str = "", node: str = "", number: int = 0
) -> SocketEnding:
    row = SocketEnding.objects.create(
        at=timezone.now(),
        by=db_text(by, WHO_LENGTH),
        reason=db_text(reason, REASON_LENGTH),
        route=route,
        node=node,
        number=number,
        what=db_text(what, 500),
    )
    about = ("routes", route) if route else ("sockets", what)
    record(Deed("sockets.end", (about,), by, reason, details={"what": what}))
    tell(CHANNEL, "sockets")
    transaction.on_commit(lambda: _log(row))
    return row


def _log(row: SocketEnding) -> None:
    LOG.info("%s: ended by %s (%s)", ascii(row.what), ascii(row.by), ascii(row.reason))
