"""`gateway explain`: which route takes a request, and why."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.utils import timezone

from authproxy.models import Consumer
from authproxy.remaining import NO_ADDRESS
from gateway_project import peeking
from gateway_project.connections import Redis
from resilience.models import BreakerState, TargetHealth
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.memory import MemoryStore
from routing.commands import explain as command
from routing.document.canonical import canonicalise, digest
from routing.drafts import Actor
from routing.lastgood import LastGood
from routing.locking import StoreUnavailable
from routing.publishing import apply_document
from routing.revision import RevisionRecord
from tests.support.cli import gateway, typed, written
from tests.support.configuration import PUBLIC, route, service, small
from tests.support.leases import registered

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


@pytest.mark.usefixtures("published")
def test_a_curl_command_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From standard input or a file; its method and header fields count."""
    typed(monkeypatch, "curl -sS 'http://a.test/orders?x=1' \\\n  -H 'X-Mode: beta'\n")
    assert gateway("explain", "--curl", "-", "--json").data["matched"]["route"] == "beta"
    (tmp_path / "asked").write_text("curl -d '{}' http://a.test/orders -u ada:secret")
    ran = gateway("explain", "--curl", tmp_path / "asked", "--json")
    assert (ran.data["matched"]["route"], "secret" in ran.out) == ("posted", False)
    assert "credentials in the request are not looked at" in ran.err


def test_what_is_no_curl_command_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the reason, and in one line."""
    for text, reason in (("wget x", "begins with curl"), ("curl -s", "no URL"), ("curl 'x", "quotes")):
        typed(monkeypatch, text)
        ran = gateway("explain", "--curl", "-")
        assert (ran.code, reason in ran.err, ran.err.count("\n")) == (1, True, 1)
    (tmp_path / "bytes").write_bytes(b"curl \xff")
    for options in (["-", "GET", "/"], ["-", "-H", "a: b"], [tmp_path / "nowhere"], [tmp_path / "bytes"]):
        assert gateway("explain", "--curl", *options).code == 1


def test_before_the_first_revision_it_says_so() -> None:
    """Exit 1."""
    ran = gateway("explain", "GET", "/")
    assert (ran.code, ran.err) == (1, "nothing was published yet\n")


def test_a_header_needs_a_colon() -> None:
    """Exit 1, and how to write it."""
    assert "want 'Name: value'" in gateway("explain", "GET", "/", "-H", "x").err


@pytest.mark.usefixtures("published")
def test_credentials_are_not_looked_at() -> None:
    """It says so, and what to do instead."""
    ran = gateway("explain", "GET", "/orders", "-H", "Authorization: Bearer x")
    assert (ran.code, ran.err) == (0, "credentials in the request are not looked at: say --as USER\n")
    assert gateway("explain", "GET", "/orders", "-H", "Cookie: a=b").err == ""


def test_whose_request_it_is() -> None:
    """Nobody gets 401, somebody without the right 403 and what is missing, somebody with it passes."""
    closed = {**route(), "auth": {"level": "user", "scopes": ["write"]}}
    roles = [{"name": "author", "scopes": ["write"]}]
    apply_document({**small(), "routes": [closed], "roles": roles}, actor=Actor("test"))
    for name, groups in (("anna", ["author"]), ("bert", [])):
        User.objects.create_user(name).groups.set(Group.objects.filter(name__in=groups))

    def refusal(*options: str) -> object:
        found = gateway("explain", "GET", "/orders", "--json", *options).data
        return found["refusal"] and (
            found["refusal"]["status"],
            found["policies"][0]["details"]["refused_for"],
        )

    assert refusal() == (401, {"reason": "missing", "methods": ["jwt", "api_key", "session"]})
    assert refusal("--as", "bert") == (403, {"missing_scopes": ["write"]})
    assert refusal("--as", "anna") is None
    nobody = gateway("explain", "GET", "/orders", "--as", "carl")
    assert (nobody.code, nobody.err) == (1, 'there is no account or consumer named "carl"\n')


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


def test_what_holds_traffic_in_check_is_told() -> None:
    """Whose budget a request counts against, under which plan; a breaker that is open, and an unhealthy target."""
    limited = {"name": "o", "match": {"path": "/o"}, "service": "orders", "auth": PUBLIC, "quotas": ["free"]}
    targets = [{"url": "http://127.0.0.1:8001", "weight": 2}, {"url": "http://127.0.0.1:8002"}]
    guarded = {"name": "orders", "targets": targets, "breaker": {}, "health": {}, "retries": {}}
    plans = [{"name": "gold", "quotas": [{"name": "free", "limit": 1000, "per": "1m"}]}]
    document = {
        "version": 1,
        "services": [guarded],
        "routes": [limited],
        "quotas": [{"name": "free", "limit": 10, "per": "1m"}],
        "plans": plans,
    }
    apply_document(document, actor=Actor("test"))
    Consumer.objects.create(name="shop", kind="service", plan="gold")
    TargetHealth.objects.create(
        service="orders",
        target="http://127.0.0.1:8001",
        healthy=False,
        ok=False,
        checked_at=timezone.now(),
        node="n",
    )
    data = gateway("explain", "GET", "/o", "--as", "shop", "--json").data
    quota = next(note for note in data["policies"] if note["name"] == "quotas")
    assert (quota["source"], quota["details"]["limit"]) == ("plan gold", 1000)
    assert quota["details"]["counted_for"] == "consumer shop"
    assert [(each["state"], each["chosen"]) for each in data["targets"] if "state" in each] == [
        ("unhealthy", False)
    ]
    assert data["upstream_request"]["url"] == "http://127.0.0.1:8002/o"

    BreakerState.objects.create(
        service="orders", state="open", forced="open", forced_by="anna", reason="drill"
    )
    said = gateway("explain", "GET", "/o").out
    for part in (
        "refused: 503 CIRCUIT_OPEN",
        "policy breaker (service): refuse state open, forced_by anna, reason drill",
        "policy quotas (route): applies quota free, limit 10, per 60s",
        "counted_for the client's address",
        "target: http://127.0.0.1:8001 (weight 2, unhealthy)",
        "policy retries (service): applies attempts 2",
    ):
        assert part in said, part


def test_what_is_left_of_quotas_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the bucket that the request would count against; where nobody can be asked, it says so."""
    quotas = [
        {"name": "each", "limit": 5, "per": "1m"},
        {"name": "all", "limit": 9, "per": "day", "key": "global"},
    ]
    document = {**small(), "quotas": quotas, "routes": [route(quotas=["each", "all"])]}
    apply_document(document, actor=Actor("test"))
    monkeypatch.setattr(peeking, "_own", [])
    monkeypatch.setattr(settings, "CONFIG", replace(settings.CONFIG, redis=Redis("process")))
    said = gateway("explain", "GET", "/orders").out
    assert f"remaining unknown, unknown_because {NO_ADDRESS}" in said
    assert f"remaining unknown, unknown_because {peeking.ALONE}" in said
    store = MemoryStore()
    store.take([Charge(QuotaPolicy("each", 5, 60.0), "ip:192.0.2.7")])
    monkeypatch.setattr(peeking, "_own", [store])
    data = gateway("explain", "GET", "/orders", "--from", "192.0.2.7", "--json").data
    each, everybody = (note["details"] for note in data["policies"] if note["name"] == "quotas")
    assert (each["remaining"], each["counted_for"]) == (4, "address 192.0.2.7")
    assert each["resets_at"].endswith("Z")
    assert (everybody["remaining"], everybody["resets_at"]) == (9, None)
    assert "want an address such as" in gateway("explain", "GET", "/orders", "--from", "home").err


