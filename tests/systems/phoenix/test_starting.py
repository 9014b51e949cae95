"""Phoenix as `make example` starts it: soon, with lines that work, on services that can go and come back."""

from pathlib import Path

from tests.support.systems import System


def test_starts_soon(phoenix: System) -> None:
    """Under 15 s on an environment that is prepared."""
    assert phoenix.start_s < 15


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
