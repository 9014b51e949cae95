"""What unsafe requests do to stored answers."""

from authproxy.caching.cache import Cache
from authproxy.caching.entry import Entry
from authproxy.caching.freshness import Times
from authproxy.caching.invalidating import Changing, named
from authproxy.caching.keys import NOBODY, Key
from authproxy.shaping.pieces import memory_response

URL = ("http", b"h.test", b"/a/x", b"q=1")


def test_urls_of_the_same_origin_are_named() -> None:
    """Relative to the request's own; of other origins, and what is none, none."""
    headers = [
        (b"location", b"/b?c=1"),
        (b"content-location", b"y"),
        (b"location", b"http://H.test/../z"),
        (b"location", b"https://h.test/other"),
        (b"location", b"http://other.test/a"),
        (b"location", b"http://["),
        (b"link", b"/not-this"),
    ]

    assert list(named(URL, headers)) == [
        ("http", b"h.test", b"/b", b"c=1"),
        ("http", b"h.test", b"/a/y", b""),
        ("http", b"h.test", b"/z", b""),
    ]


async def test_only_success_ends_what_is_stored() -> None:
    """RFC 9111 section 4.4: 2xx and 3xx."""
    cache = Cache()
    key = Key(b"c", NOBODY, URL)
    for status, is_there in ((500, True), (404, True), (204, False), (303, False)):
        cache.memory.put(key, Entry(200, [], b"", Times(0, 60), route="r"), ())
        opened = cache.open(URL)
        response = memory_response(status, [], b"")

        assert await Changing(cache, URL).received(None, response) is response  # type: ignore[arg-type]
        assert (cache.memory.find(key) is not None, opened.barred) == (is_there, not is_there)
        cache.close(opened)
