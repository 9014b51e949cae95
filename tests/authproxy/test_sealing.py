"""Keys are made for every algorithm, and kept so that only this server can read them."""

from pathlib import Path

import pytest

from authproxy.keyring import KeyRing
from authproxy.keyschedule import KeptKey
from authproxy.sealing import KeyFile, Sealer, new_kid, new_material

ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA")


def kept(algorithm: str = "HS256") -> KeptKey:
    return KeptKey.read(new_kid(), algorithm, new_material(algorithm), 100.5, None)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_made_for_every_algorithm(algorithm: str) -> None:
    """It signs, and its token names it."""
    made = kept(algorithm)
    ring = KeyRing((made.key,), made.key)

    assert len(ring.sign({"sub": "1"}).split(".")) == 3
    assert ring.find(algorithm, made.kid) == (made.key,)


def test_no_two_keys_are_alike() -> None:
    """Neither in name nor in what is secret."""
    assert len({kept().kid for _ in range(100)} | {kept().material for _ in range(100)}) == 200


def test_what_is_sealed_opens_under_the_same_secret_key_alone() -> None:
    """And a changed byte is noticed."""
    sealed = Sealer("one").seal(b"sesame")

    assert b"sesame" not in sealed
    assert Sealer("one").unseal(sealed) == b"sesame"
    assert Sealer("two").unseal(sealed) is None
    assert Sealer("one", purpose="other").unseal(sealed) is None
    assert Sealer("one").unseal(sealed[:-4] + b"AAAA") is None


def test_keys_survive_in_a_file(tmp_path: Path) -> None:
    """Only the owner may read it, and it holds no key in clear."""
    file = KeyFile(tmp_path, Sealer("one"))
    keys = kept(), KeptKey.read("k", "EdDSA", new_material("EdDSA"), 1.0, 2.0)
    file.save(keys)

    assert file.load() == keys
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert keys[0].material not in file.path.read_bytes()


def test_an_unchanged_file_is_not_written_again(tmp_path: Path) -> None:
    """Every worker learns the same keys at every start."""
    file = KeyFile(tmp_path, Sealer("one"))
    keys = (kept(),)
    file.save(keys)
    before = file.path.stat()
    file.save(keys)

    assert file.path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("content", [b"", b"torn", None])
def test_a_file_that_cannot_be_opened_is_not_used(
    tmp_path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing there, torn, or sealed by another server: the worker starts without."""
    file = KeyFile(tmp_path, Sealer("one"))
    if content is None:
        KeyFile(tmp_path, Sealer("two")).save((kept(),))
    else:
        file.path.write_bytes(content)

    assert file.load() == ()
    assert "SECRET_KEY" in caplog.text


def test_a_folder_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It matters at the next outage; the log says so."""
    KeyFile(tmp_path / "gone", Sealer("one")).save((kept(),))

    assert "was not written" in caplog.text
