"""The database itself refuses to change, delete or empty the trail."""

import pytest
from django.db import DatabaseError, connection, transaction

from observability.audit import triggers
from observability.models import AuditEvent
from routing.auditing import Deed, record
from tests.support.trail import newest

pytestmark = [pytest.mark.store, pytest.mark.django_db]
STATEMENTS = [
    f"{start} {table}{rest}"
    for table in triggers.TABLES
    for start, rest in (("UPDATE", " SET id = id"), ("DELETE FROM", ""), ("TRUNCATE", ""))
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_it_is_append_only(statement: str) -> None:
    record(Deed("test.deed", (("routes", "a"),)))
    if connection.vendor == "sqlite" and statement.startswith("TRUNCATE"):
        statement = statement.replace("TRUNCATE", "DELETE FROM")  # it has no other way
    with pytest.raises(DatabaseError, match=triggers.REFUSAL), transaction.atomic():
        connection.cursor().execute(statement)
    assert newest() == 1


def test_neither_can_the_orm() -> None:
    record(Deed("test.deed"))
    row = AuditEvent.objects.get()
    row.reason = "other"
    with pytest.raises(DatabaseError, match=triggers.REFUSAL), transaction.atomic():
        row.save()
    with pytest.raises(DatabaseError, match=triggers.REFUSAL), transaction.atomic():
        AuditEvent.objects.all().delete()
    assert AuditEvent.objects.get().reason == ""
