"""`gateway import openapi`."""

from pathlib import Path

import pytest

from tests.support.cli import gateway, written
from tests.support.shop import shop

pytestmark = [pytest.mark.store, pytest.mark.django_db]


def imported(file: Path, *more: str) -> Path:
    """The document that comes of it."""
    output = file.with_name("imported.yaml")
    assert gateway("import", "openapi", file, "--service", "shop", "-o", output, *more).code == 0
    return output


def test_a_document_that_can_be_applied(tmp_path: Path) -> None:
    """On standard output, what was not carried over on the other."""
    ran = gateway("import", "openapi", written(tmp_path, shop()), "--service", "shop", "--prefix", "/shop")

    assert ran.code == 0
    assert ran.out.startswith("version: 1\n")
    assert "not carried over: GET /orders/{id}: path parameter id may be any text" in ran.err
    assert gateway("apply", imported(written(tmp_path, shop()), "--prefix", "/shop")).code == 0


def test_an_import_that_changes_nothing(tmp_path: Path) -> None:
    """Exit 0, as `diff`."""
    file = written(tmp_path, shop())
    gateway("apply", imported(file))
    ran = gateway("import", "openapi", file, "--service", "shop", "--compare")

    assert (ran.code, ran.out) == (0, "nothing to do\n")
    assert "breaking" not in ran.err


def test_breaking_changes_are_told(tmp_path: Path) -> None:
    """Against what is live, or a document; exit 3 where it differs."""
    before = imported(written(tmp_path, shop()))
    gateway("apply", before)
    raw = shop()
    del raw["paths"]["/orders/{id}"]
    file = written(tmp_path, raw, "changed.yaml")

    for arguments in (("--compare",), ("--compare", str(before))):
        ran = gateway("import", "openapi", file, "--service", "shop", *arguments)
        assert ran.code == 3
        assert "breaking: GET /orders/{id}: removed" in ran.err
        assert "shop-get-orders-id" in ran.out
    again = gateway("import", "openapi", file, "--service", "shop")
    assert again.code == 0
    assert "breaking: GET /orders/{id}: removed" in again.err
    told = gateway("import", "openapi", file, "--service", "shop", "--compare", "--json")
    assert told.data["breaking"] == ["GET /orders/{id}: removed"]
    assert told.data["changes"]


def test_refusals(tmp_path: Path) -> None:
    """One line, exit 1."""
    other = gateway("import", "openapi", written(tmp_path, {"swagger": "2.0"}), "--service", "shop")
    assert (other.code, other.out) == (1, "")
    assert "Swagger 2.0" in other.err
    assert gateway("import", "openapi", tmp_path / "none.yaml", "--service", "shop").code == 1
    unnamed = gateway("import", "openapi", written(tmp_path, shop()), "--service", "a b")
    assert "not a name" in unnamed.err
    unwritable = gateway(
        "import", "openapi", written(tmp_path, shop()), "--service", "shop", "-o", tmp_path / "no" / "x.yaml"
    )
    assert unwritable.code == 1


def test_a_configuration_of_kong(tmp_path: Path) -> None:
    """What was not carried over is on the other output; the document can be applied."""
    output = tmp_path / "gateway.yaml"
    ran = gateway("import", "kong", "examples/migrating/kong.yaml", "-o", output)

    assert ran.code == 0
    assert "not carried over: plugins[1]: bot-detection: has no counterpart" in ran.err
    assert "wrote 5 routes" in ran.err
    assert gateway("apply", output).code == 0


def test_a_file_that_is_not_of_kong(tmp_path: Path) -> None:
    """Nothing is written."""
    output = tmp_path / "gateway.yaml"
    ran = gateway("import", "kong", written(tmp_path, {"services": []}), "-o", output)

    assert ran.code == 1
    assert "there is no _format_version" in ran.err
    assert not output.exists()


def test_a_document_names_its_service(tmp_path: Path) -> None:
    """By its title, where nobody says another."""
    ran = gateway("import", "openapi", written(tmp_path, shop()))

    assert ran.code == 0
    assert "- name: shop" in ran.out


def test_a_configuration_of_nginx(tmp_path: Path) -> None:
    """The places are lines of the file; `--json` has both parts."""
    output = tmp_path / "gateway.yaml"
    ran = gateway("import", "nginx", "examples/migrating/nginx.conf", "-o", output)

    assert ran.code == 0
    assert "not carried over: nginx.conf:47: location /files/: root" in ran.err
    assert gateway("apply", output).code == 0
    told = gateway("import", "nginx", "examples/migrating/nginx.conf", "--json").data
    assert sorted(told) == ["document", "not_carried"]


@pytest.mark.parametrize("text", [None, "http {", "http {}"])
def test_a_file_that_is_not_of_nginx(text: str | None, tmp_path: Path) -> None:
    """An error with its place, and nothing is written."""
    file, output = tmp_path / "nginx.conf", tmp_path / "gateway.yaml"
    if text is not None:
        file.write_text(text)
    ran = gateway("import", "nginx", file, "-o", output)

    assert ran.code == 1
    assert "nginx.conf" in ran.err
    assert "Traceback" not in ran.err
    assert not output.exists()


def test_yaml_of_others_may_have_anchors(tmp_path: Path) -> None:
    """What several operations share is written once."""
    file = tmp_path / "shared.yaml"
    file.write_text(
        "openapi: 3.0.0\ninfo: {title: Shared}\nservers: [{url: 'http://127.0.0.1:1'}]\n"
        "paths:\n  /a: &all {get: {responses: {}}}\n  /b: *all\n"
    )
    ran = gateway("import", "openapi", file, "--json")

    assert [route["match"]["path"] for route in ran.data["document"]["routes"]] == ["/a", "/b"]
