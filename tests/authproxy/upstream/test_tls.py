"""Tests of TLS contexts: what they trust, what they present, and when they are shared."""

import ssl
from pathlib import Path
from typing import Any

import certifi
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from authproxy.upstream import tls
from authproxy.upstream.tls import TlsMisconfigured, TlsOptions, context_for, http2_context_for
from tests.support.upstreams import Certificates, KeyPair


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


@pytest.fixture(scope="module")
def pair(certificates: Certificates) -> KeyPair:
    return certificates.issue("client@torana.test")


def test_the_system_is_trusted_by_default() -> None:
    """Names are checked, and old protocols refused."""
    context = context_for(TlsOptions())

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("capath", ["empty", "none"])
def test_a_system_without_authorities_gets_certifis(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capath: str
) -> None:
    """Slim containers have none."""
    (tmp_path / "empty").mkdir()
    loaded: list[str] = []

    class Bare(ssl.SSLContext):
        def load_default_certs(self, purpose: ssl.Purpose = ssl.Purpose.SERVER_AUTH) -> None:
            pass

        def load_verify_locations(self, cafile: str) -> None:  # type: ignore[override]
            loaded.append(cafile)

    paths = ssl.get_default_verify_paths()._replace(
        capath=str(tmp_path / "empty") if capath == "empty" else None
    )
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    tls._trust_system(Bare(ssl.PROTOCOL_TLS_CLIENT))

    assert loaded == [certifi.where()]


def test_an_authority_replaces_the_systems(certificates: Certificates) -> None:
    """Only it is trusted."""
    assert context_for(TlsOptions(ca=certificates.ca)).cert_store_stats()["x509_ca"] == 1


def test_checking_can_be_switched_off() -> None:
    """Neither certificate nor name is looked at then."""
    context = context_for(TlsOptions(verify=False))

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_equal_contents_share_a_context(certificates: Certificates, tmp_path: Path) -> None:
    """Text or file; a file with other contents gives another context."""
    file = tmp_path / "ca.pem"
    file.write_text(certificates.ca)
    by_text = context_for(TlsOptions(ca=certificates.ca))
    assert context_for(TlsOptions(ca=str(file), sni="other.test")) is by_text
    file.write_text(Certificates().ca)
    assert context_for(TlsOptions(ca=str(file))) is not by_text


def test_a_client_certificate_is_loaded(
    pair: KeyPair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two texts, in two files, or in one."""
    (tmp_path / "cert.pem").write_text(pair.cert)
    (tmp_path / "key.pem").write_text(pair.key)
    loaded: list[int] = []
    really = ssl.SSLContext.load_cert_chain

    def load(context: ssl.SSLContext, *arguments: Any, **keys: Any) -> None:
        really(context, *arguments, **keys)
        loaded.append(id(context))

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", load)
    for options in (
        TlsOptions(cert=pair.cert, key=pair.key),
        TlsOptions(cert=str(tmp_path / "cert.pem"), key=str(tmp_path / "key.pem")),
        TlsOptions(cert=pair.cert + pair.key),
    ):
        assert id(context_for(options)) in loaded


def encrypted(key: str) -> str:
    """The same key behind a password."""
    loaded = load_pem_private_key(key.encode(), None)
    lock = BestAvailableEncryption(b"secret")
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock).decode()


@pytest.mark.parametrize("name", ["ca", "cert", "key"])
def test_what_cannot_be_read_is_named(name: str, pair: KeyPair) -> None:
    """A missing file, and one that is not ASCII."""
    given = {"cert": pair.cert, name: "/nonexistent/x.pem"} if name != "ca" else {"ca": "/nonexistent/x.pem"}
    with pytest.raises(TlsMisconfigured, match=rf"tls\.{name} cannot be read.*No such file"):
        context_for(TlsOptions(**given))


def test_binary_files_are_refused(tmp_path: Path) -> None:
    """DER is not PEM."""
    file = tmp_path / "ca.der"
    file.write_bytes(b"\x30\x82\xff")
    with pytest.raises(TlsMisconfigured, match=r"tls\.ca cannot be read"):
        context_for(TlsOptions(ca=str(file)))


def test_an_unusable_authority_is_refused() -> None:
    """PEM in form only."""
    with pytest.raises(TlsMisconfigured, match=r"tls\.ca holds no usable certificate"):
        context_for(TlsOptions(ca="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))


@pytest.mark.parametrize("key", ["another", "none", "encrypted"])
def test_an_unusable_client_certificate_is_refused(
    certificates: Certificates, pair: KeyPair, key: str
) -> None:
    """A foreign key, no key, and one that would need a password; nobody is asked for one."""
    keys = {
        "another": certificates.issue("b@torana.test").key,
        "none": None,
        "encrypted": encrypted(pair.key),
    }
    with pytest.raises(TlsMisconfigured, match=r"tls\.cert and tls\.key do not fit"):
        context_for(TlsOptions(cert=pair.cert, key=keys[key]))


def test_http2_has_a_context_of_its_own(certificates: Certificates) -> None:
    """It offers h2 whatever httpcore asks for."""
    options = TlsOptions(ca=certificates.ca)
    context = http2_context_for(options)
    context.set_alpn_protocols(["http/1.1", "h2"])
    server = certificates.server_context("a.test", alpn=("http/1.1", "h2"))

    assert context is http2_context_for(options)
    assert context is not context_for(options)
    assert _negotiated(context, server) == "h2"
    assert _negotiated(context_for(options), server) == "http/1.1"


def _negotiated(context: ssl.SSLContext, server: ssl.SSLContext) -> str | None:
    """What the two agree on by ALPN, in memory."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = context.wrap_bio(to_client, to_server, server_hostname="a.test")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ours.selected_alpn_protocol()


def test_the_key_is_not_shown(pair: KeyPair) -> None:
    """Not even in a traceback."""
    assert "PRIVATE" not in repr(TlsOptions(cert=pair.cert, key=pair.key))
