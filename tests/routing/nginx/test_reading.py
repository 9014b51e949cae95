"""nginx's configuration as a tree."""

from pathlib import Path

import pytest

from routing.foreign import Notes, NotReadable
from routing.nginx.directives import Directive
from routing.nginx.reading import read


def parsed(folder: Path, text: str, **files: str) -> tuple[Directive, list[str]]:
    for name, content in files.items():
        (folder / name).write_text(content)
    (folder / "nginx.conf").write_text(text)
    notes = Notes()
    return read(folder / "nginx.conf", notes), notes.lines()


def test_directives_have_their_places(tmp_path: Path) -> None:
    """The block http is what counts."""
    http, said = parsed(tmp_path, "user www;\nhttp {\n  server { listen 80; }\n}\n")

    assert said == []
    assert [each.place for each in http.all("server")] == ["nginx.conf:3"]
    assert [each.args for server in http.all("server") for each in server.all("listen")] == [("80",)]


def test_a_file_of_servers_alone(tmp_path: Path) -> None:
    """As sites are kept."""
    http, _ = parsed(tmp_path, "server { listen 80; }")
    assert len(list(http.all("server"))) == 1


def test_includes_below_the_folder(tmp_path: Path) -> None:
    """Read in the order of their names; mime.types says nothing."""
    http, said = parsed(
        tmp_path,
        "http { include mime.types; include *.site; }",
        **{"b.site": "server { listen 2; }", "a.site": "server { listen 1; }"},
    )
    assert [each.place for each in http.all("server")] == ["a.site:1", "b.site:1"]
    assert said == []


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../*.conf", "none.conf"])
def test_includes_elsewhere_are_not_read(pattern: str, tmp_path: Path) -> None:
    """And named."""
    _, said = parsed(tmp_path, f"http {{\n include {pattern};\n}}")
    assert said[0].startswith(f"nginx.conf:2: include {pattern}")


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """Whatever it is called."""
    folder = tmp_path / "etc"
    folder.mkdir()
    (tmp_path / "secret").write_text("server { listen 9; }")
    (folder / "x.site").symlink_to(tmp_path / "secret")
    http, said = parsed(folder, "http { include *.site; }")
    assert list(http.all("server")) == []
    assert "no such file" in said[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http {\n server {", r"nginx.conf:2: .*end of file"),
        ("http { } }", "nginx.conf:1: .*unexpected"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, said: str, tmp_path: Path) -> None:
    """The line as well."""
    with pytest.raises(NotReadable, match=said):
        parsed(tmp_path, text)


def test_a_file_that_includes_itself_ends(tmp_path: Path) -> None:
    """And is named."""
    _, said = parsed(tmp_path, "http { include a.site; }", **{"a.site": "include a.site;"})
    assert "only files below" in said[0]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """Or is no text."""
    with pytest.raises(NotReadable, match="No such file"):
        read(tmp_path / "nginx.conf", Notes())
    (tmp_path / "nginx.conf").write_bytes(b"http { \xff\xfe; }")
    http = read(tmp_path / "nginx.conf", Notes())
    assert http.name == "http"
