"""`gateway apply`, `diff`, `export`, `validate` and `schema`, with their exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from routing import publishing
from routing.drafts import Actor
from routing.models import PendingChange, Revision, Route, Service
from routing.publishing import apply_document
from tests.support.cli import gateway, typed, written
from tests.support.configuration import documents, route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def test_applying_publishes_and_says_so(tmp_path: Path) -> None:
    """A diff, then the number of the revision."""
    ran = gateway("apply", written(tmp_path, small()), "-m", "first", "--as", "anna")
    assert (ran.code, ran.err) == (0, "")
    assert "orders" in ran.out
    assert ran.out.endswith("published revision 1\n")
    row = Revision.objects.get()
    assert (row.author, row.message, row.source) == ("anna", "first", "cli")


def test_applying_again_has_nothing_to_do(tmp_path: Path) -> None:
    """And that is fine."""
    file = written(tmp_path, small())
    gateway("apply", file)
    ran = gateway("apply", file)
    assert (ran.code, ran.out) == (0, "nothing to do\n")


def test_an_account_of_the_author_s_name_is_linked(tmp_path: Path, django_user_model: Any) -> None:
    """So that review knows the person, however renamed."""
    user = django_user_model.objects.create_user("anna")
    gateway("apply", written(tmp_path, small()), "--as", "anna")
    assert Revision.objects.get().user == user


def test_without_as_the_author_is_the_system_s_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the operating system names it; or numbers it, where it has no name."""
    monkeypatch.setattr("getpass.getuser", lambda: "olga")
    gateway("apply", written(tmp_path, small()))

    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", nameless)
    gateway("apply", written(tmp_path, small(9)))
    newest, oldest = Revision.objects.all()
    assert oldest.author == "olga"
    assert newest.author.startswith("uid ")


def test_a_refused_document_is_refused_whole(tmp_path: Path) -> None:
    """Every problem on a line of its own, with its place; exit 1."""
    document = {
        "version": 1,
        "services": [service()],
        "routes": [route(), route("b", to="ordrs"), route("c", to="x")],
    }
    ran = gateway("apply", written(tmp_path, document))
    assert (ran.code, ran.out) == (1, "")
    lines = ran.err.splitlines()
    assert lines[0].startswith('routes[1].service: no service named "ordrs"')
    assert len(lines) == 2
    assert not Service.objects.exists()


def test_a_dry_run_prints_and_changes_nothing(tmp_path: Path) -> None:
    """Also what pruning would remove."""
    gateway("apply", written(tmp_path, small()))
    ran = gateway("apply", "--dry-run", "--prune", written(tmp_path, {"version": 1, "services": [service()]}))
    assert ran.code == 0
    assert "will be removed: routes orders" in ran.out
    assert Route.objects.exists()


def test_pruning_lists_first_what_it_removes(tmp_path: Path) -> None:
    """Then it removes it."""
    gateway("apply", written(tmp_path, small()))
    ran = gateway("apply", "--prune", written(tmp_path, {"version": 1, "services": [service()]}))
    assert ran.out.startswith("will be removed: routes orders\n")
    assert not Route.objects.exists()


def test_a_draft_is_not_published(tmp_path: Path) -> None:
    """It says how to publish it."""
    ran = gateway("apply", "--draft", "--as", "anna", written(tmp_path, small()))
    assert "gateway publish" in ran.out
    assert PendingChange.objects.get().author == "anna"
    assert not Revision.objects.exists()


def test_an_unexpected_revision_is_a_conflict(tmp_path: Path) -> None:
    """`--expect` guards a pipeline that read revision 0."""
    gateway("apply", written(tmp_path, small()))
    ran = gateway("apply", "--expect", "0", written(tmp_path, small(9)))
    assert ran.code == 1
    assert "revision 1 is live" in ran.err


def test_programs_get_json(tmp_path: Path) -> None:
    """One value, whatever happened."""
    data = gateway("apply", "--json", written(tmp_path, small())).data
    assert (data["outcome"], data["revision"], data["pruned"]) == ("published", 1, [])
    assert data["changes"]["summary"] == "1 service added; 1 route added"


