"""D: Between tests the database is emptied, the audit trail too, which itself refuses that."""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.operations import BaseDatabaseOperations

from observability.audit import triggers


def install() -> None:
    """Takes the trail's triggers away for the time of a flush, as only who owns the tables can."""
    flush: Callable[..., Any] = BaseDatabaseOperations.execute_sql_flush

    def flushed(self: Any, statements: list[str]) -> Any:
        vendor = self.connection.vendor
        if not any(table in statement for statement in statements for table in triggers.TABLES):
            return flush(self, statements)
        return flush(self, [*triggers.removal(vendor), *statements, *triggers.creation(vendor)])

    BaseDatabaseOperations.execute_sql_flush = flushed  # type: ignore[method-assign]
