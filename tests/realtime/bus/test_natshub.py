"""NATS, the real one, with and without JetStream."""

from collections.abc import AsyncIterator
from contextlib import suppress
from secrets import token_hex
from typing import Any

import nats
import pytest
from nats.js.errors import NotFoundError

from realtime.bus import natshub
from realtime.bus.adapter import HubRefused, Message
from realtime.bus.natshub import ONLY_RECEIVED, STORED, NatsHub
from tests.support import busstory
from tests.support.brokers import URLS

pytestmark = pytest.mark.nats
NAME = f"TESTS_{token_hex(4)}"
URL = f"{URLS['nats']}?stream={NAME}"


@pytest.fixture(autouse=True)
async def _forget() -> AsyncIterator[None]:
    """The server is not these tests' alone."""
    yield
    client = await nats.connect(URLS["nats"])
    with suppress(NotFoundError):
        await client.jetstream().delete_stream(NAME)
    await client.close()


class WithoutJetStream(NatsHub):
    async def _find_jetstream(self, client: Any) -> None:
        return None


async def test_delivers() -> None:
    assert (await busstory.delivers(NatsHub, URL))[1] == busstory.SENT


async def test_notices_what_is_lost() -> None:
    assert (await busstory.notices_what_is_lost(NatsHub, URL))[1] == busstory.NOTICED


async def test_the_same_id_is_stored_once() -> None:
    """JetStream knows it for two minutes."""
    name, hub = busstory.topic(), NatsHub(URL)
    await hub.open()
    assert hub.guarantee == STORED
    for _ in range(2):
        await hub.send(Message(name, name, "", b"x"))
    info = await hub._jetstream.stream_info(NAME, subjects_filter=name)
    assert info.state.subjects == {name: 1}
    await hub.close()


async def test_without_jetstream_it_says_what_is_not_guaranteed() -> None:
    """The server has received it; who listens gets it."""
    name, hub = busstory.topic(), WithoutJetStream(URL)
    await hub.open()
    assert hub.guarantee == ONLY_RECEIVED
    assert hub._client is not None
    listener = await hub._client.subscribe(name)
    await hub.send(Message("1", name, "now", b"x", "text/plain"))
    got = await listener.next_msg(timeout=5)
    assert (got.data, got.headers["Nats-Msg-Id"], got.headers["Content-Type"]) == (b"x", "1", "text/plain")
    await hub.close()


@pytest.mark.parametrize(
    ("subjects", "left"),
    [
        (["a.b", "a.>", "b"], ["a.>", "b"]),
        (["a.*", "a.b", "a.b.c"], ["a.*", "a.b.c"]),
        (["a", "a.>", ">"], [">"]),
        (["a.>", "a.*.>"], ["a.>"]),
    ],
)
def test_subjects_of_a_stream_do_not_overlap(subjects: list[str], left: list[str]) -> None:
    assert natshub.widest(subjects) == left


async def test_what_is_too_large() -> None:
    """For this server, now and later."""
    hub = NatsHub(URL)
    await hub.open()
    with pytest.raises(HubRefused) as refused:
        await hub.send(Message("1", busstory.topic(), "", b"x" * (2 << 20)))
    assert refused.value.too_large
    await hub.close()