def test_diff_answers_by_exit_code(tmp_path: Path) -> None:
    """0 same, 3 different, 1 refused."""
    file = written(tmp_path, small())
    assert gateway("diff", file).code == 3
    gateway("apply", file)
    assert gateway("diff", file).code == 0
    changed = gateway("diff", written(tmp_path, small(9)))
    assert changed.code == 3
    assert ":8001" in changed.out
    assert ":9" in changed.out
    assert gateway("diff", written(tmp_path, {"version": 1, "routes": [route(to="none")]})).code == 1
    pruned = gateway("diff", "--prune", "--json", written(tmp_path, {"version": 1}))
    assert pruned.data["summary"] == "1 service removed; 1 route removed"


def test_export_prints_the_configuration(tmp_path: Path) -> None:
    """On standard output or into a file, as YAML or JSON, now or as it was."""
    gateway("apply", written(tmp_path, small()))
    gateway("apply", written(tmp_path, small(9)))
    file = tmp_path / "out.yaml"
    assert gateway("export", file).out == ""
    assert gateway("export").out == file.read_text()
    assert gateway("export", "--json").data["services"][0]["targets"][0]["url"].endswith(":9")
    assert ":8001" in gateway("export", "--revision", "1").out
    assert gateway("export", "--revision", "5").err == "there is no revision 5\n"
    assert gateway("export", tmp_path / "no" / "where").code == 1


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(document=documents())
def test_what_was_exported_applies_to_the_same(document: dict[str, Any], tmp_path: Path) -> None:
    """export → apply on an empty database → export is equal to the byte."""
    apply_document(document, actor=Actor("test"), prune=True)
    file = tmp_path / "exported.yaml"
    gateway("export", file)
    apply_document({"version": 1}, actor=Actor("test"), prune=True)
    ran = gateway("apply", file)
    assert ran.code == 0, ran.err
    assert gateway("export").out == file.read_text()


def test_validate_needs_no_database(tmp_path: Path, django_db_blocker: Any) -> None:
    """Schema and references, also of variables that only the workers have."""
    with django_db_blocker.block():
        good = gateway("validate", written(tmp_path, small()))
        assert (good.code, good.out) == (0, "valid\n")
        bad = gateway("validate", written(tmp_path, {"version": 1, "routes": [route(to="none")]}))
        assert bad.code == 1
        assert bad.err.startswith("routes[0].service: ")
        unset = {
            "version": 1,
            "services": [{"name": "a", "targets": [{"url": "http://${TORANA_NOT_SET}:1"}]}],
        }
        assert gateway("validate", written(tmp_path, unset)).code == 0
        data = gateway(
            "validate", "--json", written(tmp_path, {"version": 1, "routes": [route(to="none")]})
        ).data
        assert data["valid"] is False
        assert data["problems"][0]["path"] == "routes[0].service"


@pytest.mark.parametrize("content", ["", "# nothing\n", "{}", "version: 1\n", "version: 1\nroutes: []\n"])
def test_validate_says_that_a_document_is_empty(tmp_path: Path, content: str) -> None:
    """It is valid: applied with --prune it removes all that there is."""
    file = tmp_path / "empty.yaml"
    file.write_text(content)
    ran = gateway("validate", file)
    assert (ran.code, ran.out) == (0, "valid, but empty: the document names nothing\n")
    data = gateway("validate", "--json", file).data
    assert (data["valid"], data["empty"]) == (True, True)
    assert gateway("validate", "--json", written(tmp_path, small())).data["empty"] is False


def test_tokens_that_no_service_verifies_are_told(tmp_path: Path) -> None:
    """By `validate` and by `apply`, with the route's name; both succeed."""
    file = written(tmp_path, {**small(), "routes": [route(forward_identity="token")]})
    for command in ("validate", "apply"):
        ran = gateway(command, file)

        assert ran.code == 0
        assert 'warning: routes[0].forward_identity: route "orders" sends its service a token' in ran.err
    assert gateway("validate", "--json", file).data["warnings"][0]["id"] == "gateway.W010"


