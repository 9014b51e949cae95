"""I: Documents of identity providers, over HTTP: small ones, within seconds, from the address that was given."""

import asyncio
from typing import Final

import httpx

from authproxy.keyset import Fetched, FetchFailed

LONGEST_DOCUMENT: Final = 512 * 1024
TIMEOUT_S: Final = 5.0
_FIELDS: Final = {
    "accept": "application/json, application/jwk-set+json",
    "accept-encoding": "identity",  # what is decoded may be much longer than what came
    "user-agent": "torana",
}


class DocumentFetcher:
    """Fetches by GET. Proxies and certificates are the environment's; a redirect is a failure, not followed."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S, longest: int = LONGEST_DOCUMENT) -> None:
        self._timeout_s = timeout_s
        self._longest = longest
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, url: str) -> Fetched:
        """The document at `url`; raises FetchFailed."""
        if self._client is None:
            # Reading the certificates of all authorities takes longer than requests may be held up.
            self._client = await asyncio.to_thread(self._new_client)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._get(self._client, url)
        except TimeoutError:
            raise FetchFailed(f"no answer within {self._timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise FetchFailed(type(error).__name__) from error

    def _new_client(self) -> httpx.AsyncClient:
        # Documents are minutes apart: a connection that was kept would be stale.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.AsyncClient(timeout=self._timeout_s, headers=_FIELDS, limits=limits)

    async def _get(self, client: httpx.AsyncClient, url: str) -> Fetched:
        async with client.stream("GET", url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise FetchFailed(f"status {answer.status_code}")
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise FetchFailed("came encoded")
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > self._longest:
                    raise FetchFailed(f"more than {self._longest} bytes")
            fields = answer.headers
            return Fetched(bytes(body), fields.get("cache-control", ""), fields.get("age", ""))
