"""I: gRPC channels to targets, one each, with the service's TLS."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import grpc
import httpx
from grpc import aio

from authproxy.upstream.errors import NOTHING_SENT, TlsFailed, with_progress
from authproxy.upstream.tls import TlsOptions
from resilience.clock import monotonic

LARGEST_MESSAGE: Final = 16 << 20
CLOSING_S: Final = 60.0
# An attempt to connect may take `min_reconnect_backoff_ms`, whoever waits for it as long as the service lets requests.
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 5000),
    ("grpc.max_reconnect_backoff_ms", 1000),
)
READY: Final = grpc.ChannelConnectivity.READY
_UNDECIDED: Final = (grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.CONNECTING)
_CLOSING: Final[set["asyncio.Task[None]"]] = set()


class Channels:
    """Of one service."""

    def __init__(self, tls: TlsOptions) -> None:
        self._tls = tls
        self._channels: dict[str, aio.Channel] = {}
        self._opening: set[aio.Channel] = set()

    def get(self, url: httpx.URL) -> aio.Channel:
        """The one to a target, for all calls. Raises TlsFailed for a certificate that cannot be read."""
        key = str(url)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = self.opened(url)
        return channel

    async def connected(self, channel: aio.Channel, told: dict[str, Any]) -> None:
        """Returns when it is connected, or cannot be for now: a call says why. Whoever comes first has it opened, and
        is told the seconds that this took as `connecting_s`."""
        state = channel.get_state(try_to_connect=True)
        if state not in _UNDECIDED:
            return
        is_first, began = channel not in self._opening, monotonic()
        self._opening.add(channel)
        try:
            while state in _UNDECIDED:
                await channel.wait_for_state_change(state)
                state = channel.get_state(try_to_connect=True)
        finally:
            if is_first:
                self._opening.discard(channel)
                told["connecting_s"] = monotonic() - began

    def opened(self, url: httpx.URL) -> aio.Channel:
        """A new one, which the caller closes. Raises TlsFailed."""
        options: list[tuple[str, Any]] = list(_OPTIONS)
        address = f"unix:{url.path}" if url.scheme == "unix" else url.netloc.decode("ascii")
        if url.scheme != "https":
            return aio.insecure_channel(address, options=options)
        if url.port is None:
            address += ":443"
        if self._tls.sni:
            options += [
                ("grpc.ssl_target_name_override", self._tls.sni),
                ("grpc.default_authority", self._tls.sni),
            ]
        ca, cert, key = (_pem(each) for each in (self._tls.ca, self._tls.cert, self._tls.key))
        return aio.secure_channel(address, grpc.ssl_channel_credentials(ca, key, cert), options=options)

    def keep_only(self, urls: Iterable[httpx.URL]) -> None:
        """Channels to others are closed, after the calls that they carry."""
        kept = {str(url) for url in urls}
        for key in self._channels.keys() - kept:
            channel = self._channels.pop(key)
            closing = asyncio.get_running_loop().create_task(channel.close(CLOSING_S))
            _CLOSING.add(closing)
            closing.add_done_callback(_CLOSING.discard)

    async def aclose(self, grace_s: float) -> None:
        """All of them."""
        channels, self._channels = list(self._channels.values()), {}
        await asyncio.gather(*(channel.close(grace_s) for channel in channels))


def _pem(value: str | None) -> bytes | None:
    if value is None or "-----BEGIN " in value:
        return None if value is None else value.encode()
    try:
        return Path(value).read_bytes()
    except OSError as problem:
        raise with_progress(
            TlsFailed(f"a certificate or key cannot be read: {problem}"), NOTHING_SENT
        ) from problem
