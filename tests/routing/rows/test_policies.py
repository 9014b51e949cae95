"""Quotas, plans, roles and identity providers as rows."""

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from routing.models import Quota, RoleScopes

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.mark.parametrize("values", [{"name": ""}, {"algorithm": "luck"}, {"on_store_failure": "panic"}])
def test_the_database_refuses_nonsense(values: dict[str, object]) -> None:
    """Choices are the document's."""
    with pytest.raises(IntegrityError), transaction.atomic():
        Quota.objects.create(**{"name": "q", **values})


def test_errors_are_at_their_columns() -> None:
    """A quota's limit is a positive number."""
    with pytest.raises(ValidationError) as refused:
        Quota(name="q", limit=-1, per="1s").full_clean()
    assert "limit" in refused.value.error_dict


def test_a_role_is_named_as_a_group_is() -> None:
    """Spaces and more than a hundred characters are fine."""
    RoleScopes.objects.create(name="a role " * 20, scopes=["read"])
    assert RoleScopes.objects.get().scopes == ["read"]
