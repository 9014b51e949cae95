"""D: Accounts, consumers and roles for tests."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User

from authproxy import accounts
from routing.drafts import Actor
from routing.publishing import apply_document


def publish_roles(*, default: Sequence[str] = (), **scopes: Sequence[str]) -> None:
    """A revision with these roles, and what was there before but for other roles."""
    roles: list[dict[str, Any]] = [
        {"name": name, "scopes": list(words), **({"default": True} if name in default else {})}
        for name, words in scopes.items()
    ]
    apply_document({"version": 1, "roles": roles}, actor=Actor("test"), prune=True)


def account(name: str = "anna", **more: Any) -> User:
    """An account as the services make it."""
    return accounts.create(name, **more)[0]
