"""The reference of environment variables."""

from gateway_project.config import table
from scripts.docsite.variables import groups, text
from tests.support.source import ROOT

EXAMPLE = (ROOT / ".env.example").read_text()


def test_every_variable_is_there() -> None:
    """Once, in its section, with what it does."""
    page = text(EXAMPLE, table().values())
    names = {row.names[0] for row in table().values()}
    assert [name for name in names if page.count(f"`{name}`{{ #{name.lower()} ") != 1] == []
    assert all(group.comment and group.section for group in groups(EXAMPLE))


def test_defaults_are_those_of_the_table() -> None:
    """With second names, and what differs in production."""
    page = text(EXAMPLE, table().values())
    assert "`GATEWAY_PORT`{ #gateway_port .key } — default `8000`; also read: `API_PORT`" in page
    assert "`ENFORCE_HTTPS`{ #enforce_https .key } — default `off`; in production `redirect`" in page
    assert "[bus](../bus.md)" in page
