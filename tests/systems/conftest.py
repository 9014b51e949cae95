"""One start of each example system, for all of its tests."""

from collections.abc import Callable, Iterator

import pytest

from tests.support import systems
from tests.support.systems import System


@pytest.fixture(scope="session")
def system_named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., System]]:
    """Gives the system of that name, which runs until another one is asked for.

    What stands in its environment beside the usual is said by whoever asks first.
    """
    running: list[System] = []

    def named(name: str, **env: str) -> System:
        if running and running[0].name == name:
            return running[0]
        if running:
            end(running.pop())
        running.append(systems.start(name, tmp_path_factory.mktemp(name), **env))
        return running[0]

    yield named
    if running:
        end(running.pop())


def end(system: System) -> None:
    status = system.end()
    assert status == 0, system.text
    assert "Traceback" not in system.text, system.text
