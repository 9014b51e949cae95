"""Where quotas are counted, and what is said where nobody can be asked."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from authproxy.remaining import Peeked
from gateway_project import peeking
from gateway_project.connections import Redis
from gateway_project.embedded import start_valkey
from gateway_project.server.ports import keep_port
from gateway_project.variables import Secret
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.memory import MemoryStore
from routing import quotasleft
from routing.knowledge import Counted, Left
from tests.support.documents import document
from tests.support.snapshots import snapshot_of

QUOTA = QuotaPolicy("q", 5, 60.0, keys=("global",))
CHARGES = [Charge(QUOTA, "global")]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Sets REDIS_URL and VAR_DIR for what follows."""
    monkeypatch.setattr(peeking, "_own", [])

    def install(redis: Redis) -> None:
        config = replace(settings.CONFIG, redis=redis, var_dir=tmp_path, service_name="peeked")
        monkeypatch.setattr(settings, "CONFIG", config)

    return install


@pytest.fixture
def own() -> Iterator[MemoryStore]:
    store = MemoryStore()
    yield store
    peeking.unbind(store)


def remaining(found: Peeked | str) -> Sequence[int] | str:
    return found if isinstance(found, str) else [each.remaining for each in found.decisions]


def test_without_a_redis_only_the_worker_itself_can_tell(installed: Any, own: MemoryStore) -> None:
    """In a worker its own memory is asked, which says so; elsewhere nobody knows."""
    installed(Redis("process"))
    assert peeking.peek(CHARGES) == peeking.ALONE
    peeking.bind(own)
    own.take(CHARGES)
    found = peeking.peek(CHARGES)
    assert (remaining(found), getattr(found, "counted_by", "")) == ([4], peeking.THIS_WORKER)
    peeking.unbind(MemoryStore())
    assert remaining(peeking.peek(CHARGES)) == [4]
    peeking.unbind(own)
    assert peeking.peek(CHARGES) == peeking.ALONE


@pytest.mark.store
def test_a_redis_is_asked_or_it_is_said_that_it_does_not_answer(installed: Any, redis_url: str) -> None:
    """Whichever process wants to know."""
    installed(Redis("server", Secret(redis_url)))
    assert remaining(peeking.peek(CHARGES)) == [5]
    installed(Redis("server", Secret(f"redis://127.0.0.1:{keep_port()}/0")))
    assert peeking.peek(CHARGES) == peeking.AWAY


def test_the_embedded_one_is_found_by_its_socket(installed: Any, tmp_path: Path) -> None:
    """While a gateway runs."""
    installed(Redis("embedded"))
    assert peeking.peek(CHARGES) == peeking.NOT_RUNNING
    server = start_valkey(tmp_path)
    assert server is not None
    try:
        assert remaining(peeking.peek(CHARGES)) == [5]
    finally:
        server.stop()


def test_whoever_explains_asks_here(installed: Any, own: MemoryStore) -> None:
    """The application has bound itself when Django started."""
    installed(Redis("process"))
    peeking.bind(own)
    request = Counted(snapshot_of(document({})).routes["r0"])
    assert quotasleft.left([QUOTA], request) == [Left(True, 5, 0.0, 0.0, peeking.THIS_WORKER)]
