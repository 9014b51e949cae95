"""I: What knowing the caller costs: a request with each kind of credential beside the same one without."""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import documents, paired, wrk
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.measure import Load, write_script
from benchmarks.paired import Comparison
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.report import number, table
from benchmarks.slices import BLOCKS_A_ROUND, SLICE_REQUESTS, Side, compare
from benchmarks.tokens import SECRET, claims, token
from benchmarks.upstream import Upstream

TITLE = "Credentials"
_OPEN, _USER = "/open", "/user"
_TOKENS = 10_000
_NEW_SLICE = 500
_NEW_BLOCKS = _TOKENS // (2 * _NEW_SLICE)
"""Two slices of each block are of new tokens: so many short blocks are all of them."""
_SPARE = 4_000
"""For what is asked before the first slice, and beyond the end of each."""
_GOAL_US, _NEW_GOAL_US = 3.0, 35.0
_BARE, _KNOWN = "none, public route", f"JWT HS256, {_TOKENS:,} in rotation"


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent, to which gateway, beside what, and how much more it may cost.

    `loads` take turns from round to round; each of several is used up in its round.
    """

    title: str
    loads: tuple[Load, ...]
    base: Load
    gateway: str = "HS256"
    beside: str = _BARE
    goal_us: float | None = None


def run(
    *,
    folder: Path,
    upstream: Upstream,
    proxy_core: int | None,
    load_core: int | None,
    rounds: int,
    duration_s: int,
    say: Callable[[str], None],
) -> str:
    """The cases take turns, and in each the two loads; Markdown."""
    private, key = _key_pair()
    with contextlib.ExitStack() as stack:
        proxies: dict[str, Proxy] = {}
        for algorithm, secret in (("HS256", SECRET), ("RS256", private)):
            say(f"starting with {algorithm}")
            env = {"JWT_ALGORITHM": algorithm, "JWT_SECRET": secret}
            starting = proxy_started(
                _peer(algorithm, env), folder=folder, upstream_port=upstream.port, core=proxy_core
            )
            proxies[algorithm] = stack.enter_context(starting)
        api_key = (folder / "torana-hs256" / "key").read_text()
        cases = tuple(_cases(folder, rounds, api_key=api_key, rsa_key=key))
        found: dict[str, list[Comparison]] = {case.title: [] for case in cases}
        for turn in range(rounds):
            say(f"round {turn + 1} of {rounds}")
            for case in cases:
                compared = _compared(case, turn, proxies[case.gateway], upstream, load_core)
                found[case.title].append(compared)
    return rendered(cases, {title: paired.joined(parts) for title, parts in found.items()}, rounds=rounds)


def _compared(case: Case, turn: int, proxy: Proxy, upstream: Upstream, core: int | None) -> Comparison:
    load, is_new = case.loads[turn % len(case.loads)], len(case.loads) > 1

    def side(title: str, load: Load) -> Side:
        """What is to be known is asked for once before."""
        return Side(proxy, load, before=_TOKENS if title == _KNOWN else _NEW_SLICE)

    compared = compare(
        side(case.title, load),
        side(case.beside, case.base),
        upstream=upstream,
        core=core,
        blocks=_NEW_BLOCKS if is_new else BLOCKS_A_ROUND,
        requests=_NEW_SLICE if is_new else SLICE_REQUESTS,
    )
    return compared.whole


def _peer(algorithm: str, env: Mapping[str, str]) -> Peer:
    def prepare(site: Site) -> Launch:
        """A database with one API key, whose secret is left in the folder."""
        folder = site.folder
        document = torana.write_document(folder / "document.yaml", documents.guarded(site.upstream_port))

        def manage(*arguments: str) -> str:
            return torana.manage(folder, *arguments, more=env)

        manage("migrate", "--verbosity", "0")
        manage("gateway", "apply", str(document))
        manage("gateway", "consumer", "create", "bench", "--kind", "service", "--scope", "read")
        (folder / "key").write_text(
            manage("gateway", "apikey", "create", "bench", "--consumer", "bench").strip()
        )
        return Launch(
            torana.serve_command(site.port), {**torana.settings_of(folder), **env}, torana.READY_PATH
        )

    return Peer(f"Torana {algorithm}", prepare, torana.TORANA.version)


def _cases(folder: Path, rounds: int, *, api_key: str, rsa_key: rsa.RSAPrivateKey) -> Iterator[Case]:
    def one(name: str, field: str, value: str, *, path: str = _USER) -> tuple[Load, ...]:
        return (Load(path, 32, script=write_script(folder, name, wrk.header_script(field, value))),)

    def many(name: str, first: int, size: int, *, once: bool = False) -> Load:
        tokens = (token(number) for number in range(first, first + size))
        listed = write_script(folder, f"{name}.txt", "\n".join(tokens))
        script = wrk.bearer_script(_USER, listed, once=once)
        return Load(_USER, 32, script=write_script(folder, f"{name}.lua", script))

    bare, known = Load(_OPEN, 32), many("known", 0, _TOKENS)
    bearer, size = f"Bearer {token(0)}", _TOKENS + _SPARE
    rsa_bearer = f"Bearer {jwt.encode(claims(0), rsa_key, 'RS256')}"
    unseen = tuple(
        many(f"new-{turn}", _TOKENS + size * turn, size, once=True) for turn in range(max(2, rounds))
    )
    meaningless = one("other.lua", "X-Something-Else", "x" * (len(bearer) - 3), path=_OPEN)
    yield Case("none, with another field of a JWT's length", meaningless, bare)
    yield Case("JWT HS256", one("hs.lua", "Authorization", bearer), bare, goal_us=_GOAL_US)
    rs = one("rs.lua", "Authorization", rsa_bearer)
    yield Case("JWT RS256", rs, bare, gateway="RS256", goal_us=_GOAL_US)
    yield Case("API key", one("key.lua", "X-API-Key", api_key), bare, goal_us=_GOAL_US)
    yield Case(_KNOWN, (known,), bare)
    new = f"JWT HS256, {_TOKENS:,} that are new, each once"
    yield Case(new, unseen, known, beside=_KNOWN, goal_us=_NEW_GOAL_US)


def _key_pair() -> tuple[str, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode(), key


def rendered(cases: tuple[Case, ...], found: Mapping[str, Comparison], *, rounds: int) -> str:
    """Each case beside the load that it is compared with."""
    rows, verdicts = [], []
    bare_us = median(found[case.title].base_us for case in cases if case.beside == _BARE)
    for case in cases:
        compared = found[case.title]
        own, base = number(compared.own_us, 2), number(compared.base_us, 2)
        rows.append((case.title, own, case.beside, base, *compared.shown, str(compared.errors)))
        if case.goal_us is not None:
            verdicts.append(
                paired.verdict(
                    case.title, compared, beside=case.beside, goal_us=case.goal_us, bare_us=bare_us
                )
            )
    columns = ("credential", "CPU µs/request", "beside", "CPU µs", "µs over", "interval", "errors")
    about = paired.method(requests=SLICE_REQUESTS, blocks=BLOCKS_A_ROUND * rounds)
    about += f" New tokens are {_NEW_BLOCKS * rounds} blocks of slices of {_NEW_SLICE}."
    return "\n\n".join((about, table(columns, rows), "\n".join(verdicts)))
