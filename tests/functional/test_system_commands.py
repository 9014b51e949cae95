"""`manage.py gateway …` as processes: exit codes, what is printed where, and never a traceback (Site sees to that)."""

import asyncio
import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import databases
from tests.support.gateway import document, route
from tests.support.process import ROOT, Done, Site

DEMO = str(ROOT / "examples" / "demo.yaml")
NO_DATABASE = "postgres://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def other_site(tmp_path: Path, migrated_database: str) -> Iterator[Site]:
    """A second installation beside `site`."""
    folder = tmp_path / "other"
    folder.mkdir()
    with databases.empty_database(folder, like=migrated_database) as url:
        yield Site(folder, {"DATABASE_URL": url})


@pytest.fixture
def nowhere(tmp_path: Path) -> Site:
    """An installation whose database cannot be reached."""
    return Site(tmp_path, {"DATABASE_URL": NO_DATABASE})


async def in_turn(site: Site, *commands: str) -> list[Done]:
    return [await site.gateway(*command.split()) for command in commands]


def ok(done: Done) -> str:
    assert (done.code, done.err) == (0, ""), done
    return done.out


def refused(done: Done) -> str:
    assert (done.code, done.out) == (1, ""), done
    return done.err


@pytest.mark.store
async def test_what_is_exported_applies_elsewhere(site: Site, other_site: Site) -> None:
    """apply, again, diff, export, apply on an empty database, export: the same bytes."""
    applied, again, same, exported = await in_turn(
        site, f"apply {DEMO}", f"apply {DEMO}", f"diff {DEMO}", "export"
    )
    other_site.write(ok(exported))
    missing, _, copied = await in_turn(
        other_site, "diff document.yaml", "apply document.yaml", "export copy.yaml"
    )

    assert ok(applied).endswith("published revision 1\n")
    assert (ok(again), ok(same), ok(copied)) == ("nothing to do\n", "", "")
    assert (missing.code, missing.err) == (3, "")
    assert "+ orders" in missing.out
    assert (other_site.folder / "copy.yaml").read_text() == exported.out


async def test_life_of_a_configuration(site: Site) -> None:
    """Dry run, draft, discard, publish, prune, rollback, explain: what each leaves behind and prints."""
    site.write(document(route("a", path="/a", service="u"), services={"u": "http://127.0.0.1:1"}), "one.yaml")
    site.write(document(route("b", path="/b", respond={"status": 200})), "two.yaml")
    dry, first, draft, discarded, again, published, pruned, back = await in_turn(
        site,
        "apply one.yaml --dry-run",
        "apply one.yaml -m first",
        "apply two.yaml --draft",
        "discard",
        "apply two.yaml --draft --json",
        "publish -m second --as ann",
        "apply two.yaml --prune",
        "rollback 1 --json",
    )
    listing, explained, export = await asyncio.gather(
        site.gateway("revisions", "--json"),
        site.gateway("explain", "GET", "http://api.test/a/b", "-H", "X-A: 1", "--json"),
        site.gateway("export", "--json"),
    )

    assert "not applied" in ok(dry)
    assert ok(first).endswith("published revision 1\n")
    assert "draft" in ok(draft)
    assert "discarded" in ok(discarded)
    assert (again.data["outcome"], again.data["revision"]) == ("drafted", 1)
    assert ok(published).endswith("published revision 2\n")
    assert ok(pruned).splitlines()[:2] == ["will be removed: services u", "will be removed: routes a"]
    assert (back.data["outcome"], back.data["revision"]) == ("published", 4)
    assert [(each["number"], each["author"], each["message"]) for each in listing.data] == [
        (4, getpass.getuser(), "Back to revision 1"),
        (3, getpass.getuser(), ""),
        (2, "ann", "second"),
        (1, getpass.getuser(), "first"),
    ]
    assert all({"number", "created_at", "author", "message", "changes"} <= set(each) for each in listing.data)
    assert [each["name"] for each in export.data["routes"]] == ["a"]
    has_contract_shape(explained.data)


