"""What tokens say: when they hold, for whom, and who they speak of."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.changes import Change, Changes
from authproxy.claims import Unacceptable, own_identity, provider_identity
from authproxy.identity import Identity
from routing.snapshot import CompiledProvider
from tests.support.jose import ISSUER, NOW, claims, provider

IDP = "https://idp.test"


def own(**members: Any) -> Identity:
    return own_identity(claims(**members), issuer=ISSUER, now=NOW)


def provided(by: CompiledProvider | None = None, **members: Any) -> Identity:
    by = by or provider()
    return provider_identity(claims(**{"iss": IDP, **members}), by, issuers=by.issuers, now=NOW)


def refused(judge: Any, *arguments: Any, **members: Any) -> str:
    with pytest.raises(Unacceptable) as raised:
        judge(*arguments, **members)
    return raised.value.why


def test_token_of_the_gateway() -> None:
    """Every claim that the gateway puts into its own tokens finds its place."""
    identity = own(
        iss="torana",
        token_type="access",
        iat=int(NOW) - 5,
        nbf=int(NOW) - 5,
        jti="j",
        name="alice",
        roles=["analyst", "field work"],
        scope="read write",
        own_scopes=["read"],
        consumer="alice-app",
        cid=12,
        key=3,
        kind="user",
        plan="gold",
        staff=True,
        sid="0b5e8f5e",
        seq=99,
    )

    assert (identity.method, identity.kind, identity.provider) == ("jwt", "user", "")
    assert (identity.user_id, identity.name, identity.consumer) == ("7", "alice", "alice-app")
    assert (identity.plan, identity.is_staff, identity.session) == ("gold", True, "0b5e8f5e")
    assert identity.roles == {"analyst", "field work"}
    assert (identity.direct, identity.ceiling) == ({"read"}, {"read", "write"})
    assert (identity.issued_at, identity.expires_at, identity.seq) == (NOW - 5, NOW + 600, 99)
    assert identity.subjects == ("user:7", "consumer:12", "key:3", "session:0b5e8f5e")


def test_token_of_a_service() -> None:
    """A service has no account; its scopes are judged like anybody's."""
    identity = own(sub="consumer:reports", kind="service", cid=4, scope="read", own_scopes=["read", "write"])

    assert (identity.kind, identity.user_id, identity.name) == ("service", "", "reports")
    assert identity.consumer == "reports"
    assert identity.subjects == ("consumer:4",)
    assert identity.scopes({}) == {"read"}


def test_token_of_somebody_who_shares_the_secret() -> None:
    """Only sub and exp are needed; scopes are rights, since nobody else tells them."""
    identity = own(sub="ann", scope="read write")

    assert (identity.user_id, identity.name, identity.consumer) == ("ann", "ann", "ann")
    assert (identity.direct, identity.ceiling) == ({"read", "write"}, None)
    assert (identity.subjects, identity.seq, identity.issued_at) == ((), None, 0.0)
    assert (identity.kind, identity.is_staff, identity.roles) == ("user", False, frozenset())


def test_scope_of_no_words_is_a_ceiling_too() -> None:
    """A client that asked for nothing has nothing, whatever its roles bring; no scope claim at all limits nothing."""
    roles = {"analyst": frozenset({"read"})}

    assert own(scope="", own_scopes=["read"], roles=["analyst"]).scopes(roles) == frozenset()
    assert own(own_scopes=["write"], roles=["analyst"]).scopes(roles) == {"read", "write"}


@pytest.mark.parametrize(
    ("members", "scopes"),
    [
        ({"scope": "read  write "}, {"read", "write"}),
        ({"scope": ["read", "write"]}, {"read", "write"}),
        ({"scopes": ["read", "write"]}, {"read", "write"}),
        ({"scopes": "read write"}, {"read", "write"}),
        ({"scope": "", "scopes": "read"}, set()),
        ({"scopes": ["read write", ""]}, {"read", "write"}),
        ({}, set()),
    ],
)
def test_spellings_of_scopes(members: dict[str, Any], scopes: set[str]) -> None:
    """A text with spaces or a list, under either name; `scope` counts where both are there."""
    assert own(**members).direct == scopes


