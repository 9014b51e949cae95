"""`gateway slo`."""

import json

import pytest

from tests.observability.slo.test_standing import published
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def test_lines_and_json() -> None:
    """A line for each objective; all as JSON; and a word where there is none."""
    assert "no route has an objective" in gateway("slo").out
    published()
    lines = gateway("slo").out.splitlines()
    assert [line.split()[:2] for line in lines] == [["orders", "availability"], ["orders", "latency"]]
    found = json.loads(gateway("slo", "orders", "--json").out)
    assert [each["target"] for each in found] == [0.99, 0.9]
