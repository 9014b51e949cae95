"""`gateway sockets list` and `end`."""

import pytest

from realtime.models import SocketEnding
from tests.support.cli import gateway
from tests.support.livesockets import live, live_route

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_people_get_a_line_each_and_programs_json() -> None:
    """All of them, or those of a route or a caller."""
    row = live(1, received=10, sent=20)
    live(2, user="", route="other")
    anonymous, ada = gateway("sockets", "list").out.splitlines()
    assert anonymous.split()[1] == "anonymous"
    assert ada.split()[:4] == [str(row.pk), "ada", "192.0.2.1", "live"]
    assert "10 bytes in, 20 out" in ada
    (found,) = gateway("sockets", "list", "--route", "live", "--user", "ada", "--json").data
    assert (found["id"], found["received"]) == (row.pk, 10)
    assert gateway("sockets", "list", "--user", "bert", "--json").data == []


def test_an_operator_ends_some_a_routes_or_all() -> None:
    """The history says who and why."""
    live_route()
    row = live()
    ran = gateway("sockets", "end", str(row.pk), "--reason", "stuck", "--as", "anna")
    assert (ran.code, ran.out) == (0, "ended ada on live, 192.0.2.1\n")
    assert (
        gateway("sockets", "end", "--route", "live", "--as", "anna").out == "ended all connections of live\n"
    )
    (ending,) = gateway("sockets", "end", "--all", "--json", "--as", "bert").data["endings"]
    assert (ending["ended"], ending["by"]) == ("all connections", "bert")
    assert SocketEnding.objects.count() == 3


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "say which"),
        (("1", "--all"), "say which"),
        (("12345",), "there is no connection 12345"),
        (("--route", "nope"), 'there is no route "nope"'),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(arguments: tuple[str, ...], why: str) -> None:
    """And changes nothing."""
    ran = gateway("sockets", "end", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert why in ran.err
    assert ran.err.count("\n") == 1
    assert not SocketEnding.objects.exists()
