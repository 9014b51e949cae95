"""Tables that are made at once are those that migrations make; what is not empty is not touched."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, RunSQL
from django.db.migrations.executor import MigrationExecutor
from pytest_django import DjangoDbBlocker

from gateway_project import freshtables
from gateway_project.connections import database_at, django_database

ROWS = {
    "django_migrations": "app, name",
    "auth_permission p JOIN django_content_type c ON c.id = content_type_id": "app_label, model, codename, name",
}


@pytest.fixture
def allowed(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Databases that the test makes by itself."""
    with django_db_blocker.unblock():
        yield


@contextmanager
def database(file: Path) -> Iterator[BaseDatabaseWrapper]:
    """One more, as the settings would have it."""
    connections.settings[file.stem] = connections.configure_settings(
        {"default": {}, file.stem: django_database(database_at(f"sqlite:///{file}"), test_suffix="")}
    )[file.stem]
    try:
        yield connections[file.stem]
    finally:
        connections[file.stem].close()
        del connections[file.stem]
        del connections.settings[file.stem]


def created(connection: BaseDatabaseWrapper) -> bool:
    return freshtables.create(connection, MigrationExecutor(connection))


def described(file: Path) -> dict[str, object]:
    """Its tables, columns in any order, with their indexes and triggers; and the rows that are there from the start."""
    with closing(sqlite3.connect(file)) as connection:
        made = connection.execute("SELECT name, type, sql FROM sqlite_master").fetchall()
        tables = {
            name: sorted(re.split(r",\s*(?=\"|CONSTRAINT)", sql.partition("(")[2].removesuffix(")")))
            for name, kind, sql in made
            if kind == "table" and not name.startswith("sqlite_")
        }
        others = {name: sql for name, kind, sql in made if kind != "table"}
        rows = {
            table: sorted(connection.execute(f"SELECT {columns} FROM {table}"))
            for table, columns in ROWS.items()
        }
        return {**tables, **others, **rows}


@pytest.mark.usefixtures("allowed")
def test_same_as_by_migrations(tmp_path: Path) -> None:
    """Every table, index, trigger, permission, and the note of every migration."""
    with database(tmp_path / "fresh.db") as fresh, database(tmp_path / "migrated.db"):
        assert created(fresh)
        call_command("migrate", database="migrated", interactive=False, verbosity=0)
        call_command("migrate", database="fresh", check_unapplied=True, verbosity=0)
    is_now = described(tmp_path / "fresh.db")
    assert "audit_object" in is_now
    assert is_now == described(tmp_path / "migrated.db")


@pytest.mark.usefixtures("allowed")
def test_what_holds_anything_is_left_to_migrations(tmp_path: Path) -> None:
    """One table is enough; nothing is added to it."""
    with database(tmp_path / "old.db") as old:
        with old.cursor() as cursor:
            cursor.execute("CREATE TABLE mine (name)")
        assert not created(old)
        assert old.introspection.table_names() == ["mine"]


@pytest.mark.usefixtures("allowed")
def test_broken_off_it_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the next start does all of it."""

    def stop(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with database(tmp_path / "fresh.db") as fresh:
        with monkeypatch.context() as patch:
            patch.setattr(freshtables, "emit_post_migrate_signal", stop)
            with pytest.raises(KeyboardInterrupt):
                created(fresh)
        assert fresh.introspection.table_names() == []
        assert created(fresh)


@pytest.mark.usefixtures("allowed")
def test_statements_of_migrations_are_repeated(tmp_path: Path) -> None:
    """Those that are written as SQL, too."""
    migration = Migration("0009_mine", "routing")
    migration.operations = [RunSQL("CREATE TABLE mine (name)")]
    with database(tmp_path / "fresh.db") as fresh:
        with fresh.schema_editor() as editor:
            freshtables._repeat(migration, editor)
        assert fresh.introspection.table_names() == ["mine"]


@pytest.mark.store
@pytest.mark.django_db
def test_tables_of_the_test_run_are_left() -> None:
    """PostgreSQL, and what is there already."""
    assert not created(connections["default"])
