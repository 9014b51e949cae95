"""The form of the import page."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from routing.admin.forms.importing import ImportForm
from tests.support.shop import shop


def form(text: str = "", file: bytes | None = None, **data: str) -> ImportForm:
    files = {} if file is None else {"file": SimpleUploadedFile("a.yaml", file)}
    return ImportForm({"text": text, "service": "shop", **data}, files)


def test_a_document_is_converted() -> None:
    """With what was said beside it."""
    found = form(json.dumps(shop()), url="http://127.0.0.1:8001", path_prefix="/p")

    assert found.is_valid()
    document = found.cleaned_data["converted"].document
    assert document["services"][0]["targets"] == [{"url": "http://127.0.0.1:8001"}]
    assert document["routes"][0]["match"]["path"] == "/p/orders"


def test_a_file_comes_first() -> None:
    """Also one that begins with a mark of its byte order."""
    found = form("nonsense", b"\xef\xbb\xbf" + json.dumps(shop()).encode())

    assert found.is_valid()
    assert json.loads(found.cleaned_data["text"]) == shop()


@pytest.mark.parametrize("text", ["", "[]", "openapi: 3.0.0", "a: b: c"])
def test_what_is_no_document(text: str) -> None:
    """Is an error of the form."""
    assert not form(text).is_valid()
