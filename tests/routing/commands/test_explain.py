"""`gateway explain`: which route takes a request, and why."""

from pathlib import Path

import pytest

from routing.commands import explain as command
from routing.document.canonical import canonicalise, digest
from routing.drafts import Actor
from routing.lastgood import LastGood
from routing.locking import StoreUnavailable
from routing.publishing import apply_document
from routing.revision import RevisionRecord
from tests.support.cli import gateway, written
from tests.support.configuration import PUBLIC, route, service, small

pytestmark = [pytest.mark.store, pytest.mark.django_db]
DOCUMENT = {
    "version": 1,
    "services": [service()],
    "routes": [
        route(),
        {
            "name": "posted",
            "match": {"path": "/orders", "methods": ["POST"]},
            "service": "orders",
            "auth": PUBLIC,
        },
        {
            "name": "beta",
            "match": {"path": "/orders", "headers": {"x-mode": "beta"}},
            "respond": {"body": "beta"},
            "auth": PUBLIC,
        },
    ],
}


@pytest.fixture
def published() -> None:
    apply_document(DOCUMENT, actor=Actor("test"))


@pytest.mark.usefixtures("published")
def test_the_winner_and_the_losers_are_named() -> None:
    """For people."""
    ran = gateway("explain", "GET", "/orders/7?x=1")
    assert (ran.code, ran.err) == (0, "")
    assert "matched: route orders → service orders" in ran.out
    assert "passed over: posted" in ran.out
    assert "127.0.0.1:8001" in ran.out


@pytest.mark.usefixtures("published")
def test_programs_get_the_contract_s_keys() -> None:
    """As JSON, with headers taken into account."""
    data = gateway("explain", "GET", "/orders", "-H", "X-Mode: beta", "--json").data
    assert {"revision", "matched", "passed_over", "policies", "upstream_request", "targets"} <= data.keys()
    assert (data["revision"], data["matched"]["route"]) == (1, "beta")


@pytest.mark.usefixtures("published")
def test_no_route_is_an_answer_too() -> None:
    """404 as the gateway would say it."""
    ran = gateway("explain", "GET", "http://a.test/nowhere")
    assert ran.code == 0
    assert "no route matched" in ran.out


@pytest.mark.usefixtures("published")
def test_drafts_and_earlier_revisions_can_be_asked() -> None:
    """Before publishing, and after."""
    apply_document({**small(), "routes": [route("new", "/new")]}, actor=Actor("test"), draft=True)
    assert gateway("explain", "GET", "/new", "--draft", "--json").data["matched"]["route"] == "new"
    assert gateway("explain", "GET", "/new", "--json").data["matched"] is None
    assert gateway("explain", "GET", "/orders", "--revision", "1", "--json").data["revision"] == 1
    assert gateway("explain", "GET", "/", "--revision", "8").err == "there is no revision 8\n"


def test_a_file_needs_no_database(tmp_path: Path, django_db_blocker: object) -> None:
    """And its problems are told."""
    with django_db_blocker.block():  # type: ignore[attr-defined]
        ran = gateway("explain", "GET", "/orders", "--file", written(tmp_path, DOCUMENT), "--json")
        assert ran.data["matched"]["route"] == "orders"
        for wrong in ({"version": 1, "routes": [route(to="x")]}, "text"):
            ran = gateway("explain", "GET", "/", "--file", written(tmp_path, wrong))
            assert ran.code == 1
            assert ran.err


def test_before_the_first_revision_it_says_so() -> None:
    """Exit 1."""
    ran = gateway("explain", "GET", "/")
    assert (ran.code, ran.err) == (1, "nothing was published yet\n")


def test_a_header_needs_a_colon() -> None:
    """Exit 1, and how to write it."""
    assert "want 'Name: value'" in gateway("explain", "GET", "/", "-H", "x").err


@pytest.mark.usefixtures("published")
def test_as_user_says_that_identity_is_not_evaluated() -> None:
    """Rather than pretending."""
    assert "--as changes nothing" in gateway("explain", "GET", "/orders", "--as", "anna").err


def test_without_a_database_the_kept_revision_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a note; without one, the reason."""

    def fail() -> None:
        raise StoreUnavailable("the database cannot be reached: no")

    monkeypatch.setattr(command, "reading", fail)
    kept = LastGood(tmp_path)
    monkeypatch.setattr(command, "LastGood", lambda _var_dir: kept)
    assert gateway("explain", "GET", "/orders").err == "the database cannot be reached: no\n"
    document = canonicalise(DOCUMENT)
    kept.save(RevisionRecord(4, digest(document), document))
    ran = gateway("explain", "GET", "/orders")
    assert ran.code == 0
    assert "explaining the kept revision 4" in ran.err
    assert gateway("explain", "GET", "/orders", "--revision", "3").code == 1
