"""P: The credentials on a request: which are presented, and which go on to the upstream.

    Authorization: Bearer TOKEN        jwt          Cookie: <a provider's>=TOKEN       jwt, of that provider alone
    Authorization: ApiKey KEY          api_key      Cookie: torana_session=TICKET      session
    X-API-Key: KEY                     api_key

One space follows the scheme: what is remembered of a credential should be one thing, however it is written. Other
schemes (`Basic` and the like) are between the client and the upstream. An empty value stands for what cannot
be valid, such as two Authorization fields, of which an upstream might read the other one.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NamedTuple

from authproxy.headers import API_KEY_SPELLINGS, Pair, Pairs
from authproxy.identity import Method
from routing.snapshot import CompiledProvider

METHODS: Final[tuple[Method, ...]] = ("jwt", "api_key", "session")
SESSION_COOKIE: Final = "torana_session"
CALLERS_COOKIES: Final = frozenset({b"torana_session", b"torana_csrf_token"})
STAFF_COOKIES: Final = frozenset({b"torana_admin", b"torana_csrf", b"torana_refresh"})
"""These never reach an upstream: they open the gateway itself."""
_PREFIX: Final = b"torana_"
_SESSION_COOKIE: Final = SESSION_COOKIE.encode()
_MOST_COOKIES: Final = 3
"""Of one name: a browser may send several that were set for different paths and domains."""
_AUTHORIZATION: Final = b"authorization"
_API_KEY: Final = b"x-api-key"
_COOKIE: Final = b"cookie"
_NONE: Final[frozenset[bytes]] = frozenset()
_FIELDS: Final = API_KEY_SPELLINGS | {_AUTHORIZATION}
_SPELLINGS: Final = {_AUTHORIZATION: frozenset({_AUTHORIZATION}), _API_KEY: API_KEY_SPELLINGS}
_SCHEMES: Final[dict[bytes, Method]] = {b"bearer": "jwt", b"apikey": "api_key"}


Source = Pair | tuple[bytes, bytes, str]
"""Where a credential stood: a whole header field; or the name and value of a cookie, and the name of the provider."""


class Presented(NamedTuple):
    """One credential as it came: in the header field `field`, and there in the cookie `cookie` if it was in one."""

    method: Method
    value: bytes
    source: Source
    field: bytes
    cookie: bytes = b""
    provider: CompiledProvider | None = None

    def __repr__(self) -> str:
        return f"<Presented {self.method}>"


def presented(
    pairs: Pairs, methods: Sequence[Method] = METHODS, providers: Iterable[CompiledProvider] = ()
) -> list[Presented]:
    """What a route that takes `methods` could accept, in the order of `methods`. `pairs` are set aside by `read`."""
    # What is remembered of a credential has the name's one object: there may be a hundred thousand of them.
    found: list[Presented] = []
    in_cookies: list[Presented] = []
    for field, value in pairs:
        if field == _AUTHORIZATION:
            scheme, _, rest = value.partition(b" ")
            if method := _SCHEMES.get(scheme.lower()):
                found.append(Presented(method, rest, (_AUTHORIZATION, value), _AUTHORIZATION))
        elif field == _COOKIE:
            in_cookies += _in_cookies(value, providers)
        elif field == _API_KEY:
            found.append(Presented("api_key", value, (_API_KEY, value), _API_KEY))
    if len(pairs) > 1 and found:
        fields = [pair[0] for pair in pairs]
        found = [each if fields.count(each.field) == 1 else _void(each) for each in found]
    if in_cookies:
        found += in_cookies
    if len(found) == 1:
        return found if found[0].method in methods else []
    return [each for method in methods for each in found if each.method == method]


def is_foreign(pairs: Pairs, providers: Iterable[CompiledProvider]) -> bool:
    """Whether it shows at first sight that nothing here is the gateway's: only cookies, of the application's own."""
    for field, value in pairs:
        if field != _COOKIE or _PREFIX in value:
            return False
    return not any(provider.cookie for provider in providers)


def remaining(
    pairs: Pairs,
    *,
    forward: Literal["auto", "all", "none"],
    won: Presented | None,
    providers: Iterable[CompiledProvider] = (),
) -> list[Pair]:
    """What goes on to the upstream: `auto` leaves out the credential that won, `none` all that the gateway knows."""
    fields: frozenset[bytes] = _NONE
    cookies = STAFF_COOKIES
    if forward == "none":
        fields = _FIELDS
        cookies |= CALLERS_COOKIES | {_cookie_of(each) for each in providers}
    elif forward == "auto" and won is not None:
        if won.cookie:
            cookies |= {won.cookie}
        else:
            fields = _SPELLINGS[won.field]
    kept = []
    for pair in pairs:
        if pair[0] not in fields:
            left = _without(cookies, pair[1]) if pair[0] == _COOKIE else pair[1]
            if left:
                kept.append(pair if left == pair[1] else (pair[0], left))
    return kept


def _void(each: Presented) -> Presented:
    """What cannot be valid; nor is it found by where it stood, though it may be remembered from there."""
    return each._replace(value=b"", source=(each.field, b""))


def _in_cookies(text: bytes, providers: Iterable[CompiledProvider]) -> Iterator[Presented]:
    for provider in providers:
        name = _cookie_of(provider)
        if name and name in text:
            for value in _values(text, name):
                source = (name, value, provider.name)
                yield Presented("jwt", _unwrapped(value), source, _COOKIE, name, provider)
    if _SESSION_COOKIE in text:
        for value in _values(text, _SESSION_COOKIE):
            yield Presented("session", value, (_SESSION_COOKIE, value, ""), _COOKIE, _SESSION_COOKIE)


def _values(text: bytes, name: bytes) -> list[bytes]:
    """Of the cookies of that name (RFC 6265 section 5.4). Empty ones are what somebody signed out of."""
    cookies = (part.partition(b"=") for part in text.split(b";"))
    found = [value.strip() for key, _, value in cookies if key.strip() == name]
    return [value for value in found if value][:_MOST_COOKIES]


def _unwrapped(value: bytes) -> bytes:
    """Some frameworks write a whole `"Bearer TOKEN"` into their cookie."""
    if value[:1] == value[-1:] == b'"':
        value = value[1:-1]
    return value.removeprefix(b"Bearer ")


def _cookie_of(provider: CompiledProvider) -> bytes:
    return (provider.cookie or "").encode("latin-1", "replace")


def _without(names: frozenset[bytes], text: bytes) -> bytes:
    """The Cookie field without cookies of these names; as it came if it has none of them."""
    for name in names:
        if name and name in text:
            break
    else:
        return text
    return b";".join(
        part for part in text.split(b";") if part.partition(b"=")[0].strip() not in names
    ).strip()
