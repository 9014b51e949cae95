"""`system.yaml`: what may stand there, and what is filled in."""

import pytest

from gateway_project.systemfile import SystemFault, read, wants_secret, with_credentials, with_secret


def test_whole_file() -> None:
    """What is not said has its usual value."""
    document = {
        "services": [
            {"name": "chat", "command": ["-m", "chat"]},
            {"name": "w", "command": [], "listens": False},
        ],
        "accounts": [{"name": "ada"}],
        "consumers": [{"name": "robot"}],
        "try": ["curl -i http://127.0.0.1:8000/"],
    }
    found = read(document)
    assert found.lines == ("curl -i http://127.0.0.1:8000/",)
    assert [service.listens for service in found.services] == [True, False]
    assert (found.accounts[0].roles, found.consumers[0].kind, dict(found.environment)) == ((), "service", {})


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (None, ": "),
        ({}, "services: Field required"),
        ({"services": [{"name": "a b", "command": []}]}, "services.0.name: "),
        ({"services": [], "accounts": [{"name": "ada", "role": "reader"}]}, "accounts.0.role: "),
        ({"services": [], "environment": {"A": 1}}, "environment.A: "),
    ],
)
def test_fault_names_its_place(document: object, place: str) -> None:
    """Every one, in one line."""
    with pytest.raises(SystemFault) as refused:
        read(document)
    assert place in str(refused.value)


def test_credentials_are_filled_in() -> None:
    """JSON and what nobody knows are left."""
    text = """-d '{"a": {"b": 1}}' {ada.password} {robot.key} {ben.key} {ada.age}"""
    shown = with_credentials(text, {"ada": "pw"}, {"robot": "tk"})
    assert shown == """-d '{"a": {"b": 1}}' pw tk {ben.key} {ada.age}"""


def test_secret_is_filled_in() -> None:
    """Where it is wanted."""
    assert [wants_secret(text) for text in ("{secret}", "secret")] == [True, False]
    assert with_secret("x{secret}", "s") == "xs"