def test_schema_is_a_json_schema(django_db_blocker: Any) -> None:
    """For editors; without a database."""
    with django_db_blocker.block():
        schema = gateway("schema").data
    assert {"services", "routes"} <= schema["properties"].keys()


def test_a_document_may_come_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """FILE `-`."""
    typed(monkeypatch, json.dumps(small()))
    assert gateway("apply", "-").code == 0
    assert Service.objects.exists()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a: [", b"a: 1\na: 2", b"[1]", b"&a [*a]", b"\x00"])
def test_whatever_the_file_holds_there_is_a_clear_message(tmp_path: Path, content: bytes) -> None:
    """Exit 1, or nothing to do; never a traceback."""
    file = tmp_path / "x.yaml"
    file.write_bytes(content)
    ran = gateway("apply", file)
    assert ran.code in (0, 1)
    assert "Traceback" not in ran.err
    assert bool(ran.err) == (ran.code == 1)
    assert not Revision.objects.exists()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """With the system's reason."""
    ran = gateway("apply", tmp_path / "none.yaml")
    assert (ran.code, "No such file" in ran.err, "none.yaml" in ran.err) == (1, True, True)


def test_under_review_applying_leaves_a_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PUBLISH=review."""
    monkeypatch.setattr(publishing, "under_review", lambda: True)
    assert "draft" in gateway("apply", written(tmp_path, small())).out
    assert not Revision.objects.exists()


def test_two_sources_prune_only_their_own(tmp_path: Path) -> None:
    """Each sees what would go first; what a person made stays, and all three are seen in the audit trail."""
    apply_document(small(), actor=Actor("anna"))
    routes = [route("a", "/a", to="users"), route("b", "/b")]
    ours = {"version": 1, "services": [service("users", 8002)], "routes": routes}
    theirs = {"version": 1, "routes": [route("c", "/c")]}
    assert gateway("apply", written(tmp_path, ours), "--managed-by", "ci").code == 0
    assert gateway("apply", written(tmp_path, theirs), "--managed-by", "ops", "--prune").code == 0
    assert dict(Route.objects.values_list("name", "managed_by")) == {
        "orders": None, "a": "ci", "b": "ci", "c": "ops"
    }  # fmt: skip
    del routes[1]
    file = written(tmp_path, ours)
    dry = gateway("apply", file, "--managed-by", "ci", "--prune", "--dry-run")
    assert [line for line in dry.out.splitlines() if "removed:" in line] == ["will be removed: routes b"]
    assert gateway("diff", file, "--managed-by", "ci", "--prune").code == 3
    done = gateway("apply", file, "--managed-by", "ci", "--prune", "--json")
    assert done.data["pruned"] == ["routes b"]
    assert set(Route.objects.values_list("name", flat=True)) == {"orders", "a", "c"}
    assert gateway("apply", file, "--managed-by", "ci", "--prune").out == "nothing to do\n"
    exported = gateway("export", "--managed-by", "ci", "--json").data
    assert ([each["name"] for each in exported["routes"]], exported["services"][0]["managed_by"]) == (
        ["a"],
        "ci",
    )


def test_what_others_made_is_refused_until_it_is_taken_over(tmp_path: Path) -> None:
    """And a mark says whose it is from then on, however the row is replaced."""
    apply_document(small(), actor=Actor("anna"))
    file = written(tmp_path, {"version": 1, "routes": [route(priority=3)]})
    refused = gateway("apply", file, "--managed-by", "ci")
    assert (refused.code, Route.objects.get().priority) == (1, None)
    assert 'routes[0].managed_by: "orders" is there already and belongs to nobody' in refused.err
    assert gateway("apply", file, "--managed-by", "ci", "--take-over").code == 0
    assert gateway("apply", written(tmp_path, small())).code == 0
    assert (Route.objects.get().priority, Route.objects.get().managed_by) == (None, "ci")
    assert "--take-over goes with --managed-by" in gateway("apply", file, "--take-over").err
    assert gateway("apply", file, "--managed-by", "not a name").code == 1
