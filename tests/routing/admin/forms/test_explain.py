"""The explain form: the parts of a request, or a command that holds them."""

import pytest

from routing.admin.forms.explain import MOST_HEADERS, ExplainForm, initial_of
from routing.curl import Request

LIVE = {"configuration": "live"}


@pytest.mark.parametrize(
    ("data", "request_"),
    [
        ({"url": " http://a.test/x "}, Request("GET", "http://a.test/x", ())),
        ({"url": "/x", "method": "PUT"}, Request("PUT", "/x", ())),
        ({"url": "/x", "headers": "a: b\n\nc:d: e"}, Request("GET", "/x", (("a", "b"), ("c", "d: e")))),
        ({"url": "/x", "curl": "curl -X POST /y"}, Request("POST", "/y", ())),
    ],
)
def test_request(data: dict[str, str], request_: Request) -> None:
    """A command wins over the fields; without a method it is GET."""
    form = ExplainForm({**LIVE, **data})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["request"] == request_


@pytest.mark.parametrize(
    ("data", "field", "says"),
    [
        ({}, "url", "Give the URL"),
        ({"curl": "ls"}, "curl", "begins with curl"),
        ({"url": "/x", "headers": "a: b\nc"}, "headers", "Line 2"),
        ({"url": "/x", "headers": "a: b\n" * (MOST_HEADERS + 1)}, "headers", "At most"),
        ({"url": "http://["}, "url", 'cannot be sent: "[" is no host'),
        ({"url": "http:///x"}, "url", "is no host"),
        ({"url": "http://h/x", "headers": "Host: a b"}, "headers", 'Host has no host: "a b"'),
        ({"curl": "curl 'http://['"}, "curl", "is no host"),
        ({"url": "/x", "address": "somewhere"}, "address", "valid IPv4 or IPv6 address"),
    ],
)
def test_faults(data: dict[str, str], field: str, says: str) -> None:
    """Each at its field."""
    form = ExplainForm({**LIVE, **data})
    assert list(form.errors) == [field]
    assert says in form.errors[field][0]


def test_fields_of_a_request_give_the_request() -> None:
    """What a route's page fills in means what it says."""
    request = Request("POST", "http://a.test/x", (("a", "b"), ("c", "d")))
    form = ExplainForm({**LIVE, **initial_of(request)})
    assert form.is_valid()
    assert form.cleaned_data["request"] == request


@pytest.mark.parametrize(("action", "wanted"), [("", ""), ("subscribe", "subscribe"), ("publish", "publish")])
def test_topic_takes_the_place_of_a_request(action: str, wanted: str) -> None:
    """A method is always there, and means nothing."""
    form = ExplainForm({**LIVE, "method": "GET", "topic": " orders.7 ", "action": action})
    assert form.is_valid(), form.errors
    assert (form.cleaned_data["topic"], form.cleaned_data["action"]) == ("orders.7", wanted)


@pytest.mark.parametrize(
    "data",
    [
        {"topic": "a b"},
        {"topic": "orders.*"},
        {"topic": "x" * 201},
        *({"topic": "orders", name: value} for name, value in
          {"url": "/x", "curl": "curl /x", "headers": "a: b", "address": "192.0.2.7"}.items()),
    ],
)  # fmt: skip
def test_faulty_topic(data: dict[str, str]) -> None:
    """Told at its field, once: also where a request is given beside it."""
    form = ExplainForm({**LIVE, **data})
    assert {field: len(told) for field, told in form.errors.items()} == {"topic": 1}
