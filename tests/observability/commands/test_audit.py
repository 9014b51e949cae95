"""`gateway audit`: the trail is listed, verified, exported."""

from pathlib import Path

import orjson
import pytest
from django.db import connection

from observability.audit import finding, triggers
from routing.auditing import Deed, record
from tests.support.cli import gateway

pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def _trail() -> None:
    for name in ("a", "b", "c"):
        record(Deed("test.deed", (("routes", name),), "anna", "because"))


def tampered(statement: str) -> None:
    """What only who owns the tables can do."""
    with connection.cursor() as cursor:
        for each in (*triggers.removal(connection.vendor), statement, *triggers.creation(connection.vendor)):
            cursor.execute(each)


def test_a_whole_trail() -> None:
    ran = gateway("audit", "verify", "--json")
    assert ran.code == 0
    assert (ran.data["intact"], ran.data["events"]) == (True, 3)
    assert "3 events, intact" in gateway("audit", "verify", "--head", ran.data["head"]).out


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE observability_auditevent SET reason = 'other' WHERE id = 2", 2),
        ("UPDATE observability_auditevent SET content = '{}' WHERE id = 2", 2),
        ("DELETE FROM observability_auditevent WHERE id = 1", 2),
        ("UPDATE observability_auditevent SET id = 9 WHERE id = 2", 3),
    ],
)
def test_a_broken_one(statement: str, number: int) -> None:
    """The first row that is not in order is named, and the command fails."""
    tampered(statement)
    ran = gateway("audit", "verify")
    assert ran.code == 1
    assert f"broken at event {number}:" in ran.err
    assert gateway("audit", "verify", "--json").data["event"] == number


def test_a_tail_that_is_gone_is_found_by_a_noted_head() -> None:
    head = gateway("audit", "verify", "--json").data["head"]
    tampered("DELETE FROM observability_auditevent WHERE id = 3")
    assert gateway("audit", "verify").code == 0
    assert "it is gone" in gateway("audit", "verify", "--head", head).err
    assert gateway("audit", "verify", "--head", "x").code == 1


def test_listing() -> None:
    assert len(gateway("audit", "list").out.splitlines()) == 3
    assert [each["id"] for each in gateway("audit", "list", "--json", "--object", "routes:b").data] == [2]
    assert gateway("audit", "list", "--until", "2001-01-01").out == ""


def test_exporting(tmp_path: Path) -> None:
    """To a file, whole and for its owner only, or to standard output."""
    file = tmp_path / "trail.jsonl"
    assert gateway("audit", "export", file).code == 0
    lines = [orjson.loads(each) for each in file.read_text().splitlines()]
    assert [each["id"] for each in lines] == [1, 2, 3]
    assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [file]
    assert gateway("audit", "export", "--since", "2001-01-01").out == file.read_text()
    assert "No such file" in gateway("audit", "export", tmp_path / "none" / "x").err


def test_a_search_says_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to ask next, beside the data; nothing where the list was cut, or all was looked at."""
    monkeypatch.setattr(finding, "SEARCHED", 2)
    ran = gateway("audit", "list", "--text", "deed", "--json")
    assert [each["id"] for each in ran.data] == [3, 2]
    assert "--before 2" in ran.err
    older = gateway("audit", "list", "--text", "deed", "--before", "2")
    assert ("routes a" in older.out, "routes b" in older.out, older.err) == (True, False, "")
    assert gateway("audit", "list", "--text", "deed", "--limit", "1").err == ""
