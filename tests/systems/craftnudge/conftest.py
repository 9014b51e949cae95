"""CraftNudge as it starts."""

from collections.abc import Callable

import pytest

from tests.support.systems import System, until


@pytest.fixture
def system(system_named: Callable[..., System]) -> System:
    system = system_named("craftnudge")
    until(lambda: system.ask("GET", "/status").json()["status"] == "up", every_s=0.2)
    return system
