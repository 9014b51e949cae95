"""I: What knowing the caller costs: the same request without a credential, and with each kind of one."""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks import documents, wrk
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.measure import Load, measure, measure_answers, write_script
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.report import number, table
from benchmarks.summary import Sample, difference, line
from benchmarks.tokens import SECRET, claims, token
from benchmarks.upstream import Upstream

TITLE = "Credentials"
_OPEN, _USER = "/open", "/user"
_TOKENS = 10_000
_ONCE_S = 4
"""Enough for each of them once."""
_GOAL_US, _NEW_GOAL_US = 3.0, 35.0
Samples = dict[str, list[Sample]]


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent, to which gateway, and how much it may cost beside another case, by its title.

    The rounds take `loads` in turn. `once`: each ends by itself, and all of it counts, which is more than of a long
    run: it is compared with another that ends so.
    """

    title: str
    loads: tuple[Load, ...]
    gateway: str
    beside: str = ""
    goal_us: float | None = None
    once: bool = False


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
    """The cases take turns; Markdown."""
    private, key = _key_pair()
    fixed = {"HS256": SECRET, "RS256": private}
    with contextlib.ExitStack() as stack:
        proxies: dict[str, Proxy] = {}
        for algorithm, secret in fixed.items():
            say(f"starting with {algorithm}")
            env = {"JWT_ALGORITHM": algorithm, "JWT_SECRET": secret}
            starting = proxy_started(
                _peer(algorithm, env), folder=folder, upstream_port=upstream.port, core=proxy_core
            )
            proxies[algorithm] = stack.enter_context(starting)
        api_key = (folder / "torana-hs256" / "key").read_text()
        cases = _cases(folder, duration_s, rounds, api_key=api_key, rsa_key=key)
        samples: Samples = {case.title: [] for case in cases}
        for turn in range(rounds):
            say(f"round {turn + 1} of {rounds}")
            for case in cases:
                load = case.loads[turn % len(case.loads)]
                proxy = proxies[case.gateway]
                if case.once:
                    sample = measure_answers(proxy, load, core=load_core)
                else:
                    sample = measure(proxy, load, upstream=upstream, core=load_core)
                samples[case.title].append(sample)
    return rendered(cases, samples)


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


def _cases(
    folder: Path, duration_s: int, rounds: int, *, api_key: str, rsa_key: rsa.RSAPrivateKey
) -> tuple[Case, ...]:
    def load(path: str, name: str = "", script: str = "") -> Load:
        return Load(path, 32, duration_s, write_script(folder, name, script) if script else None)

    def one(field: str, value: str, name: str) -> tuple[Load, ...]:
        return (load(_USER, name, wrk.header_script(field, value)),)

    def many(name: str, *, first: int = 0, once: bool = False) -> Load:
        tokens = (token(number) for number in range(first, first + _TOKENS))
        listed = write_script(folder, f"{name}.txt", "\n".join(tokens))
        script = write_script(folder, f"{name}.lua", wrk.bearer_script(_USER, listed, once=once))
        return Load(_USER, 32, _ONCE_S if once else duration_s, script)

    rsa_token = jwt.encode(claims(0), rsa_key, "RS256")
    unseen = tuple(many(f"new-{turn}", first=_TOKENS * (turn + 1), once=True) for turn in range(rounds))
    bare, bare_rs = "none, public route", "none, public route (RS256)"
    new, again = (f"JWT HS256, {_TOKENS:,} that are {kind}, each once" for kind in ("new", "known by then"))
    return (
        Case(bare, (load(_OPEN),), "HS256"),
        Case("JWT HS256", one("Authorization", f"Bearer {token(0)}", "hs.lua"), "HS256", bare, _GOAL_US),
        Case(bare_rs, (load(_OPEN),), "RS256"),
        Case("JWT RS256", one("Authorization", f"Bearer {rsa_token}", "rs.lua"), "RS256", bare_rs, _GOAL_US),
        Case("API key", one("X-API-Key", api_key, "key.lua"), "HS256", bare, _GOAL_US),
        Case(f"JWT HS256, {_TOKENS:,} in rotation", (many("known"),), "HS256", bare),
        Case(new, unseen, "HS256", again, _NEW_GOAL_US, once=True),
        Case(again, unseen, "HS256", once=True),
    )


def _key_pair() -> tuple[str, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode(), key


def rendered(cases: tuple[Case, ...], samples: Samples) -> str:
    """Each case beside the one that it names, in the same round."""
    rows, verdicts = [], []
    for case in cases:
        own = samples[case.title]
        figures, extra = line(own), difference(own, samples[case.beside or case.title])
        shown = f"{extra:+.2f}" if case.beside else "–"
        rows.append((case.title, number(figures.cpu_us, 2), shown, case.beside or "–", str(figures.errors)))
        if case.goal_us is not None:
            word = "ok" if extra <= case.goal_us else "MISSED"
            verdicts.append(
                f"- {word}: {case.title}: {extra:+.2f} µs over {case.beside} (goal: at most +{case.goal_us:g} µs)"
            )
    columns = ("credential", "CPU µs/request", "µs over", "the row", "errors")
    return f"{table(columns, rows)}\n\n" + "\n".join(verdicts)
