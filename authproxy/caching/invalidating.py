"""I: What an unsafe request does to stored answers (RFC 9111 section 4.4): those of its URL hold no longer.

Also those of the URLs that its answer names in Location and Content-Location, if they are of the same origin.
"""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from authproxy.caching.cache import Cache
from authproxy.caching.keys import URL
from authproxy.exchange import Exchange
from authproxy.headers import Pairs
from authproxy.upstream import slim
from routing.paths import BadPath, normalise

_NAMING: Final = frozenset({b"location", b"content-location"})
LONGEST: Final = 2000


class Changing:
    """What the shaper `fill` finds with such a request."""

    __slots__ = ("_cache", "_url")

    def __init__(self, cache: Cache, url: URL) -> None:
        self._cache = cache
        self._url = url

    async def received(self, exchange: Exchange, response: httpx.Response) -> httpx.Response:
        """The answer, once nothing older is served any more here or by way of Redis. Errors change nothing."""
        if 200 <= response.status_code < 400:
            changed = dict.fromkeys([self._url, *named(self._url, slim.raw_pairs(response))])
            await self._cache.invalidate(*changed)
        return response


def named(url: URL, headers: Pairs) -> Iterator[URL]:
    """The URLs of the same origin that an answer names."""
    scheme, host, path, _ = url
    base = f"{scheme}://{host.decode('latin-1')}{path.decode('latin-1')}"
    for name, value in headers:
        if name not in _NAMING or len(value) > LONGEST:
            continue
        try:
            parts = urlsplit(urljoin(base, value.decode("latin-1")))
        except ValueError:
            continue
        normal = normalise(parts.path.encode("latin-1") or b"/")
        is_own = parts.scheme == scheme and parts.netloc.lower().encode("latin-1") == host
        if is_own and not isinstance(normal, BadPath):
            yield scheme, host, normal.forward, parts.query.encode("latin-1")
