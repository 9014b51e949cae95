"""Curl commands: read as the requests that curl would send."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.curl import NotCurl, Request, parse_curl


@pytest.mark.parametrize(
    ("text", "method", "url", "headers"),
    [
        ("curl https://a.test/x", "GET", "https://a.test/x", ()),
        ("curl -X PUT https://a.test", "PUT", "https://a.test", ()),
        ("curl -XDELETE https://a.test", "DELETE", "https://a.test", ()),
        ("curl -sSX patch https://a.test", "PATCH", "https://a.test", ()),
        ("curl --request=post https://a.test", "POST", "https://a.test", ()),
        ("curl -I https://a.test", "HEAD", "https://a.test", ()),
        ("curl -d a=1 https://a.test", "POST", "https://a.test", ()),
        ("curl -F a=@f https://a.test", "POST", "https://a.test", ()),
        ("curl --json '{}' https://a.test", "POST", "https://a.test", ()),
        ("curl -G -d a=1 https://a.test", "GET", "https://a.test", ()),
        ("curl -X GET --data x https://a.test", "GET", "https://a.test", ()),
        ("curl -H 'X-A: b: c' https://a.test", "GET", "https://a.test", (("X-A", "b: c"),)),
        ("curl -HX-A:b --url https://a.test", "GET", "https://a.test", (("X-A", "b"),)),
        (
            "curl -A me -b a=1 https://a.test",
            "GET",
            "https://a.test",
            (("User-Agent", "me"), ("Cookie", "a=1")),
        ),
        ("curl --oauth2-bearer t https://a.test", "GET", "https://a.test", (("Authorization", "Bearer t"),)),
        ("curl -u u:secret https://a.test", "GET", "https://a.test", (("Authorization", "Basic …"),)),
        ("curl -o out -m 5 --retry 3 https://a.test -v", "GET", "https://a.test", ()),
        ("/usr/bin/curl \\\n  -H 'a: b' \\\n  https://a.test", "GET", "https://a.test", (("a", "b"),)),
        ("curl -H 'X-Nothing' https://a.test", "GET", "https://a.test", ()),
    ],
)
def test_reading(text: str, method: str, url: str, headers: tuple[tuple[str, str], ...]) -> None:
    """Methods, bodies that imply one, headers in all their spellings; the rest is passed over."""
    assert parse_curl(text) == Request(method, url, headers)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins with curl"),
        ("wget https://a.test", "begins with curl"),
        ("curl -s", "no URL"),
        ("curl 'https://a.test", "quotes do not match"),
        ("curl https://a.test -H", "-H lacks its value"),
    ],
)
def test_what_is_no_curl_command_is_told(text: str, why: str) -> None:
    """The message says what is missing."""
    with pytest.raises(NotCurl, match=why):
        parse_curl(text)


def test_password_is_not_taken_over() -> None:
    """Of credentials only their presence matters."""
    assert "secret" not in str(parse_curl("curl -u me:secret https://a.test"))


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing that is pasted is a server error."""
    with suppress(NotCurl):
        assert parse_curl(f"curl {text}").url
