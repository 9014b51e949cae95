"""Django's settings under different environments."""

import io
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from gateway_project.config import BASE_DIR

STRONG = "k3Jx-9vQ2_pLw8ZrT5nYb7Hd"


def settings_in(monkeypatch: pytest.MonkeyPatch, **environ: str) -> dict[str, Any]:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(BASE_DIR / "gateway_project" / "settings.py"))


def manage(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
    )


def test_production_is_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cookies travel over HTTPS alone, plain requests are redirected, browsers are told to stay."""
    settings = settings_in(monkeypatch, ENVIRONMENT="production", SECRET_KEY=STRONG)

    assert settings["SESSION_COOKIE_SECURE"]
    assert settings["CSRF_COOKIE_SECURE"]
    assert settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] > 0
    assert not settings["DEBUG"]


def test_development_works_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """On http://127.0.0.1 a browser keeps its session."""
    settings = settings_in(monkeypatch, ENVIRONMENT="development")

    assert not settings["SESSION_COOKIE_SECURE"]
    assert not settings["SECURE_SSL_REDIRECT"]
    assert settings["SECURE_HSTS_SECONDS"] == 0


def test_security_headers_can_be_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY_HEADERS=false drops them all, and nothing else."""
    usual = settings_in(monkeypatch)
    settings = settings_in(monkeypatch, SECURITY_HEADERS="false")

    assert set(usual["MIDDLEWARE"]) - set(settings["MIDDLEWARE"]) == {
        "gateway_project.csp.PolicyMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    }
    assert not settings["SECURE_CONTENT_TYPE_NOSNIFF"]
    assert settings["SECURE_REFERRER_POLICY"] is None


def test_log_level_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """LOG_LEVEL holds for Django's loggers and all others; nobody fills the log with hosts that are not allowed."""
    logging = settings_in(monkeypatch, LOG_LEVEL="error")["LOGGING"]

    assert logging["loggers"]["django.security.DisallowedHost"]["handlers"] == ["nowhere"]

    assert (logging["root"]["level"], logging["loggers"]["django"]["level"]) == ("ERROR", "ERROR")


def test_pages_carry_the_security_headers(client: Client) -> None:
    """A 404 of Django's has them like any page."""
    headers = client.get("/nowhere").headers

    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_unusable_environment_is_told_without_a_traceback() -> None:
    """A command in a wrong environment ends with the list of problems."""
    done = manage("check", GATEWAY_PORT="x", PUBLISH="never")

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "The environment cannot be used:",
        "  GATEWAY_PORT: 'x' is not a whole number",
        "  PUBLISH: 'never' is none of auto, review",
    ]


def test_importing_settings_touches_no_database() -> None:
    """Commands that need no database run while there is none."""
    done = manage("check", DATABASE_URL="postgres://nobody@127.0.0.1:1/none")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "System check identified no issues (0 silenced).\n"


def test_deployment_checks_leave_only_known_warnings(tmp_path: Path) -> None:
    """HSTS for subdomains and its preloading are the operator's to decide: not all names may speak HTTPS."""
    done = manage("check", "--deploy", ENVIRONMENT="production", SECRET_KEY=STRONG * 3, VAR_DIR=str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert {word for word in done.stderr.split() if word.startswith("(security.")} == {
        "(security.W005)",
        "(security.W021)",
    }


@pytest.mark.django_db
@pytest.mark.store
def test_every_model_change_has_its_migration() -> None:
    """The migrations make what the models say."""
    said = io.StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=said)
    assert "No changes detected" in said.getvalue()
