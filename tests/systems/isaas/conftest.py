"""ISaaS as it starts, on a Redis that tests may stop."""

from collections.abc import Callable, Iterator

import pytest

from tests.support.redisserver import RedisServer
from tests.support.systems import System


@pytest.fixture(scope="session")
def isaas_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("isaas-redis")) as server:
        yield server


@pytest.fixture
def isaas(isaas_redis: RedisServer, system_named: Callable[..., System]) -> System:
    return system_named("isaas", REDIS_HOST="127.0.0.1", REDIS_PORT=str(isaas_redis.port))
