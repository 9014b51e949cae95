"""Databases that older versions wrote, brought up to date: nothing that was configured or issued is lost."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.clients import keyed, signed_in
from tests.support.process import ROOT, Site

INSTALLATIONS = ROOT / "tests" / "support" / "installations"
pytestmark = [pytest.mark.store, pytest.mark.timeout(200)]  # seconds; processes start one after another


@dataclass(frozen=True)
class Installation:
    """An older version's database, and what is known of it."""

    site: Site
    known: dict[str, Any]


@pytest.fixture(params=["first", "audited"])
def old(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Installation:
    """`first`: before realtime and observability. `audited`: with an audit trail, and most of what came since."""
    file = INSTALLATIONS / f"{request.param}.json"
    known = json.loads(file.read_text())
    site = Site(tmp_path, {"DATABASE_URL": database_url, "SECRET_KEY": known["secret_key"]})
    command = [sys.executable, ROOT / "tests" / "support" / "upgrading.py", file]
    done = subprocess.run(command, env=site.environ(), capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return Installation(site, known)


async def test_older_database_is_brought_up_to_date(old: Installation) -> None:
    """Configuration, history, audit trail, keys and accounts are as they were, and all goes on from there."""
    site, known = old.site, old.known
    migrated = await site.manage("migrate", "--verbosity", "0")
    assert migrated.code == 0, migrated.err
    assert yaml.safe_load((await site.gateway("export")).out) == known["exported"]
    async with site.serving() as running:
        program = keyed("shop", known["api_key"])
        person = await signed_in(running, *known["account"])
        assert (await running.get("/welcome")).body == b"As before."
        assert (await running.get("/ledger")).status == 401
        limited = await running.get("/ledger", program.field)
        assert (limited.body, limited.header("x-ratelimit-limit")) == (b"For callers.", "5000")
        assert (await running.get("/till", program.field)).body == b"For programs."
        assert (await running.get("/ledger", person.field)).body == b"For callers."
        assert (await running.get("/till", person.field)).status == 403

        assert (await site.gateway("rollback", "1", "--as", "anna")).code == 0
        await running.until("/welcome", b"Before that.")
    assert [one["number"] for one in (await site.gateway("revisions", "--json")).data] == [3, 2, 1]
    count, head = last_event(known)
    verified = (await site.gateway("audit", "verify", "--json", "--head", head)).data
    assert (verified["intact"], verified["events"] > count) == (True, True)


def last_event(known: dict[str, Any]) -> tuple[int, str]:
    """How many events the older version had written, and the last of them as `--head` takes it."""
    table = known["tables"].get("observability.AuditEvent", {"fields": [], "rows": []})
    events = [dict(zip(table["fields"], row, strict=True)) for row in table["rows"]]
    return len(events), f"{events[-1]['pk']}:{events[-1]['hash']}" if events else ""
