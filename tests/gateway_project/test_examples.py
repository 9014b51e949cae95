"""The demo and the example systems as data: what is there can be loaded, started and tried."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_project import examples, secretfile
from gateway_project.examples import DEMO, UnknownExample, named
from gateway_project.systemfile import SystemFault
from routing.document.yaml import parse_text
from routing.targets import find_overrides, override_key
from routing.validation import check_document


def test_there_are_examples() -> None:
    """Folders with a configuration; other files beside them are none."""
    assert {"isaas", "phoenix"} <= set(examples.names())


@pytest.mark.parametrize("name", examples.names())
def test_example_is_whole(name: str) -> None:
    """A configuration without a fault or a warning, a service to start for each, lines to try."""
    example = named(name)
    document = parse_text(example.document.read_text())
    checked = check_document(document, env=os.environ, api_prefix="/api/v1")
    assert checked.problems == ()
    assert checked.warnings == ()
    assert set(example.services) <= {upstream.name for upstream in example.upstreams}
    assert any(examples.USUAL_URL in line for line in example.lines)


@pytest.mark.parametrize("name", examples.names())
def test_variables_reach_the_services(name: str) -> None:
    """Each is the name under which the compiler looks for that service's address."""
    example = named(name)
    variables = (upstream.variable for upstream in example.upstreams if upstream.name in example.services)
    found = find_overrides({variable: "http://h" for variable in variables})
    assert {override_key(service) for service in example.services} == set(found)


def test_lines_name_the_gateway_where_it_is() -> None:
    """Not where it usually is."""
    lines = DEMO.lines_at("http://127.0.0.1:1")
    assert lines[0] == "curl -i http://127.0.0.1:1/api/orders"
    assert examples.USUAL_URL not in " ".join(lines)


def test_lines_name_its_websockets() -> None:
    """They are where HTTP is."""
    example = replace(DEMO, lines=("client ws://127.0.0.1:8000/ws",))
    assert example.lines_at("http://127.0.0.1:1") == ["client ws://127.0.0.1:1/ws"]


def test_system_that_is_not_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the file and the place."""
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "gateway.yaml").write_text("version: 1\nservices: []\n")
    (folder / "system.yaml").write_text("services: [{name: a, command: [x], prot: 1}]\n")
    monkeypatch.setattr(examples, "EXAMPLES", tmp_path)
    with pytest.raises(SystemFault, match=r"odd/system\.yaml: services\.0\.prot: "):
        named("odd")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "which example? Say SYSTEM=NAME; there are: "),
        ("nothing", "there is no example 'nothing'; there are: "),
        ("../examples/isaas", "there is no example '../examples/isaas'; there are: "),
    ],
)
def test_unknown_example(name: str, said: str) -> None:
    """The message says which there are."""
    with pytest.raises(UnknownExample) as refused:
        named(name)
    assert str(refused.value).startswith(said)
    assert "isaas" in str(refused.value)


def test_environment_that_is_lacking(tmp_path: Path) -> None:
    """What is set stays; a secret is the one that every command of this VAR_DIR has."""
    example = replace(DEMO, environment={"API_PREFIX": "/api/v2", "JWT_SECRET": "{secret}"})
    lacking = examples.lacking(example, {"API_PREFIX": "/mine"}, tmp_path / "var")
    assert lacking == {"JWT_SECRET": secretfile.load_or_create(tmp_path / "var")}
    assert examples.lacking(example, {"API_PREFIX": "", "JWT_SECRET": ""}, tmp_path) == {}


@pytest.mark.parametrize(
    ("arguments", "starts"),
    [
        ("quickstart --example isaas", "isaas"),
        ("quickstart --verbosity 0 --example=isaas", "isaas"),
        ("quickstart", "demo"),
        ("quickstart --help", None),
        ("quickstart --example", None),
        ("quickstart --example isas", None),
        ("gateway serve --example isaas", None),
        ("", None),
    ],
)
def test_what_a_command_line_starts(arguments: str, starts: str | None) -> None:
    """What the command would refuse starts nothing."""
    example = examples.asked(arguments.split())
    assert (example.name if example else None) == starts


def test_of_a_pair_one_may_be_given() -> None:
    """The other one is the example's: `RATE_LIMIT_REQUESTS=20 make example SYSTEM=screenshot-to-code`."""
    found = examples.brought(examples.named("screenshot-to-code"), {"RATE_LIMIT_REQUESTS": "20"})
    assert found["RATE_LIMIT_WINDOW_SECONDS"] == "60"
    assert "RATE_LIMIT_REQUESTS" not in found


def test_a_folder_that_cannot_be_used_is_said_by_settings(tmp_path: Path) -> None:
    """Nothing is brought then."""
    file = tmp_path / "file"
    file.write_text("")
    assert examples.brought(examples.named("phoenix"), {"VAR_DIR": str(file)}) == {}
