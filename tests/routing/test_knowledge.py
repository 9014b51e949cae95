"""What is known of a running gateway."""

import pytest

from resilience.policies import QuotaPolicy
from routing.knowledge import NOTHING, Counted, Standing, standing_of
from tests.support.documents import document
from tests.support.snapshots import snapshot_of

ROUTE = snapshot_of(document({})).routes["r0"]


@pytest.mark.parametrize(
    ("drain", "is_ejected", "healthy", "word"),
    [
        (True, True, False, "draining"),
        (False, True, True, "ejected"),
        (False, False, None, "unchecked"),
        (False, False, True, "healthy"),
        (False, False, False, "unhealthy"),
    ],
)
def test_a_target_in_a_word(drain: bool, is_ejected: bool, healthy: bool | None, word: Standing) -> None:
    """What weighs most."""
    assert standing_of(drain=drain, is_ejected=is_ejected, healthy=healthy) == word


def test_nothing() -> None:
    """Is known of anything."""
    service = snapshot_of({"version": 1, "services": [{"name": "s"}]}).services["s"]
    assert (NOTHING.breaker("s"), NOTHING.targets(service)) == (None, {})
    assert NOTHING.discovered(service) == ()
    assert NOTHING.quotas([QuotaPolicy("q", 1, 1.0)] * 2, Counted(ROUTE)) == (None, None)
