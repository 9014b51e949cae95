"""Bodies that are larger than a limit in `mode: log`: noted once, and passed on."""

from authproxy.rejections import Code
from authproxy.shaping.sizewatch import SizeWatch
from tests.support.asgi import playback
from tests.support.exchanges import exchange


def test_an_announced_size_is_judged_at_once() -> None:
    """By the head alone; nothing is read."""
    small, large = [exchange(headers=[(b"content-length", size)]) for size in (b"10", b"11")]
    for each in (small, large):
        SizeWatch(10).step(each)

    assert small.would == ()
    [(policy, refusal)] = large.would
    assert (policy, refusal.code, refusal.details) == ("limits", Code.PAYLOAD_TOO_LARGE, {"max_body": 10})


async def test_a_body_of_unknown_length_is_counted_while_it_passes() -> None:
    """It is noted at the piece that is too much, once, and every piece goes on."""
    given = exchange(headers=[(b"transfer-encoding", b"chunked")])
    given.receive = playback(*[{"type": "http.request", "body": b"1234", "more_body": True}] * 4)
    SizeWatch(10).step(given)
    seen = [(len((await given.receive())["body"]), len(given.would)) for _ in range(4)]

    assert seen == [(4, 0), (4, 0), (4, 1), (4, 1)]
