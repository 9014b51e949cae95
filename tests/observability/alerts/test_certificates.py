"""Certificates that services name, before they expire."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from observability.alerts.certificates import Certificates
from routing.compiler import CompileOptions, compile_snapshot
from routing.snapshot import CompiledService

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def services(**tls: Any) -> dict[str, CompiledService]:
    raw = {
        "version": 1,
        "services": [
            {"name": "safe", "targets": [{"url": "https://h"}], "tls": {"key": "/run/key", **tls}},
            {"name": "plain", "targets": [{"url": "http://h"}]},
        ],
    }
    return dict(compile_snapshot(raw, revision=1, options=CompileOptions()).services)


def certificate(days: float) -> str:
    leaf = trustme.CA().issue_cert("gateway@example.org", not_after=NOW + timedelta(days=days))
    return leaf.cert_chain_pems[0].bytes().decode()


@pytest.mark.parametrize(
    ("days", "severity", "said"),
    [
        (60, None, ""),
        (15, None, ""),
        (13, "warning", "expires on 2026-06-14"),
        (2, "critical", "expires on 2026-06-03"),
        (-1, "critical", "has expired on 2026-05-31"),
    ],
)
def test_two_weeks_before(days: float, severity: str | None, said: str, tmp_path: Path) -> None:
    """As text and as a file."""
    text = certificate(days)
    file = tmp_path / "cert.pem"
    file.write_text(text)
    for cert in (text, str(file)):
        found = Certificates().look(services(cert=cert), NOW.timestamp())
        assert [(each.key, each.severity) for each in found] == (
            [] if severity is None else [("safe:cert", severity)]
        )
        assert all(said in each.summary for each in found)


def test_of_several_authorities_the_last_counts() -> None:
    """One that is over does no harm while there is another."""
    assert (
        Certificates().look(
            services(cert=certificate(60), ca=certificate(2) + certificate(60)), NOW.timestamp()
        )
        == []
    )
    (found,) = Certificates().look(services(cert=certificate(60), ca=certificate(2)), NOW.timestamp())
    assert found.key == "safe:ca"


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Is told as well, without what is in it."""
    file = tmp_path / "cert.pem"
    file.write_text("secret nonsense")
    for cert in (str(file), "/no/such/file"):
        (found,) = Certificates().look(services(cert=cert), NOW.timestamp())
        assert (found.severity, found.subject) == ("critical", "safe")
        assert "cannot be read" in found.summary
        assert "nonsense" not in found.summary


def test_ends_are_remembered_for_metrics() -> None:
    """Of those that can be read; a look forgets what is no longer there."""
    certificates = Certificates()
    certificates.look(services(cert=certificate(60), ca="nonsense"), NOW.timestamp())
    assert certificates.ends == {("safe", "cert"): (NOW + timedelta(days=60)).timestamp()}

    certificates.look({}, NOW.timestamp())
    assert certificates.ends == {}
