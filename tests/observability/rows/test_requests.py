"""Rows of requests and of callers that policies in mode log would refuse."""

from observability.rows.requests import KeptRequest, WouldRefuse


def test_they_say_what_they_are() -> None:
    """As lists and titles show them."""
    assert str(KeptRequest(method="GET", path="/a")) == "GET /a"
    assert str(WouldRefuse(caller="ada", policy="ip", route="r")) == "ada by ip of r"


def test_the_address_has_its_query() -> None:
    """If there was one."""
    assert KeptRequest(path="/a", query="b=1").url == "/a?b=1"
    assert KeptRequest(path="/a").url == "/a"
