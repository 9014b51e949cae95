"""Reading on behind a head that asked for an upgrade."""

import pytest

from gateway_project.server.upgrades import resume_body_parser


class Log:
    """Notes what the parser finds."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def on_message_begin(self) -> None:
        self.events.append("begin")

    def on_url(self, url: bytes) -> None:
        self.events.append(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.events.append((name, value))

    def on_headers_complete(self) -> None:
        self.events.append("head")

    def on_body(self, body: bytes) -> None:
        self.events.append(body)

    def on_message_complete(self) -> None:
        self.events.append("end")


@pytest.mark.parametrize(("length", "body"), [(3, b"abc"), (None, b"3\r\nabc\r\n0\r\n\r\n")])
def test_body_then_the_next_request(length: int | None, body: bytes) -> None:
    """The made-up head is not heard of; everything after it is."""
    log = Log()
    parser = resume_body_parser(log, length=length, keep_alive=True)
    before = list(log.events)
    parser.feed_data(body + b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")

    assert before == []
    assert log.events == [b"abc", "end", "begin", b"/x", (b"Host", b"a"), "head", "end"]


def test_persistence_is_the_original_request_s() -> None:
    """Behind a last request the parser refuses more."""
    log = Log()
    parser = resume_body_parser(log, length=1, keep_alive=False)
    with pytest.raises(Exception, match="Data after"):
        parser.feed_data(b"xGET / HTTP/1.1\r\n")

    assert log.events == [b"x", "end"]
