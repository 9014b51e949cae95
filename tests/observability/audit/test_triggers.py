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


@pytest.mark.parametrize("table", triggers.TABLES)
@pytest.mark.parametrize("key", ["id", "rowid"])
def test_no_row_is_replaced_by_another(table: str, key: str) -> None:
    """SQLite's REPLACE takes the row that is in the way without asking the triggers of DELETE."""
    record(Deed("test.deed", (("routes", "a"),)))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        columns, row = [each[0] for each in cursor.description], list(cursor.fetchone())
    values = [
        "forged" if name in ("reason", "name") else value for name, value in zip(columns, row, strict=True)
    ]
    if connection.vendor == "postgresql":
        updated = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns)
        start, end = "INSERT", f" ON CONFLICT (id) DO UPDATE SET {updated}"
    else:
        start, end = "INSERT OR REPLACE", ""
        if key == "rowid" and table == "observability_auditevent":  # its id is a column of its own there
            columns, values = [*columns, "rowid"], [99, *values[1:], 1]
    sql = f"{start} INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(values))}){end}"
    with pytest.raises(DatabaseError, match=triggers.REFUSAL), transaction.atomic():
        connection.cursor().execute(sql, values)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        assert cursor.fetchall() == [tuple(row)]


def test_what_is_new_is_written() -> None:
    """Events after the first, and their objects."""
    record(Deed("test.deed", (("routes", "a"), ("routes", "b"))))
    record(Deed("test.deed", (("routes", "a"),)))
    assert newest() == 2


@pytest.mark.parametrize("table", triggers.TABLES)
def test_a_row_of_no_ordinary_number_stops_nobody(table: str) -> None:
    """SQLite calls a row that has no number yet by -1."""
    record(Deed("test.deed", (("routes", "a"),)))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table}")
        columns, row = [each[0] for each in cursor.description], list(cursor.fetchone())
        values = [-1 if name == "id" else value for name, value in zip(columns, row, strict=True)]
        if connection.vendor == "sqlite" and table == "observability_auditevent":
            columns, values = [*columns, "rowid"], [*values, -1]
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(values))})", values
        )
    record(Deed("test.deed", (("routes", "b"),)))
    assert newest() == 2
