"""What all calls of the control API have in common, by its OpenAPI document: pages, and nothing that is not known."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from drf_spectacular.generators import SchemaGenerator

from authproxy.control.paging import MOST, USUAL
from tests.support.endpoints import PASSWORD, Endpoints, refusal

pytestmark = pytest.mark.django_db
PREFIX = "/control/v1/"
NOBODY = "00000000-0000-0000-0000-000000000000"
SCHEMA: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
PATHS: dict[str, Any] = {
    path: methods for path, methods in SCHEMA["paths"].items() if path.startswith(PREFIX)
}
METHODS = ("get", "post", "put", "patch", "delete")
CALLS = sorted((path, method) for path, methods in PATHS.items() for method in methods if method in METHODS)
LISTS = [
    (path, PATHS[path][method])
    for path, method in CALLS
    if PATHS[path][method]["summary"].startswith("List ")
]


@pytest.fixture
def staff() -> Endpoints:
    User.objects.create_superuser("root", password=PASSWORD)
    client = Endpoints()
    client.signed_in("root")
    return client


def filled(path: str) -> str:
    path = path.replace("{id}", "1" if "/keys/" in path or "/bus/" in path else NOBODY).replace(
        "{number}", "1"
    )
    return path.translate(str.maketrans("", "", "{}"))


def test_there_are_lists() -> None:
    """All that this file is about."""
    assert len(LISTS) >= 20


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_a_parameter_that_nobody_knows_is_refused(staff: Endpoints, path: str, method: str) -> None:
    """By its name, before anything is done; the description says that 400 may come."""
    assert "400" in PATHS[path][method]["responses"]
    answer = getattr(staff, method)(f"{filled(path)}?nonsense=1&nonsense=2")
    status, code, details = refusal(answer)
    assert (status, code, list(details)) == (400, "VALIDATION_ERROR", ["nonsense"])


@pytest.mark.parametrize(("path", "call"), LISTS)
def test_every_list_says_that_it_comes_in_pages(path: str, call: dict[str, Any]) -> None:
    """With the same parameters, and the cursor of the next in its answer."""
    asked = {each["name"]: each["schema"] for each in call["parameters"] if each["in"] == "query"}
    assert asked["limit"] == {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL}
    assert asked["cursor"] == {"type": "string", "minLength": 1}
    shape = call["responses"]["200"]["content"]["application/json"]["schema"]
    if "$ref" in shape:
        shape = SCHEMA["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    assert shape["properties"]["next"]["type"] == ["string", "null"]
    assert "next" in shape["required"]


@pytest.mark.parametrize("path", [path for path, _ in LISTS if "{" not in path])
def test_every_list_comes_in_pages(staff: Endpoints, path: str) -> None:
    """Of bounded length."""
    told = staff.get(path)
    assert (told.status_code, "next" in told.json()) == (200, True)
    for query, field in (("limit=0", "limit"), (f"limit={MOST + 1}", "limit"), ("cursor=!", "cursor")):
        status, code, details = refusal(staff.get(f"{path}?{query}"))
        assert (status, code, list(details)) == (400, "VALIDATION_ERROR", [field])
