"""Background threads have connections with bounded waits."""

import threading
from pathlib import Path

import pytest
from django.db import connection, connections

from routing.sidelines import break_off, close, file_identity, make_sideline

pytestmark = [pytest.mark.store, pytest.mark.django_db(transaction=True)]


def in_thread(found: list[object]) -> None:
    sideline = make_sideline("test")
    with sideline.cursor() as cursor:
        cursor.execute("SELECT 1")
        found.append(cursor.fetchone())
    found.append(sideline.settings_dict["OPTIONS"])
    close(sideline)
    found.append(sideline.connection)
    with sideline.cursor() as cursor:
        cursor.execute("SELECT 2")
        found.append(cursor.fetchone())
    close(sideline)


def test_a_sideline_is_another_connection() -> None:
    """It is closed and opened again without ado, and the main thread's connection stays as it was."""
    mine = connections["default"]
    found: list[object] = []
    thread = threading.Thread(target=in_thread, args=(found,))
    thread.start()
    thread.join()
    one, options, closed, two = found
    assert (one, closed, two) == ((1,), None, (2,))
    assert connections["default"] is mine
    if connection.vendor == "postgresql":
        assert "statement_timeout=3000 -c lock_timeout=0" in str(options)
    else:
        assert options["timeout"] == 0.1
    assert mine.settings_dict["OPTIONS"] != options


def test_breaking_off_never_fails() -> None:
    """Whatever state the connection is in."""

    def run() -> None:
        sideline = make_sideline("test")
        break_off(sideline)
        sideline.ensure_connection()
        break_off(sideline)
        close(sideline)
        ended.set()

    ended = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert ended.is_set()


def test_files_are_told_apart() -> None:
    """A SQLite file has an identity, which says whether the name now means another; PostgreSQL has no file."""

    def run() -> None:
        sideline = make_sideline("test")
        found.append(file_identity(sideline))

    found: list[object] = []
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if connection.vendor == "postgresql":
        assert found == [None]
    else:
        status = Path(connection.settings_dict["NAME"]).stat()
        assert found == [(status.st_dev, status.st_ino)]
