"""Tables of this version, and processes of older ones that still write to them while nodes are replaced one by one."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from routing.document.canonical import canonicalise
from routing.loader import read_rows
from routing.validation import check_document
from tests.support.source import ROOT
from tests.support.upgrading import OURS, write

INSTALLATIONS = sorted((ROOT / "tests" / "support" / "installations").glob("*.json"))
pytestmark = [pytest.mark.store, pytest.mark.django_db]


@pytest.fixture(params=INSTALLATIONS, ids=lambda file: file.stem)
def known(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What an older version wrote."""
    file: Path = request.param
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def apps_of(known: dict[str, Any]) -> Any:
    """The models as that version has them."""
    loader = MigrationLoader(connection)
    others = [leaf for leaf in loader.graph.leaf_nodes() if leaf[0] not in OURS]
    return loader.project_state([*others, *known["state"].items()]).apps


def columns(table: str) -> list[tuple[str, bool]]:
    """Each column of a table, and whether a row cannot be added without saying it."""
    sql = {
        "sqlite": 'SELECT name, "notnull" AND dflt_value IS NULL FROM pragma_table_info(%s)',
        "postgresql": "SELECT column_name, is_nullable = 'NO' AND column_default IS NULL"
        " FROM information_schema.columns WHERE table_name = %s",
    }
    with connection.cursor() as cursor:
        cursor.execute(sql[connection.vendor], [table])
        return [(name, bool(is_demanded)) for name, is_demanded in cursor.fetchall()]


def test_tables_have_all_that_an_older_process_asks_for(known: dict[str, Any]) -> None:
    """Its columns are there, and those that it does not know are null or have a default when it adds a row."""
    models = [
        each for each in apps_of(known).get_models(include_auto_created=True) if each._meta.app_label in OURS
    ]
    assert len(models) > 20
    lacking, demanded = set[str](), set[str]()
    for model in models:
        table = model._meta.db_table
        asked = {f"{table}.{field.column}" for field in model._meta.local_concrete_fields}
        there = {f"{table}.{name}": is_demanded for name, is_demanded in columns(table)}
        lacking |= asked - there.keys()
        demanded |= {name for name, is_demanded in there.items() if is_demanded and name not in asked}
    assert (lacking, demanded) == (set(), set())


def test_rows_of_an_older_process_are_this_versions(known: dict[str, Any]) -> None:
    """What it adds to the tables of now is read as the configuration that it means."""
    apps = apps_of(known)
    with transaction.atomic():
        for label, table in known["tables"].items():
            if label.startswith("routing."):
                rows = [
                    [
                        None if name == "user" else value
                        for name, value in zip(table["fields"], row, strict=True)
                    ]
                    for row in table["rows"]
                ]
                write(apps.get_model(label), table["fields"], rows)
    read = orjson.loads(orjson.dumps(canonicalise(read_rows())))
    assert read == known["exported"]


def test_revisions_of_an_older_process_are_served(known: dict[str, Any]) -> None:
    """Each document that it published has nothing in it that this version refuses."""
    table = known["tables"]["routing.Revision"]
    documents = [json.loads(row[table["fields"].index("document")]) for row in table["rows"]]
    assert documents
    assert [check_document(each, env={}).problems for each in documents] == [()] * len(documents)
