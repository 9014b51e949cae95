"""Whose a connection is."""

from authproxy.identity import Identity
from realtime.sessions.rights import owner_of

ADA = Identity(method="jwt", consumer="ada", user_id="7")
SERVICE = Identity(method="api_key", kind="service", consumer="ada")


def test_owners_are_told_apart() -> None:
    external = Identity(method="jwt", consumer="ada", user_id="7", provider="azure")

    assert len({owner_of(each) for each in (ADA, SERVICE, external)}) == 3
    assert owner_of(ADA) == owner_of(Identity(method="session", consumer="ada", user_id="7"))
