"""Phoenix as `make example` starts it: soon, with lines that work, on services that can go and come back."""

from pathlib import Path

import jwt
import pytest

from gateway_project.server.ports import keep_port
from tests.support import systems
from tests.support.databases import empty_database, postgres
from tests.support.systems import SOON_S, System


def test_starts_soon(phoenix: System) -> None:
    """On an environment that is prepared."""
    assert phoenix.start_s < SOON_S


def test_printed_lines_work(phoenix: System, tmp_path: Path) -> None:
    """One after another, in one shell."""
    assert "You said: hello" in phoenix.run_tried(tmp_path)


def test_service_goes_and_comes_back(phoenix: System) -> None:
    """The gateway says so; afterwards all is as before."""
    chat = phoenix.services["chat"]
    chat.kill()
    gone = phoenix.ask("GET", "/api/chat/avatar")
    chat.again()
    back = phoenix.ask("GET", "/api/chat/avatar")
    assert (gone.status_code, gone.json()["error"]["code"]) == (502, "BAD_GATEWAY")
    assert back.status_code == 200


def test_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each variable of the document does what it says: a database by ecto://, secrets, and where the services are."""
    with postgres() as (server, _):
        monkeypatch.setenv("DATABASE_URL", server)
        with empty_database(tmp_path) as url:
            env = {
                "DATABASE_URL": url.replace("postgres", "ecto", 1),
                "SECRET_KEY_BASE": "a-secret-of-somebody-who-has-one-already",
                "JWT_SECRET_KEY": "another-secret-that-signs-all-the-tokens",
                "AUTH_SERVICE_URL": f"http://127.0.0.1:{keep_port()}",
                "CHAT_SERVICE_URL": f"http://127.0.0.1:{keep_port()}",
            }
            with systems.running("phoenix", tmp_path, **env) as system:
                caller = system.signed_in("hedy")
                away = system.ask("GET", "/api/chat/history", caller)
                files = {file.name for file in (tmp_path / "var").iterdir()}
    token = caller["Authorization"].split()[1]
    assert jwt.decode(token, env["JWT_SECRET_KEY"], ["HS256"], options={"verify_aud": False})["exp"]
    assert (away.status_code, away.json()["error"]["code"], system.services) == (502, "BAD_GATEWAY", {})
    assert not any("sqlite" in name for name in files)
