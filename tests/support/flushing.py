"""D: Between tests that commit, the database becomes what it was at first: its rows of rights, and no others.

Django's own way empties every table and has all rights made again, which takes longer than most tests. Here only
tables that have rows are emptied, and the first rows stay unless a test has changed them.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.commands import flush
from django.db import connection, transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.db.backends.utils import CursorWrapper

from observability.audit import triggers

Rows = tuple[list[str], list[tuple[Any, ...]]]
"""The names of a table's columns, and its rows."""
_first: dict[str, Rows] = {}


def install() -> None:
    BaseDatabaseOperations.execute_sql_flush = _flush  # type: ignore[method-assign]
    flush.emit_post_migrate_signal = lambda *_, **__: None  # type: ignore[attr-defined]


def use(url: str) -> None:
    """Has Django's models live in this database; the rows in it are the first ones."""
    connection.close()
    name = urlsplit(url).path.removeprefix("/")
    settings.DATABASES[connection.alias]["NAME"] = connection.settings_dict["NAME"] = name
    with connection.cursor() as cursor:
        _first.update({table: _rows(cursor, table) for table in _full(cursor)})


def _flush(_operations: Any, _statements: list[str]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        changed = {table: rows for table, rows in _first.items() if _rows(cursor, table) != rows}
        emptied = [table for table in _full(cursor) if table not in _first] + list(changed)
        for statement in _deletion(emptied):
            cursor.execute(statement)
        for table, (columns, rows) in changed.items():
            names, places = ", ".join(map(_quoted, columns)), ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {_quoted(table)} ({names}) VALUES ({places})", rows)


def _deletion(tables: list[str]) -> Iterator[str]:
    """The audit trail refuses it: its triggers are away meanwhile, as only who owns the tables can do."""
    guarded = not set(tables).isdisjoint(triggers.TABLES)
    yield from triggers.removal(connection.vendor) if guarded else ()
    yield from (f"DELETE FROM {_quoted(table)}" for table in tables)
    yield from triggers.creation(connection.vendor) if guarded else ()


def _full(cursor: CursorWrapper) -> list[str]:
    """The tables with rows."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {_quoted(table)})" for table in tables)
    cursor.execute(" UNION ALL ".join(asked))
    return [table for (table,) in cursor.fetchall()]


def _rows(cursor: CursorWrapper, table: str) -> Rows:
    cursor.execute(f"SELECT * FROM {_quoted(table)} ORDER BY 1")
    return [column[0] for column in cursor.description], cursor.fetchall()


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)
