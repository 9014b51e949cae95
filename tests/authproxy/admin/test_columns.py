"""What lists say of keys and sessions, and their links."""

from datetime import UTC, datetime

from authproxy.admin.columns import KeyColumns, link, moment_text
from authproxy.models import ApiKey


def test_link_is_escaped() -> None:
    """Names are whatever people chose."""
    found = link("authproxy_apikey_changelist", "<b>", consumer="a&b c", state="live")
    assert found == (
        '<a class="text-link" href="/admin/authproxy/apikey/?consumer=a%26b+c&amp;state=live">&lt;b&gt;</a>'
    )


def test_key_says_what_it_may() -> None:
    """None of its own is not the same as all of its consumer's."""
    columns = KeyColumns()
    assert columns.shown_scopes(ApiKey(scopes=None)) == "all of its consumer's"
    assert columns.shown_scopes(ApiKey(scopes=[])) == "none"
    assert columns.shown_scopes(ApiKey(scopes=["a", "b"])) == "a b"


def test_moments_are_as_lists_show_them() -> None:
    """To the second, in UTC."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
    assert moment_text(moment) == "2026-01-02 03:04:05"
    assert KeyColumns().shown_expiry(ApiKey(expires_at=moment)) == "2026-01-02 03:04:05"
    assert KeyColumns().shown_expiry(ApiKey()) == "never"