@pytest.mark.parametrize(
    ("members", "name", "consumer"),
    [
        ({"name": "Ann", "username": "ann"}, "Ann", "ann"),
        ({"name": "Ann"}, "Ann", "7"),
        ({"username": "ann"}, "ann", "ann"),
        ({"preferred_username": "ann"}, "ann", "ann"),
        ({"name": "", "username": "ann"}, "ann", "ann"),
        ({"name": "Ann", "consumer": "ann-app"}, "Ann", "ann-app"),
        ({}, "7", "7"),
        ({"sub": "consumer:"}, "consumer:", "consumer:"),
    ],
)
def test_names(members: dict[str, Any], name: str, consumer: str) -> None:
    """Somebody is always named; two people of one name do not share what is counted by consumer."""
    identity = own(**members)

    assert (identity.name, identity.consumer) == (name, consumer)


@pytest.mark.parametrize(
    ("members", "staff"),
    [
        ({"staff": True}, True),
        ({"is_staff": True}, True),
        ({"staff": False, "is_staff": True}, False),
        ({"staff": "true"}, False),
        ({"staff": 1}, False),
        ({"is_staff": [True]}, False),
    ],
)
def test_staff_is_true_or_nothing(members: dict[str, Any], staff: bool) -> None:
    """What only looks true is not."""
    assert own(**members).is_staff is staff


BAD_TIMES = [None, True, False, "1800000600", [1], {}, -1e15, 253402300800, 1e300, 10**30]


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", BAD_TIMES)
def test_times_that_are_none(name: str, value: Any) -> None:
    """Texts, truth values, numbers beyond the calendar: never now, and never for ever."""
    said = {**claims(), name: value}

    assert refused(own_identity, said, issuer=ISSUER, now=NOW) == f"bad_{name}"
    assert refused(provider_identity, said, provider(), issuers=frozenset(), now=NOW) == f"bad_{name}"


def test_token_without_an_end_is_refused() -> None:
    """exp is required of everybody."""
    assert refused(own, exp=None) == "no_expiry"
    assert refused(provided, exp=None) == "no_expiry"


@pytest.mark.parametrize(
    ("late", "holds"), [(-1, True), (-0.5, True), (0, False), (1, False), (99999, False)]
)
def test_own_tokens_end_exactly(late: float, holds: bool) -> None:
    """There is one clock, so there is no leeway; a fraction of a second counts."""
    if holds:
        assert own(exp=NOW - late).expires_at == NOW - late
        return
    with pytest.raises(Unacceptable) as raised:
        own(exp=NOW - late)
    assert (raised.value.why, raised.value.is_expired) == ("expired", True)


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_tokens_of_the_future(name: str) -> None:
    """Clocks of several nodes may differ by five seconds, those of providers by ten."""
    assert own(**{name: NOW + 5})
    assert refused(own, **{name: NOW + 6}) == "not_yet"
    assert provided(**{name: NOW + 10})
    assert refused(provided, **{name: NOW + 11}) == "not_yet"
    with pytest.raises(Unacceptable) as raised:
        own(**{name: NOW + 6})
    assert not raised.value.is_expired


def test_providers_clock_may_be_late() -> None:
    """Ten seconds, for the end that is remembered, too."""
    assert provided(exp=NOW - 9).expires_at == NOW + 1
    assert refused(provided, exp=NOW - 10) == "expired"


@pytest.mark.parametrize("kind", ["refresh", "identity", "sliding", "id", "", 7, None, ["access"]])
def test_tokens_for_something_else(kind: Any) -> None:
    """Refresh tokens and identity tokens are signed with the same keys."""
    said = {**claims(iss=IDP), "token_type": kind}

    assert refused(own_identity, {**said, "iss": ISSUER}, issuer=ISSUER, now=NOW) == "wrong_token_type"
    assert refused(provider_identity, said, provider(), issuers=frozenset(), now=NOW) == "wrong_token_type"


