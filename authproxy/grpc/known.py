"""I: What is known of a service's methods: its uploaded descriptor set, or what its targets tell by reflection."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import grpc
import httpx
from grpc import aio

from authproxy.grpc.channels import Channels
from authproxy.grpc.messages import Method, Methods
from authproxy.grpc.reflection import NotReflected, files_of
from authproxy.grpc.streams import raise_for
from resilience.clock import monotonic
from routing import descriptors
from routing.descriptors import BadDescriptors

FRESH_S: Final = 300.0
"""How long descriptors are taken as they are before the server is asked again."""
RETRY_S: Final = 5.0
REFLECTION_S: Final = 5.0


class Descriptors:
    """Of one service of the gateway. A set that was uploaded is the whole truth: nobody is asked beside it."""

    def __init__(self, channels: Channels, uploaded: str | None) -> None:
        """Raises BadDescriptors, which checked documents do not have."""
        self._channels = channels
        self._uploaded = None if uploaded is None else Methods(descriptors.files_of(uploaded))
        self._methods: dict[str, tuple[Methods, float]] = {}
        self._asking: dict[str, asyncio.Task[str]] = {}

    def details(self, service: str, data: bytes) -> list[Any]:
        """What `Methods.details` says, as far as the service's types are known."""
        if self._uploaded is not None:
            return self._uploaded.details(data)
        known = self._methods.get(service)
        return known[0].details(data) if known else []

    async def method(self, urls: Sequence[httpx.URL], service: str, name: str) -> Method | str:
        """The method; a text for people says why it is not to be had.

        Stale descriptors are used while new ones are asked for, and while nobody answers.
        """
        methods = self._uploaded
        if methods is None:
            known = await self._reflected(urls, service)
            if isinstance(known, str):
                return known
            methods = known
        found = methods.find(service, name)
        if found is None:
            return f'The service "{service}" has no method "{name}".'
        return found

    async def _reflected(self, urls: Sequence[httpx.URL], service: str) -> Methods | str:
        known = self._methods.get(service)
        if known is None:
            why = await asyncio.shield(self._ask(urls, service))
            known = self._methods.get(service)
            if known is None:
                return why
        elif monotonic() >= known[1]:
            self._ask(urls, service)
        return known[0]

    def _ask(self, urls: Sequence[httpx.URL], service: str) -> "asyncio.Task[str]":
        """One at a time for each service."""
        task = self._asking.get(service)
        if task is None:
            task = self._asking[service] = asyncio.create_task(self._learn(tuple(urls), service))
            task.add_done_callback(lambda _task: self._asking.pop(service, None))
        return task

    async def _learn(self, urls: Sequence[httpx.URL], service: str) -> str:
        why = "The service has no target to ask."
        for url in urls:
            channel = self._channels.get(url)

            async def ask(path: str, message: bytes, channel: aio.Channel = channel) -> bytes | None:
                return await _asked(channel, path, message)

            try:
                async with asyncio.timeout(REFLECTION_S):
                    self._methods[service] = Methods(await files_of(service, ask)), monotonic() + FRESH_S
                return ""
            except NotReflected as problem:
                why = str(problem)
            except BadDescriptors as problem:
                why = f"The server's descriptors do not fit together: {problem}"
            except TimeoutError:
                why = "The server did not answer in time."
            except aio.AioRpcError as failure:
                why = f"The server could not be asked: {failure.code().name}"
        if service in self._methods:
            self._methods[service] = self._methods[service][0], monotonic() + RETRY_S
        return why

    def forget(self) -> None:
        """Nobody needs an answer any more."""
        for task in list(self._asking.values()):
            task.cancel()


async def _asked(channel: aio.Channel, path: str, message: bytes) -> bytes | None:
    """A conversation of one message, which looks like a call with one; None where the server has no such method."""
    talking = channel.unary_stream(path)(message, timeout=REFLECTION_S)
    try:
        answer = await talking.read()
        if answer is aio.EOF:
            await raise_for(talking)
            raise NotReflected("The server's reflection does not answer.")
        return bytes(answer)
    except aio.AioRpcError as failure:
        if failure.code() is grpc.StatusCode.UNIMPLEMENTED:
            return None
        raise
    finally:
        talking.cancel()
