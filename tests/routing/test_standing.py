"""What admission makes of a caller without credentials."""

from typing import Any

import pytest

from routing.standing import Admission, nobody
from tests.support.documents import document
from tests.support.snapshots import snapshot_of


@pytest.mark.parametrize(
    ("auth", "lacking"),
    [
        ({"level": "public"}, {}),
        ({"level": "admin", "methods": ["api_key"]}, {"reason": "missing", "methods": ["api_key"]}),
    ],
)
def test_nobody(auth: dict[str, Any], lacking: dict[str, Any]) -> None:
    """May use what is public and nothing else."""
    snapshot = snapshot_of(document({"auth": auth}))
    found = nobody(snapshot.routes["r0"], snapshot)

    assert (found.refusal is not None, found.lacking) == (bool(lacking), lacking)


def test_one_who_is_disabled_is_counted_like_nobody() -> None:
    """Whoever is known otherwise is counted as themselves."""
    ada = {"consumer": "ada"}
    assert Admission(caller=ada).recognised == ada
    assert Admission(caller={**ada, "enabled": False}).recognised is None
    assert Admission().recognised is None