def has_contract_shape(explained: dict[str, Any]) -> None:
    matched = explained["matched"]
    assert {"revision", "matched", "passed_over", "policies", "upstream_request", "targets"} <= set(explained)
    assert (explained["revision"], matched["route"], matched["service"]) == (4, "a", "u")
    assert all(isinstance(why, str) for why in matched["why"])
    assert all({"name", "source", "outcome", "details"} <= set(policy) for policy in explained["policies"])


async def test_refusals_leave_everything_as_it_was(site: Site) -> None:
    """Exit 1, every error with its place in the document, nothing on standard output, nothing written."""
    routes = [route(f"r{number}", path=f"/{number}", service="orders") for number in range(3)]
    bad = document(
        *routes, route("r3", path="/3", service="ordrs"), services={"orders": "http://127.0.0.1:1"}
    )
    bad["routes"][1]["timeout"] = "soon"
    bad["routes"][2]["auth"] = {"level": "users"}
    bad["rutes"] = []
    site.write(bad, "bad.yaml")
    site.write("version: 1\nservices: [", "torn.yaml")
    (site.folder / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    commands = ("apply bad.yaml", "apply torn.yaml", "apply bytes.yaml", "diff missing.yaml", "rollback 7")
    answers = await asyncio.gather(*(site.gateway(*command.split()) for command in commands))
    written = site.sql("SELECT number FROM routing_revision") + site.sql("SELECT name FROM routing_service")

    said, torn, not_text, missing, no_such = map(refused, answers)
    assert 'routes[3].service: no service named "ordrs" (did you mean "orders"?)' in said
    assert all(f"\n{place}: " in f"\n{said}" for place in ("routes[1].timeout", "routes[2].auth.level"))
    assert 'did you mean "routes"' in said
    assert torn.startswith("line 3")
    assert "UTF-8" in not_text
    assert missing == "missing.yaml: No such file or directory\n"
    assert no_such == "there is no revision 7\n"
    assert written == []


async def test_review_needs_two(site: Site) -> None:
    """Under PUBLISH=review an apply is a draft: its author may not publish it, somebody else may."""
    site.env["PUBLISH"] = "review"
    site.write(document(route("a", path="/a", respond={"status": 200})), "one.yaml")
    applied, own, other = await in_turn(
        site, "apply one.yaml --as ann", "publish --as ann", "publish --as ben --json"
    )
    assert "draft" in ok(applied)
    assert '"ann"' in refused(own)
    assert (other.data["outcome"], other.data["revision"]) == ("published", 1)


async def test_documents_need_no_database(nowhere: Site) -> None:
    """validate and schema do not ask it; what does ask it says in one line that it is away."""
    nowhere.write(document(route("a", service="nobody")), "bad.yaml")
    commands = (f"validate {DEMO}", "validate bad.yaml", "schema", f"apply {DEMO}", "revisions")
    valid, invalid, schema, *away = await asyncio.gather(
        *(nowhere.gateway(*command.split()) for command in commands)
    )

    assert ok(valid) == "valid\n"
    assert refused(invalid).startswith('routes[0].service: no service named "nobody"')
    assert {"services", "routes", "defaults", "version"} <= set(schema.data["properties"])
    for done in away:
        assert refused(done).startswith("the database cannot be reached: ")
        assert done.err.count("\n") == 1


async def test_misuse_is_explained(nowhere: Site) -> None:
    """Exit 2 with the usage; --help is there for every subcommand; a bad environment is told whole."""
    unknown, port, helped, environment = await asyncio.gather(
        nowhere.gateway("aply"),
        nowhere.gateway("serve", "--port", "99999"),
        nowhere.gateway("apply", "--help"),
        nowhere.gateway("schema", GATEWAY_PORT="many", DATABASE_URL="mysql://x"),
    )
    assert [done.code for done in (unknown, port, helped)] == [2, 2, 0]
    assert "invalid choice: 'aply'" in unknown.err
    assert "--prune" in helped.out
    assert environment.code == 1
    assert all(name in environment.err for name in ("GATEWAY_PORT: ", "DATABASE_URL: "))


@pytest.mark.store
async def test_unmigrated_database_is_told_as_such(tmp_path: Path, database_url: str) -> None:
    """What to run, instead of a complaint about a table."""
    site = Site(tmp_path, {"DATABASE_URL": database_url})
    done = await site.gateway("apply", DEMO)
    assert "run `python manage.py migrate`" in refused(done)
