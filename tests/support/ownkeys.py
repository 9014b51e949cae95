"""D: Signing keys of a test's own: what it rotates is no key of the process, which goes on after the test."""

from pathlib import Path

import pytest
from django.conf import settings

from authproxy import signingkeys
from authproxy.sealing import KeyFile, Sealer
from authproxy.signingkeys import KeyPolicy, SigningKeys


@pytest.fixture
def own_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SigningKeys:
    """They stand in for the process's own."""
    sealer = Sealer(str(settings.CONFIG.secret_key))
    made = SigningKeys(KeyPolicy.of(settings.CONFIG), file=KeyFile(tmp_path, sealer), sealer=sealer)
    monkeypatch.setattr(signingkeys, "shared", lambda: made)
    return made
