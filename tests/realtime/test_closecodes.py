"""The codes of closing are told in the documents, and may travel."""

from pathlib import Path

from realtime import closecodes
from realtime.tunnel.closing import may_travel

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "realtime.md"


def test_each_is_documented_and_may_be_sent() -> None:
    text = DOCUMENT.read_text()
    codes = [value for name, value in vars(closecodes).items() if name.isupper() and isinstance(value, int)]

    assert len(set(codes)) == len(codes) > 5
    for code in codes:
        assert may_travel(code)
        assert f"| {code} |" in text
