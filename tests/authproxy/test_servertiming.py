"""`Server-Timing` under DEBUG: which steps are told, and that every answer of the pipeline tells."""

from typing import Any

import pytest

from authproxy.servertiming import spent, tell


class Timed:
    """What is looked at of an exchange."""

    def __init__(self, **moments: float) -> None:
        self.started, self.admitted, self.forwarded, self.answered = 1.0, 0.0, 0.0, 0.0
        self.connecting_s = 0.0
        self.__dict__ |= moments


@pytest.mark.parametrize(
    ("moments", "said"),
    [
        ({}, b"total;dur=1000.0"),
        ({"admitted": 1.25}, b"total;dur=1000.0, admission;dur=250.0"),
        (
            {"admitted": 1.25, "forwarded": 1.5, "answered": 1.75},
            b"total;dur=1000.0, admission;dur=250.0, queue;dur=250.0, upstream;dur=250.0",
        ),
        (
            {"admitted": 1.25, "forwarded": 1.5, "answered": 1.75, "connecting_s": 0.125},
            b"total;dur=1000.0, admission;dur=250.0, queue;dur=250.0, upstream;dur=250.0, connect;dur=125.0",
        ),
    ],
)
def test_steps_that_it_came_to(moments: dict[str, float], said: bytes) -> None:
    """In milliseconds; an answer of the gateway itself had no upstream."""
    assert spent(Timed(**moments), 2.0) == said


async def test_only_the_head_tells() -> None:
    """Other messages go on as they are; the list of fields is not changed in place."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    exchange: Any = Timed(send=send)
    tell(exchange)
    fields = ((b"a", b"b"),)
    await exchange.send({"type": "http.response.start", "status": 200, "headers": fields})
    await exchange.send({"type": "http.response.body", "body": b"x"})
    assert [name for name, _ in sent[0]["headers"]] == [b"a", b"server-timing"]
    assert sent[1] == {"type": "http.response.body", "body": b"x"}
