"""D: Fixtures of the endpoints' tests."""

from collections.abc import Iterator

import pytest

from authproxy import security
from authproxy.security import SecurityEvent
from tests.support.endpoints import Endpoints


@pytest.fixture
def client() -> Endpoints:
    return Endpoints()


@pytest.fixture
def heard() -> Iterator[list[SecurityEvent]]:
    events: list[SecurityEvent] = []
    unbind = security.bind(events.append)
    yield events
    unbind()