def test_bearer_is_what_some_providers_call_an_access_token() -> None:
    """It is no type of ours."""
    assert provided(token_type="Bearer").user_id == "7"
    assert refused(own, token_type="Bearer") == "wrong_token_type"


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"iss": "other"}, "wrong_issuer"),
        ({"iss": ["torana"]}, "wrong_issuer"),
        ({"iss": ""}, "wrong_issuer"),
        ({"aud": "other"}, "wrong_audience"),
        ({"aud": ["other", "torana2"]}, "wrong_audience"),
        ({"aud": []}, "wrong_audience"),
        ({"aud": 7}, "bad_audience"),
        ({"aud": ["torana", 7]}, "bad_audience"),
        ({"aud": {"torana": 1}}, "bad_audience"),
        ({"sub": None}, "bad_sub"),
        ({"sub": ""}, "bad_sub"),
        ({"sub": 7}, "bad_sub"),
        ({"sub": ["7"]}, "bad_sub"),
        ({"sub": "s" * 256}, "bad_sub"),
        ({"name": 7}, "bad_name"),
        ({"name": "n" * 256}, "bad_name"),
        ({"consumer": ["a"]}, "bad_consumer"),
        ({"plan": {}}, "bad_plan"),
        ({"sid": 7}, "bad_sid"),
        ({"jti": 7}, "bad_jti"),
        ({"kind": "admin"}, "bad_kind"),
        ({"kind": ["user"]}, "bad_kind"),
        ({"roles": 7}, "bad_roles"),
        ({"roles": {"admin": True}}, "bad_roles"),
        ({"roles": ["a", 7]}, "bad_roles"),
        ({"scope": 7}, "bad_scopes"),
        ({"scope": [["read"]]}, "bad_scopes"),
        ({"own_scopes": {"read": 1}}, "bad_scopes"),
        ({"seq": "1"}, "bad_seq"),
        ({"seq": True}, "bad_seq"),
        ({"seq": 1.5}, "bad_seq"),
        ({"cid": "1"}, "bad_cid"),
        ({"cid": True}, "bad_cid"),
        ({"key": "3"}, "bad_key"),
    ],
)
def test_claims_that_are_refused(members: dict[str, Any], why: str) -> None:
    """Another issuer or audience, or a claim of another kind than it has to be."""
    assert refused(own, **members) == why


@pytest.mark.parametrize("audience", ["torana", ["torana"], ["other", "torana"]])
def test_own_audience(audience: Any) -> None:
    """As a text or in a list (RFC 7519 section 4.1.3)."""
    assert own(aud=audience, iss="torana").user_id == "7"


def test_token_of_a_provider() -> None:
    """The mapping says which claim is what; what the provider says of accounts here does not count."""
    by = provider(
        name="azure",
        subject_claim="oid",
        name_claim="display",
        roles_claim="groups",
        scopes_claim="scp",
        audiences=frozenset({"api", "other"}),
    )
    identity = provided(
        by,
        oid="o-1",
        display="Ann",
        groups=["a", "b"],
        scp="read write",
        aud=["x", "api"],
        iat=int(NOW),
        staff=True,
        kind="service",
        plan="gold",
        seq=10**9,
        sid="s",
    )

    assert (identity.user_id, identity.name, identity.consumer) == ("o-1", "Ann", "azure:o-1")
    assert (identity.roles, identity.direct, identity.ceiling) == ({"a", "b"}, {"read", "write"}, None)
    assert (identity.provider, identity.method, identity.kind) == ("azure", "jwt", "user")
    assert (identity.is_staff, identity.plan, identity.session) == (False, "", "")
    assert (identity.subjects, identity.seq, identity.issued_at) == ((), None, NOW)


