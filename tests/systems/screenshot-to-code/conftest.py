"""Screenshot-to-Code as it starts, and somebody who is new to each module of tests."""

from collections.abc import Callable

import pytest

from tests.support.systems import System

callers: dict[tuple[int, str], dict[str, str]] = {}


@pytest.fixture
def system(system_named: Callable[..., System]) -> System:
    return system_named("screenshot-to-code")


@pytest.fixture
def caller(system: System, request: pytest.FixtureRequest) -> dict[str, str]:
    """The header field of an account of this module's: everybody has a hundred requests a minute."""
    key = (system.process.pid, request.path.stem)
    if key not in callers:
        callers[key] = system.newcomer(request.path.stem.removeprefix("test_"))
    return callers[key]
