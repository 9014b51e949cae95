"""What may be subscribed to where no rules say otherwise."""

import pytest

from authproxy.identity import Identity
from realtime.sessions.rights import USUAL, owner_of

ADA = Identity(method="jwt", consumer="ada", user_id="7")
STAFF = Identity(method="jwt", consumer="root", user_id="1", is_staff=True)
SERVICE = Identity(method="api_key", kind="service", consumer="worker")


@pytest.mark.parametrize(
    ("identity", "topic", "may"),
    [
        (ADA, "generation.5", True),
        (ADA, "user.7", True),
        (ADA, "user.8", False),
        (ADA, "user.77", False),
        (ADA, "orders", False),
        (SERVICE, "user.", False),
        (SERVICE, "generation.5", True),
        (STAFF, "user.7", False),
        (STAFF, "gateway.security", True),
        (ADA, "gateway.security", False),
    ],
)
def test_usual_rules(identity: Identity, topic: str, may: bool) -> None:
    assert USUAL.may_subscribe(topic, identity, frozenset()) is may


def test_owners_are_told_apart() -> None:
    external = Identity(method="jwt", consumer="ada", user_id="7", provider="azure")

    assert len({owner_of(each) for each in (ADA, STAFF, SERVICE, external)}) == 4
    assert owner_of(ADA) == owner_of(Identity(method="session", consumer="ada", user_id="7"))
