"""I: TLS towards upstreams: contexts built once for each combination of authority, client certificate and checks."""

import ssl
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import certifi

_MAX_CONTEXTS = 1024
_PEM = "-----BEGIN "


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """How to speak TLS to a service. Certificates and keys are PEM text or the path of a PEM file."""

    verify: bool = True
    ca: str | None = None
    """The only authorities to trust; None: those of the system."""
    cert: str | None = None
    key: str | None = field(default=None, repr=False)
    """May be left out if `cert` holds the key, too."""
    sni: str | None = None
    """The name to ask for and to verify, if not the target's host."""


class TlsMisconfigured(ValueError):  # noqa: N818 - a finding about the configuration
    """A certificate or key that cannot be used; the message says which."""


class _Http2Context(ssl.SSLContext):
    """Offers HTTP/2 only; httpcore would offer HTTP/1.1 as well and then not speak it."""

    def set_alpn_protocols(self, protocols: Iterable[str]) -> None:
        super().set_alpn_protocols(["h2"])


def context_for(options: TlsOptions) -> ssl.SSLContext:
    """A client context for HTTP/1.1. Raises TlsMisconfigured.

    Equal contents give the same context, and a file that was replaced gives a new one.
    """
    return _context(ssl.SSLContext, *_contents(options))


def http2_context_for(options: TlsOptions) -> ssl.SSLContext:
    """The same for HTTP/2."""
    return _context(_Http2Context, *_contents(options))


class Contexts:
    """The context of each new connection: a file that was replaced counts from the next handshake on.

    One that cannot be used, such as half of it, changes nothing. Raises TlsMisconfigured when it is made.
    """

    __slots__ = ("_latest", "_made", "_options")

    def __init__(self, made: Callable[[TlsOptions], ssl.SSLContext], options: TlsOptions) -> None:
        self._made = made
        self._options = options
        self._latest = made(options)

    def __call__(self) -> ssl.SSLContext:
        with suppress(TlsMisconfigured):
            self._latest = self._made(self._options)
        return self._latest


def _contents(options: TlsOptions) -> tuple[bool, str | None, str | None, str | None]:
    return (
        options.verify,
        _text(options.ca, "ca"),
        _text(options.cert, "cert"),
        _text(options.key, "key"),
    )


@lru_cache(maxsize=_MAX_CONTEXTS)
def _context(
    kind: type[ssl.SSLContext], verify: bool, ca: str | None, cert: str | None, key: str | None
) -> ssl.SSLContext:
    context = kind(ssl.PROTOCOL_TLS_CLIENT)
    # Python sees to it unless it was built to leave that to the system, as Debian's is.
    context.minimum_version = max(context.minimum_version, ssl.TLSVersion.TLSv1_2)
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca is None:
        _trust_system(context)
    else:
        try:
            context.load_verify_locations(cadata=ca)
        except (ssl.SSLError, ValueError) as problem:
            raise TlsMisconfigured(f"tls.ca holds no usable certificate: {problem}") from problem
    if cert is not None:
        _present(context, cert, key)
    return context


def _text(value: str | None, name: str) -> str | None:
    if value is None or _PEM in value:
        return value
    try:
        return Path(value).read_text(encoding="ascii")
    except (OSError, ValueError) as problem:
        raise TlsMisconfigured(f"tls.{name} cannot be read: {problem}") from problem


def _trust_system(context: ssl.SSLContext) -> None:
    """The system's authorities; slim containers have none, so certifi's then."""
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    paths = ssl.get_default_verify_paths()
    if not context.cert_store_stats()["x509_ca"] and not (paths.capath and any(Path(paths.capath).iterdir())):
        context.load_verify_locations(certifi.where())


def _present(context: ssl.SSLContext, cert: str, key: str | None) -> None:
    # OpenSSL reads a chain only from files; this one exists for a moment, readable by this user alone.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(f"{cert}\n{key or ''}\n")
        file.flush()
        try:
            context.load_cert_chain(file.name, password=_no_password)
        except (ssl.SSLError, ValueError) as problem:
            raise TlsMisconfigured(f"tls.cert and tls.key do not fit: {problem}") from problem


def _no_password() -> str:
    """Instead of OpenSSL's question on the terminal."""
    raise ValueError("the key is encrypted")
