"""What a deletion takes along: numbers, and who may not."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authproxy.admin.asking import LISTED
from authproxy.models import Consumer
from tests.support.accesspages import a_consumer, a_key, access_admin
from tests.support.adminpages import signed_in

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.mark.parametrize("size", [2, 60])
def test_as_many_queries_for_any_number_of_keys(size: int) -> None:
    """Neither keys nor consumers are listed one by one."""
    for number in range(size):
        a_key(a_consumer(f"c{number}"))
    client = signed_in()
    data = {
        "action": "delete_selected",
        "_selected_action": list(Consumer.objects.values_list("pk", flat=True)),
    }
    client.get("/admin/authproxy/consumer/")
    with CaptureQueriesContext(connection) as queries:
        text = client.post("/admin/authproxy/consumer/", data).content.decode()
    assert f"API keys: {size}" in text
    assert ("and 10 more" in text) is (size > LISTED)
    assert len(queries) <= 14
    client.post("/admin/authproxy/consumer/", {**data, "post": "yes"})
    assert not Consumer.objects.exists()


def test_row_that_one_may_not_delete_stops_it() -> None:
    """A superuser among the selected accounts."""
    root, bert = User.objects.create_superuser("root"), User.objects.create_user("bert")
    data = {"action": "delete_selected", "_selected_action": [root.pk, bert.pk], "post": "yes"}
    assert access_admin().post("/admin/auth/user/", data).status_code == 403
    assert User.objects.filter(pk__in=[root.pk, bert.pk]).count() == 2
