"""Phoenix as it starts."""

from collections.abc import Callable

import pytest

from tests.support.systems import System


@pytest.fixture
def phoenix(system_named: Callable[..., System]) -> System:
    return system_named("phoenix")
