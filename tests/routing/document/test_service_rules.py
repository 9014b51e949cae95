"""What the keys of a service must be to each other."""

from typing import Any

import pytest
from hypothesis import given

from routing.document.interpolation import fill
from routing.document.service_rules import check_service_rules, target_urls, written_secret
from tests.support.documents import anything, lines

PEM = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n"


def service(**more: Any) -> dict[str, Any]:
    return {"name": "s", "targets": [{"url": "https://h"}], **more}


def urls(*names: str) -> list[dict[str, str]]:
    return [{"url": name} for name in names]


@pytest.mark.parametrize(
    "raw",
    [
        service(),
        service(targets=urls("http://a", "https://a", "unix:///s")),
        service(protocol="https"),
        service(protocol="h2"),
        service(protocol="h2c", targets=urls("http://a", "unix:///s")),
        service(protocol="grpc", targets=urls("http://a", "https://a")),
        service(protocol="nonsense"),
        service(protocol=["http"]),
        service(load_balancing="consistent_hash", hash_on="ip"),
        service(tls={"ca": PEM, "cert": PEM, "key": "/run/key.pem"}),
        service(tls={"ca": "ca.pem"}),
        service(targets="nonsense", tls="nonsense"),
    ],
)
def test_accepted(raw: dict[str, Any]) -> None:
    """Keys that go together; wrong types are reported elsewhere."""
    assert lines(check_service_rules(raw)) == []


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (service(targets=[]), "W004 targets: there are none yet: requests are answered 503"),
        ({"name": "s"}, "W004 targets"),
        (service(protocol="https", targets=urls("http://a")), "protocol https needs https:// targets"),
        (service(protocol="h2", targets=urls("http://a")), "E021 targets[0].url"),
        (
            service(protocol="h2c"),
            'E021 targets[0].url: "https://h": protocol h2c needs http:// or unix:// targets',
        ),
        (
            service(targets=urls("http://a", "http://b", "http://a")),
            'E032 targets[2].url: "http://a" is there already, as targets[0]',
        ),
        (service(load_balancing="consistent_hash"), "E036 hash_on: is missing"),
        (service(hash_on="ip"), "E036 hash_on: needs load_balancing: consistent_hash"),
        (service(tls={"cert": PEM}), "E025 tls.key: is missing"),
        (service(tls={"key": "/k"}), "E025 tls.cert: is missing"),
        (service(tls={"ca": KEY}), "E025 tls.ca: is neither a file's path nor a certificate"),
        (service(tls={"ca": " "}), "E038 tls.ca: must not be empty"),
        (service(tls={"cert": "a\nb", "key": "/k"}), "E025 tls.cert: is neither"),
        (service(tls={"cert": "c.pem", "key": KEY}), "E026 tls.key: a secret is not written out"),
        (service(tls={"verify": False, "ca": "ca.pem"}), "W005 tls.ca: has no effect with verify: false"),
        (service(targets=urls("http://a"), tls={}), None),
        (
            service(targets=urls("http://a"), tls={"verify": False}),
            "W005 tls: has no effect: no target is https",
        ),
    ],
)
def test_reported(raw: dict[str, Any], message: str | None) -> None:
    """Keys that do not go together, and settings without effect."""
    found = lines(check_service_rules(raw))

    assert message is None or message in found[0]


@pytest.mark.parametrize(
    ("written", "is_refused"),
    [
        ("${KEY}", False),
        ("/run/secrets/key.pem", False),
        ("./key.pem", False),
        ("${DIR}/key.pem", False),
        (None, False),
        ("hunter2", True),
        (KEY, True),
        ("${KEY:-hunter2}", True),
        ("${KEY:-/a}", True),
        ("a/b\nc", True),
    ],
)
def test_secrets_are_not_written_out(written: object, is_refused: bool) -> None:
    """A reference or a file's path; never the secret itself, nor a default for it."""
    filled = fill({"key": written}, {"KEY": KEY, "DIR": "/run"}).value["key"]
    found = list(written_secret(filled, ("tls", "key")))

    assert bool(found) == is_refused
    assert not any("hunter2" in str(finding) or "abc" in str(finding) for finding in found)


def test_target_urls() -> None:
    """Positions are those of the document, whatever stands between."""
    assert target_urls({"targets": [{"url": "a"}, 5, {"url": 6}, {"url": "b"}]}) == [(0, "a"), (3, "b")]


@given(anything)
def test_any_value_is_read(raw: Any) -> None:
    """No value of a wrong type breaks a rule."""
    value = fill(raw, {}).value
    if isinstance(value, dict):
        assert all(finding.id for finding in check_service_rules(value))