def test_what_happens_to_an_account_is_not_a_providers_users() -> None:
    """Providers choose their subjects, and one may be some account's id: it is not addressed or revoked as that."""
    theirs, ours, changes = provided(provider(name="azure"), sub="7"), own(sub="7"), Changes()
    changes.note([Change(1, "user:7", NOW + 1)])
    assert (changes.is_stale(ours), changes.is_stale(theirs)) == (True, False)
    assert (theirs.user_id, theirs.address, ours.address) == ("7", "azure:7", "7")
    assert (b"x-user-id", b"7") in theirs.fields({})
    assert (b"x-consumer", b"azure:7") in theirs.fields({})


def test_claims_deeper_inside() -> None:
    """A path is followed where no claim has the whole as its name."""
    by = provider(
        roles_claim="realm_access.roles", scopes_claim="https://a.test/scopes", subject_claim="u.id"
    )

    found = provided(by, u={"id": "9"}, realm_access={"roles": ["x"]}, **{"https://a.test/scopes": ["read"]})
    bare = provided(by, u={"id": "9"}, realm_access=["roles"])

    assert (found.user_id, found.roles, found.direct) == ("9", {"x"}, {"read"})
    assert bare.roles == frozenset()
    assert refused(provided, by) == "bad_sub"


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"preferred_username": "ann", "name": "Ann A", "email": "a@b.test"}, "ann"),
        ({"username": "ann", "name": "Ann A"}, "ann"),
        ({"name": "Ann A", "email": "a@b.test"}, "Ann A"),
        ({"email": "a@b.test"}, "a@b.test"),
        ({}, "7"),
    ],
)
def test_names_of_a_providers_users(members: dict[str, Any], name: str) -> None:
    """By what providers usually say, where the mapping names no claim."""
    assert provided(**members).name == name


@pytest.mark.parametrize(
    ("by", "members", "why"),
    [
        ({}, {"iss": "https://other.test"}, "wrong_issuer"),
        ({}, {"iss": "https://idp.test/"}, "wrong_issuer"),
        ({}, {"iss": None}, "wrong_issuer"),
        ({}, {"iss": 7}, "wrong_issuer"),
        ({"audiences": frozenset({"api"})}, {}, "bad_audience"),
        ({"audiences": frozenset({"api"})}, {"aud": "apis"}, "wrong_audience"),
        ({"audiences": frozenset({"api"})}, {"aud": [7]}, "bad_audience"),
        ({}, {"sub": None}, "bad_sub"),
        ({"name_claim": "n"}, {"n": 7}, "bad_n"),
        ({}, {"roles": {"a": 1}}, "bad_roles"),
    ],
)
def test_claims_of_a_provider_that_are_refused(by: dict[str, Any], members: dict[str, Any], why: str) -> None:
    """Issuers are compared to the letter; an audience that is configured is required."""
    assert refused(provided, provider(**by), **members) == why


def test_provider_without_issuers_takes_any() -> None:
    """And none; only its key says who it is."""
    by = provider(issuers=frozenset())

    assert provided(by, iss="https://anything.test").consumer == "idp:7"
    assert provided(by, iss=None).consumer == "idp:7"


anything: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    "iss sub aud exp nbf iat jti token_type name roles scope scopes own_scopes consumer cid kind plan "
    "staff sid seq username realm_access email"
)


@given(st.dictionaries(st.sampled_from(NAMES.split()), anything))
def test_any_claims_are_survived(said: dict[str, Any]) -> None:
    """An identity with texts for header fields, or a refusal with a short reason."""
    by = provider(issuers=frozenset(), roles_claim="realm_access.roles")
    for claim_set in (said, {**claims(), **said}, {**claims(token_type="access"), **said, **claims()}):
        for judge in (
            lambda each: own_identity(each, issuer=ISSUER, now=NOW),
            lambda each: provider_identity(each, by, issuers=by.issuers, now=NOW),
        ):
            try:
                identity = judge(claim_set)
            except Unacceptable as refusal:
                reason = refusal.why
            else:
                reason = "none"
                assert identity.consumer
                assert all(type(value) is bytes for _, value in identity.fields({}))
            assert reason.isidentifier()
