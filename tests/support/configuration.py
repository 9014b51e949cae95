"""P: Documents for tests: small ones, large ones, and a strategy for any valid one."""

from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]
PUBLIC = {"level": "public"}


def service(name: str = "orders", port: int = 8001, **more: Any) -> dict[str, Any]:
    return {"name": name, "targets": [{"url": f"http://127.0.0.1:{port}"}], **more}


def route(name: str = "orders", path: str = "/orders", to: str = "orders", **more: Any) -> dict[str, Any]:
    return {"name": name, "match": {"path": path}, "service": to, "auth": PUBLIC, **more}


def small(port: int = 8001) -> Document:
    """One service and one route to it."""
    return {"version": 1, "services": [service(port=port)], "routes": [route()]}


def large(routes: int, *, services: int = 50) -> Document:
    """Many routes over some services, sorted by name."""
    return {
        "version": 1,
        "services": [service(f"s{i:03}", 9000 + i) for i in range(services)],
        "routes": [
            {
                **route(f"r{i:05}", f"/team{i % 100}/thing{i}", f"s{i % services:03}"),
                "match": {
                    "hosts": [f"h{i % 20}.example.com"],
                    "path": f"/team{i % 100}/thing{i}",
                    "methods": ["GET"],
                },
                "timeout": "5s",
            }
            for i in range(routes)
        ],
    }


NAMES = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,8}", fullmatch=True)
DURATIONS = st.sampled_from(["250ms", "2s", "5m", "${WAIT:-3s}"])
SEGMENTS = st.from_regex(r"[a-z0-9]{1,6}", fullmatch=True)
PATHS = st.lists(SEGMENTS, max_size=4).map(lambda parts: "/" + "/".join(parts))
HEADERS = st.dictionaries(
    st.sampled_from(["x-a", "x-b", "x-tenant"]),
    st.sampled_from(["1", "acme", "a b", "${X:-y}", '"q"', "30"]),
    max_size=3,
)


def _drawn(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


TARGETS = st.lists(
    st.builds(
        lambda port, more: {"url": f"http://127.0.0.1:{port}", **more},
        st.integers(1, 65535),
        _drawn(weight=st.just(1), backup=st.just(False)),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda target: target["url"],
)
SERVICES = _drawn(
    protocol=st.sampled_from(["http", "h2c"]),
    timeout=_drawn(connect=DURATIONS, read=DURATIONS, total=DURATIONS),
    max_connections=st.integers(1, 1000),
    load_balancing=st.just("round_robin"),
)
OPERATIONS = _drawn(set=HEADERS, add=HEADERS, remove=st.lists(st.sampled_from(["x-c", "x-d"]), unique=True))
RESPONSES = _drawn(
    status=st.sampled_from([200, 404]), headers=HEADERS, body=st.sampled_from(["", "hi", "30", "grüße\n"])
)
REWRITES = st.sampled_from([{"path": "/exact"}, {"host": "h.test"}, {"preserve_host": True}])
ROUTES = _drawn(
    priority=st.integers(-5, 5),
    enabled=st.booleans(),
    timeout=DURATIONS,
    rewrite=REWRITES,
    request_headers=OPERATIONS,
    response_headers=OPERATIONS,
    limits=st.sampled_from([{}, {"max_body": "10MB"}, {"max_body": 1024}]),
    allow_encoded_slashes=st.booleans(),
    forward_identity=st.sampled_from(["headers", "token", "none"]),
    forward_credentials=st.sampled_from(["auto", "all", "none"]),
)
SCOPES = st.lists(st.sampled_from(["read", "orders:write", "${SCOPE:-all}"]), unique=True)
ROLE_NAMES = st.sampled_from(["analyst", "Köche & Kellner", "30", "${ROLE:-guest}", "the 'x'"])
AUTHS = st.just(PUBLIC) | st.builds(
    lambda level, more: {"level": level, **more},
    st.sampled_from(["user", "admin", "service"]),
    _drawn(
        scopes=SCOPES,
        roles=st.lists(ROLE_NAMES, unique=True),
        methods=st.lists(st.sampled_from(["jwt", "api_key", "session"]), min_size=1, unique=True),
        mode=st.sampled_from(["enforce", "log"]),
    ),
)
ROLES = _drawn(scopes=SCOPES, default=st.booleans())
PROVIDERS = _drawn(
    audience=st.sampled_from(["api", ["api", "api://1"]]),
    discovery_url=st.just("https://id.test/openid"),
    algorithms=st.lists(st.sampled_from(["RS256", "ES256", "EdDSA"]), min_size=1, unique=True),
    claims=_drawn(subject=st.sampled_from(["sub", "oid"]), name=st.just("nick"), scopes=st.just("scp")),
)
MATCHES = _drawn(
    hosts=st.lists(st.sampled_from(["a.test", "*.b.test", "c.test", "${HOST:-d.test}"]), unique=True),
    path=PATHS,
    path_type=st.sampled_from(["exact", "prefix"]),
    methods=st.lists(st.sampled_from(["GET", "POST", "PUT"]), unique=True),
    headers=HEADERS,
    query=st.dictionaries(st.sampled_from(["v", "w"]), st.sampled_from(["1", "two"])),
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Any valid document of the parts that are honoured, in no particular order."""
    service_names = draw(st.lists(NAMES, max_size=4, unique=True))
    document: Document = {"version": 1}
    if draw(st.booleans()):
        document["defaults"] = draw(
            _drawn(timeout=DURATIONS, priority=st.integers(0, 3), response_headers=OPERATIONS)
        )
    document["services"] = [
        {"name": name, "targets": draw(TARGETS), **draw(SERVICES)} for name in service_names
    ]
    document["routes"] = [
        {
            "name": name,
            "match": draw(MATCHES),
            "auth": draw(AUTHS),
            **draw(_destination(service_names)),
            **draw(ROUTES),
        }
        for name in draw(st.lists(NAMES, max_size=5, unique=True))
    ]
    document["roles"] = [
        {"name": name, **draw(ROLES)} for name in draw(st.lists(ROLE_NAMES, max_size=3, unique=True))
    ]
    document["plans"] = [{"name": name} for name in draw(st.lists(NAMES, max_size=2, unique=True))]
    document["identity_providers"] = [
        {"name": name, "jwks_url": "https://id.test/keys", **draw(PROVIDERS)}
        for name in draw(st.lists(NAMES, max_size=2, unique=True))
    ]
    return document


def _destination(service_names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    answers = RESPONSES.map(lambda response: {"respond": response})
    if not service_names:
        return answers
    return answers | st.sampled_from(service_names).map(lambda name: {"service": name})
