"""What waits, what is dead, and the bounds of both."""

import pytest

from realtime.bus import kept
from realtime.models import DeadLetter, WaitingEvent
from tests.support.buses import message

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_what_waits_comes_back_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its order; what nobody needs of the headers is not kept."""
    events = [message(n, body=b"\0\xff", headers={"X-Consumer": "ada", "cookie": "s"}) for n in (3, 1, 2)]
    assert kept.put(events) == 3
    found = kept.first(2)
    assert [each for _, each in found] == [
        each._replace(headers={"x-consumer": "ada"}) for each in events[:2]
    ]
    kept.sent([key for key, _ in found])
    assert kept.held() == (1, 2)


@pytest.mark.parametrize(("most", "bound"), [("MOST_EVENTS", 2), ("MOST_BYTES", 20)])
def test_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch, most: str, bound: int) -> None:
    """The first ones are kept, the others are not: their senders are told."""
    monkeypatch.setattr(kept, most, bound)
    assert kept.put([message(n, body=b"x" * 8) for n in range(4)]) == 2
    assert kept.put([message(9, body=b"x" * 8)]) == 0
    assert [each.id for _, each in kept.first(9)] == ["e0", "e1"]


def test_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the place of what waited; the oldest give way; a huge body is not kept."""
    monkeypatch.setattr(kept, "MOST_DEAD", 2)
    monkeypatch.setattr(kept, "MOST_DEAD_BODY", 1000)
    kept.put([message(1)])
    ((key, waiting),) = kept.first(1)
    kept.bury(waiting, "not wanted", "out", key=key)
    assert kept.held() == (0, 0)
    kept.bury(message(2, topic="a\0" + "t" * 300, body=b"x" * 2000), "too large", "in")
    kept.bury(message(3), "no JSON", "in")
    large, last = DeadLetter.objects.order_by("pk")
    assert (large.size, len(large.body), large.reason) == (
        2000,
        kept.PREVIEW,
        "too large (its body was not kept)",
    )
    assert (last.direction, last.reason, str(last)) == ("in", "no JSON", "a.b e3")
    assert kept.send_again([large, last]) == 1
    assert [each.id for _, each in kept.first(9)] == ["e3"]
    assert DeadLetter.objects.get() == large


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (
            b'{"user":"ada","password":"hunter2","api_key": 12, "n":1}',
            '{"user":"ada","password":"…","api_key": "…", "n":1}',
        ),
        (b'{"Access-Token": "a\\"hunter2', '{"Access-Token": "…"'),
        (b"\xff<b>", "\ufffd<b>"),
        (b"x" * 501, "x" * 500 + "…"),
    ],
)
def test_a_preview_has_no_secret(body: bytes, shown: str) -> None:
    assert kept.preview(WaitingEvent(body=body, size=len(body))) == shown


def test_what_is_kept_is_counted() -> None:
    kept.put([message(1), message(2)])
    kept.bury(message(3), "it is not wanted", "out")

    size = len(message(1).body) + len(message(2).body)
    assert kept.numbers() == {"waiting": 2, "waiting_bytes": size, "dead_letters": 1}
