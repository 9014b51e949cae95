"""The views of all kinds: one pair each, described with every answer that they have."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from authproxy.views.control.described import ENTRY_VIEWS
from authproxy.views.control.kinds import KINDS


@pytest.fixture(scope="module")
def paths() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)["paths"]


def test_each_kind_has_its_pair() -> None:
    """Under their own names, so that tracebacks and schemas tell them apart."""
    assert set(ENTRY_VIEWS) == set(KINDS)
    assert len({view.__name__ for pair in ENTRY_VIEWS.values() for view in pair}) == 2 * len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_their_answers_are_described(paths: Any, kind: str) -> None:
    """With the entry's own shape."""
    one = paths[f"/control/v1/{kind}/{{name}}"]
    reference = {"$ref": f"#/components/schemas/{KINDS[kind].schema}"}
    assert one["get"]["responses"]["200"]["content"]["application/json"]["schema"] == reference
    assert one["put"]["requestBody"]["content"]["application/json"]["schema"] == reference
    assert set(one["put"]["responses"]) == {
        "200", "201", "202", "400", "401", "403", "412", "413", "415", "503",
    }  # fmt: skip
    names = {each["name"] for each in one["put"]["parameters"]}
    assert {"If-Match", "If-None-Match", "dry_run", "draft", "message", "X-Change-Message"} <= names
