"""D: Rows in which workers say which revision they serve; those that fell silent are removed."""

import os
import socket
from datetime import UTC, datetime, timedelta
from typing import Final

from django.utils import timezone

from routing.models import Node
from routing.revision import NodeState

HEARTBEAT_S: Final = 5.0
SILENT_AFTER_S: Final = 60.0


def node_name() -> str:
    """This worker's name: host and process."""
    return f"{socket.gethostname()}:{os.getpid()}"[:200]


def report(name: str, *, role: str, state: NodeState) -> None:
    """Writes this worker's row and removes those of workers that fell silent."""
    now = timezone.now()
    since = None if state.since_s is None else datetime.fromtimestamp(state.since_s, UTC)
    row = Node(
        name=name,
        pid=os.getpid(),
        role=role,
        revision=state.revision,
        since=since,
        error=state.error,
        heartbeat=now,
    )
    Node.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["name"],
        update_fields=["pid", "role", "revision", "since", "error", "heartbeat"],
    )
    silent = Node.objects.filter(heartbeat__lt=now - timedelta(seconds=SILENT_AFTER_S))
    if silent.exists():
        silent.delete()


def forget(name: str) -> None:
    """This worker ends."""
    Node.objects.filter(name=name).delete()
