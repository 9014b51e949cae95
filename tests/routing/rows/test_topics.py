"""Topic rules as rows."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from routing.models import TopicRule

pytestmark = [pytest.mark.django_db, pytest.mark.store]


def row(**keys: Any) -> TopicRule:
    return TopicRule(**{"name": "orders", "topics": ["orders.*"], **keys})


def test_what_is_right_is_kept() -> None:
    """As it was written."""
    one = row(subscribe={"roles": ["clerk"]}, bus={"subject": "orders.>"})
    one.full_clean()
    one.save()
    found = TopicRule.objects.get()
    assert (list(found.topics), found.subscribe, found.bus) == (
        ["orders.*"], {"roles": ["clerk"]}, {"subject": "orders.>"}
    )  # fmt: skip


@pytest.mark.parametrize(
    "keys",
    [
        {"topics": ["a b"]},
        {"topics": []},
        {"subscribe": {"level": "anybody"}},
        {"bus": {"subject": "${user.id}"}},
    ],
)
def test_what_is_wrong_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        row(**keys).full_clean()