def test_targets_that_registered_themselves_are_told() -> None:
    """With how they stand."""
    apply_document(small(), actor=Actor("test"))
    registered(host="b", by="robot", approves=False)
    said = gateway("explain", "GET", "/orders").out
    assert "target: http://127.0.0.1:8001 (chosen)" in said
    assert "target: http://b:1 (registered by robot, quarantined)" in said


def test_a_file_is_explained_without_what_runs(tmp_path: Path) -> None:
    """The database is not asked how breakers are."""
    BreakerState.objects.create(service="orders", state="open", forced="open")
    document = {"version": 1, "services": [{**service(), "breaker": {}}], "routes": [route()]}
    file = written(tmp_path, document)
    said = gateway("explain", "GET", "/orders", "--file", str(file)).out
    assert "CIRCUIT_OPEN" not in said
    assert "policy breaker (service): pass" in said


def test_a_topic_is_explained() -> None:
    """For a caller or nobody, to read or to write; faults are one line."""
    topics = [{"name": "orders", "topics": ["orders.*"], "subscribe": {"roles": ["clerk"]}}]
    apply_document({**DOCUMENT, "topics": topics}, actor=Actor("test"))
    User.objects.create_user("ada").groups.add(Group.objects.create(name="clerk"))
    ran = gateway("explain", "--topic", "orders.7", "--as", "ada")
    assert ran.out.startswith(
        "ada may subscribe orders.7: the rule lets this caller\ndecided by orders (document)"
    )
    assert not gateway("explain", "--topic", "orders.7", "--as", "ada", "--publish", "--json").data["allowed"]
    assert (
        gateway("explain", "--topic", "orders.7", "--json").data["because"]
        == "without credentials nobody may"
    )
    for arguments, why in (
        ((), "say METHOD and URL"),
        (("GET", "/", "--topic", "a"), "not with a request"),
        (("--topic", "a b"), "want 1 to 200"),
        (("--topic", "a", "--as", "eve"), "no account or consumer"),
    ):
        refused = gateway("explain", *arguments)
        assert (refused.code, refused.out) == (1, "")
        assert why in refused.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("GET", "http://["), 'URL: "[" is no host: want a path, or a URL such as http://host/path'),
        (
            ("GET", "http://h:65536/"),
            'URL: "h:65536" is no host: want a path, or a URL such as http://host/path',
        ),
        (("GET", "http://a@bücher.de:81/"), 'URL: "bücher.de:81" must be spelled "xn--bcher-kva.de:81"'),
        (
            ("GET", "/", "-H", "Host: bücher.de"),
            '-H: the header Host has no host: "bücher.de" must be spelled "xn--bcher-kva.de"',
        ),
        (("GET", "/", "-H", "Host: a b"), '-H: the header Host has no host: "a b"'),
    ],
)
def test_what_no_client_could_send_is_refused(arguments: tuple[str, ...], says: str) -> None:
    """Instead of being explained as a request that no route matches; so is what a command of curl's has."""
    apply_document(small(), actor=Actor("test"))
    refused = gateway("explain", *arguments)
    assert (refused.code, refused.out, refused.err) == (1, "", f"{says}\n")


def test_nor_could_curl(tmp_path: Path) -> None:
    file = tmp_path / "request.sh"
    file.write_text("curl 'http://['")
    refused = gateway("explain", "--curl", str(file))
    assert (refused.code, refused.err.startswith('--curl: "[" is no host')) == (1, True)
