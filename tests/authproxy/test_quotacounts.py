"""What is recorded of calendar quotas, in words."""

import pytest

from authproxy import apikeys, consumers
from authproxy.quotacounts import as_json, current, of_key, of_period, of_quota, quota_names, told
from resilience.models import QuotaCount
from tests.support.counts import configured, counted

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_limits_are_those_of_the_live_configuration() -> None:
    """Those of the caller's plan, if it has one; of a quota that is no more, or counts otherwise now, there is none."""
    configured()
    robot = consumers.create("robot", kind="service", plan="gold")
    key, _ = apikeys.create(robot, "nightly", by="test")
    rows = [
        counted("d|free|consumer:ada", 4),
        counted("d|free|consumer:robot", 4),
        counted(f"d|free|api_key:{key.pk}|route:r", 100),
        counted("m|month|ip:192.0.2.1", 1200, days=20),
        counted("m|free|consumer:ada", 4, days=20),
        counted("d|gone|consumer:ada", 4),
    ]
    assert [(each.limit, each.left, each.state) for each in told(rows)] == [
        (10, 6, "has room"),
        (100, 96, "has room"),
        (100, 0, "used up"),
        (1000, 0, "used up"),
        (None, None, "has room"),
        (None, None, "has room"),
    ]
    assert quota_names() == ["free", "month"]


def test_rows_of_any_shape_are_told() -> None:
    """Without a configuration, after their window, and with a key of which only a digest is known."""
    rows = [
        counted("d|q|" + "0af1" * 8, 1, days=0),
        counted("x", 1),
        counted("d|q|header:x=%" + "0a" * 16, 2),
    ]
    found = told(rows)
    assert (found[0].state, found[0].caller) == ("over", "#" + "0af1" * 8)
    assert (found[1].quota, found[1].key, found[1].limit) == ("", "", None)
    assert found[2].caller == "header x: #" + "0a" * 16
    assert quota_names() == []


def test_rows_are_found() -> None:
    """By quota, period, caller, and whether their window goes on."""
    for bucket, days in (("d|free|a", 1), ("m|free|a", 9), ("d|freedom|a", 1), ("d|free|b", 0)):
        counted(bucket, 1, days=days)

    def found(which: object) -> set[str]:
        return set(QuotaCount.objects.filter(which).values_list("bucket", flat=True))

    assert found(of_quota("free")) == {"d|free|a", "m|free|a", "d|free|b"}
    assert found(of_period("month")) == {"m|free|a"}
    assert found(of_key("free", "a")) == {"d|free|a", "m|free|a"}
    assert found(current()) == {"d|free|a", "m|free|a", "d|freedom|a"}


def test_for_programs() -> None:
    """All of it, in one go."""
    configured()
    (found,) = as_json([counted("d|free|consumer:ada", 4)])
    assert found.pop("ends_at").endswith("T00:00:00Z")
    assert found == {
        "quota": "free", "per": "day", "key": "consumer:ada", "caller": "consumer ada",
        "used": 4, "limit": 10, "left": 6,
    }  # fmt: skip
