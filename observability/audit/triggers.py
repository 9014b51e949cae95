"""P: The statements by which the database itself refuses to change rows of the audit trail."""

from typing import Final

TABLES: Final = ("observability_auditevent", "observability_auditobject")
REFUSAL: Final = "the audit trail is append-only"
_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION torana_audit_refuse() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION '{REFUSAL}'; END
$$ LANGUAGE plpgsql
"""
_THERE: Final = "SELECT 1 FROM"
_RAISE: Final = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"


def creation(vendor: str) -> list[str]:
    """What makes the triggers."""
    if vendor == "postgresql":
        made = [
            f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION torana_audit_refuse()"
            for table in TABLES
            for event in ("UPDATE", "DELETE", "TRUNCATE")
        ]
        return [_FUNCTION, *made]
    return [
        f"CREATE TRIGGER {table}_{event.lower()} BEFORE {event} ON {table} {_RAISE}"
        for table in TABLES
        for event in ("UPDATE", "DELETE")
    ]


def replacement(vendor: str) -> list[str]:
    """What makes the triggers that SQLite needs beside those: its INSERT OR REPLACE deletes without a word to them.

    A row that is given no number has an undefined one before it is inserted, -1 in fact.
    """
    if vendor == "postgresql":
        return []
    return [
        f"CREATE TRIGGER {table}_insert BEFORE INSERT ON {table} "
        f"WHEN EXISTS ({_THERE} {table} WHERE NEW.id > 0 AND id = NEW.id) "
        f"OR EXISTS ({_THERE} {table} WHERE NEW.rowid > 0 AND rowid = NEW.rowid) {_RAISE}"
        for table in TABLES
    ]


def removal(vendor: str) -> list[str]:
    """What takes them away."""
    events = ("UPDATE", "DELETE", "TRUNCATE") if vendor == "postgresql" else ("UPDATE", "DELETE")
    on = vendor == "postgresql"
    dropped = [
        f"DROP TRIGGER IF EXISTS {table}_{event.lower()}{f' ON {table}' if on else ''}"
        for table in TABLES
        for event in events
    ]
    return [*dropped, "DROP FUNCTION IF EXISTS torana_audit_refuse()"] if on else dropped


def replacement_removal(vendor: str) -> list[str]:
    """What takes those away."""
    return [] if vendor == "postgresql" else [f"DROP TRIGGER IF EXISTS {table}_insert" for table in TABLES]
