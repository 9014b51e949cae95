"""The control API against its OpenAPI document: whatever is sent, no 500, and no answer that is not described."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from authproxy import limitedlog
from authproxy.limited import Limited, Sums
from authproxy.models import SecurityEvent
from authproxy.views.control.kinds import KINDS
from realtime.bus import kept
from routing import node
from routing.drafts import Actor
from routing.publishing import apply_document
from routing.revision import NodeState
from tests.support.buses import message
from tests.support.configuration import route, service
from tests.support.described import OPERATIONS, called, connection_kept, undone
from tests.support.ownkeys import own_keys as own_keys

pytestmark = pytest.mark.django_db
EXAMPLES = 8


def takes_configuration(operation: Any) -> bool:
    """Strategies of the whole document's schema take minutes; `test_control_bodies` makes its bodies otherwise."""
    kind = operation.path.removeprefix("/control/v1/").partition("/")[0]
    writes = operation.method.upper() in ("PUT", "POST", "PATCH") and operation.path.count("/") < 5
    return writes and kind in (*KINDS, "defaults", "document")


CALLS = [
    name
    for name, each in OPERATIONS.items()
    if each.path.startswith(("/control/v1/", "/discovery/")) and not takes_configuration(each)
]


@pytest.fixture
def world() -> Iterator[None]:
    """Something to look at."""
    apply_document({"version": 1, "services": [service()], "routes": [route()]}, actor=Actor("first"))
    now = timezone.now()
    node.report("n:1", role="all", state=NodeState(1, now.timestamp(), "no CA file"))
    SecurityEvent.objects.create(kind="forbidden", at=now, details={"route": "orders"})
    request = Limited(now.timestamp(), "free", "ip:192.0.2.1", "orders", "r1", 10, 60.0, 5.0, True)
    sums = Sums()
    sums.note(request)
    limitedlog.write(sums.take())
    kept.put([message(1)])
    kept.bury(message(2), "no use", "in")
    with connection_kept():
        yield


@pytest.mark.usefixtures("world", "own_keys")
@pytest.mark.parametrize("name", CALLS)
def test_every_answer_is_described(name: str) -> None:
    """Of requests that fit the document, and of what is beside them."""
    operation = OPERATIONS[name]
    seen = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(operation.as_strategy(), operation.as_strategy(schemathesis.GenerationMode.NEGATIVE)))
    def run(case: Any) -> None:
        with undone():
            seen.append(called(case).status_code)

    run()
    assert seen
