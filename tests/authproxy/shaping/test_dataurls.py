"""Files inside of JSON, judged without being decoded."""

import base64
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from authproxy.shaping.dataurls import judge
from routing.mediatypes import MediaTypes
from routing.shapes.validation import UploadRules

PNG = b"\x89PNG\r\n\x1a\n"


def url(content: bytes, declared: str = "image/png") -> str:
    return f"data:{declared};base64,{base64.b64encode(content).decode()}"


def reason(text: object, rules: UploadRules) -> str:
    found = judge({"a": text}, [("a",)], rules)
    return "" if found is None else found.reason


@given(st.binary(max_size=400), st.integers(0, 500))
def test_sizes_are_those_of_the_decoded(content: bytes, most: int) -> None:
    """To the byte."""
    rules = UploadRules(MediaTypes(("image/*",)), max_file=most)

    assert (reason(url(PNG + content), rules) == "size") == (len(PNG + content) > most)


@given(st.binary(max_size=20), st.integers(0, 40), st.sampled_from(["=", "*", "A", " ", "-", "é"]))
def test_base64_is_what_the_standard_says(content: bytes, at: int, sign: str) -> None:
    """Whatever is put into it."""
    encoded = base64.b64encode(content).decode()
    text = encoded[:at] + sign + encoded[at:]
    try:
        is_well_formed = base64.b64encode(base64.b64decode(text, validate=True)).decode() == text
    except ValueError:
        is_well_formed = False
    rules = UploadRules(max_file=1000)

    if is_well_formed:
        assert reason(f"data:;base64,{text}", rules) == ""
    elif not text.isascii() or len(text) % 4 or sign in "*- ":
        assert reason(f"data:;base64,{text}", rules) == "data_url"


def test_all_together() -> None:
    """What the pointers lead to is added up; what is null or absent is left out."""
    rules = UploadRules(MediaTypes(("image/png",)), max_total=2 * len(PNG))
    value = {"items": [url(PNG), None, url(PNG)], "last": url(PNG)}

    assert judge(value, [("items", "*")], rules) is None
    found = judge(value, [("items", "-"), ("last",)], rules)
    assert found is not None
    assert found.rejection.details["field"] == "/last"


def test_forms_of_urls() -> None:
    """With parameters, in any case, percent-encoded, or not at all."""
    svg = UploadRules(MediaTypes(("image/svg+xml",)))

    assert reason("DATA:image/svg+xml;charset=utf-8,%3Csvg%3E%3C/svg%3E", svg) == ""
    assert reason("data:image/svg+xml;charset=utf-8;BASE64,PHN2Zz4=", svg) == ""
    assert reason("data:image/svg+xml,%3Csvg%3", svg) == "data_url"
    assert reason("data:image/svg+xml," + "a" * 300, svg) == "file_type"
    assert reason("data:" + "a" * 10_000, svg) == "data_url"
    assert reason(" data:image/svg+xml,", svg) == "data_url"


def test_long_texts_take_no_memory() -> None:
    """They are looked at where they are."""
    texts = [f"data:;base64,{'A' * 4_000_000}", f"data:,{'%41' * 1_000_000}"]
    rules = UploadRules(max_file=5_000_000)
    tracemalloc.start()
    try:
        assert [reason(text, rules) for text in texts] == ["", ""]
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
