"""What operators order of live connections, and what is refused."""

import pytest

from realtime.ending import as_json, end_all, end_some, ending_as_json
from realtime.models import SocketEnding
from routing.ordering import OrderRefused
from tests.support.livesockets import live, live_route

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_the_order_says_which_connection_it_meant() -> None:
    """The row of the connection is gone soon."""
    row = live(5, user="", address="192.0.2.9")
    (ending,) = end_some([row.pk, row.pk], by="anna", reason="too long")
    assert (ending.node, ending.number, ending.what) == ("w1", 5, "192.0.2.9 on live, 192.0.2.9")
    assert {**ending_as_json(ending), "at": ""} == {
        "ended": "192.0.2.9 on live, 192.0.2.9", "at": "", "by": "anna", "reason": "too long",
    }  # fmt: skip
    assert (as_json(row)["user"], as_json(row)["worker"]) == (None, "w1")


def test_all_or_none() -> None:
    """One that has ended meanwhile is said."""
    row = live()
    with pytest.raises(OrderRefused, match="there is no connection 999"):
        end_some([row.pk, 999], by="anna")
    with pytest.raises(OrderRefused):
        end_some([1 << 80], by="anna")
    assert not SocketEnding.objects.exists()


def test_routes_must_be_known() -> None:
    """Those that are gone but for their connections are."""
    live_route("chat")
    live(route="gone")
    assert end_all(route="gone", by="a").what == "all connections of gone"
    assert end_all(by="a").route == ""
    with pytest.raises(OrderRefused, match='there is no route "chta"'):
        end_all(route="chta", by="a")
    with pytest.raises(OrderRefused):
        end_all(route="a\0", by="a")
