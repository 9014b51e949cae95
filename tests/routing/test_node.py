"""Workers say what they serve; silent ones are forgotten."""

import os
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from routing import node
from routing.models import Node
from routing.revision import NodeState

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_a_report_is_one_row_that_is_overwritten() -> None:
    """The newest report counts."""
    node.report("a:1", role="all", state=NodeState())
    node.report(
        "a:1", role="all", state=NodeState(revision=3, since_s=1_000_000_000.0, error="revision 4: no")
    )
    row = Node.objects.get()
    assert (row.name, row.pid, row.revision, row.error) == ("a:1", os.getpid(), 3, "revision 4: no")
    assert row.since == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)


def test_silent_workers_are_removed() -> None:
    """After a minute, by any other's report."""
    node.report("a:1", role="all", state=NodeState())
    node.report("a:2", role="all", state=NodeState())
    Node.objects.filter(name="a:1").update(heartbeat=timezone.now() - timedelta(seconds=61))
    node.report("a:3", role="all", state=NodeState())
    assert [row.name for row in Node.objects.all()] == ["a:2", "a:3"]


def test_a_worker_that_ends_takes_its_row_with_it() -> None:
    """Only its own."""
    node.report(node.node_name(), role="all", state=NodeState())
    node.report("other:1", role="all", state=NodeState())
    node.forget(node.node_name())
    assert [row.name for row in Node.objects.all()] == ["other:1"]


def test_names_tell_workers_apart() -> None:
    """Host and process."""
    assert node.node_name().endswith(f":{os.getpid()}")
