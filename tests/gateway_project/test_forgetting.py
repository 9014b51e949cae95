"""The Redis that all workers share forgets a bucket, or it is said that it cannot."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway_project import forgetting, peeking
from tests.support.redisserver import RedisServer

BUCKET = "d|free|consumer:ada"


@pytest.fixture
def within(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Sets how the store is reached."""

    def set_(mode: str, url: str = "") -> None:
        config = SimpleNamespace(
            redis=SimpleNamespace(mode=mode, url=url), service_name="test", var_dir=tmp_path
        )
        monkeypatch.setattr(forgetting, "settings", SimpleNamespace(CONFIG=config))

    return set_


def test_without_a_redis_there_is_nobody_to_tell(within: Callable[..., None]) -> None:
    """Nor where no gateway runs."""
    within("process")
    assert forgetting.forget(BUCKET) == ""
    within("embedded")
    assert forgetting.forget(BUCKET) == ""


def test_a_redis_that_is_away(within: Callable[..., None]) -> None:
    """It is said."""
    within("server", "redis://127.0.0.1:1/0")
    assert forgetting.forget(BUCKET) == forgetting.AWAY


@pytest.mark.store
def test_a_bucket_is_forgotten(within: Callable[..., None], tmp_path: Path) -> None:
    """That one alone."""
    with RedisServer(tmp_path) as server:
        within("server", server.url)
        prefix = peeking.prefix_of("test")
        for bucket in (BUCKET, "d|free|consumer:eve"):
            server.ask("SET", prefix + bucket, "x")
        assert forgetting.forget(BUCKET) == ""
        assert server.ask("EXISTS", prefix + BUCKET) == b":0\r\n"
        assert server.ask("EXISTS", prefix + "d|free|consumer:eve") == b":1\r\n"
