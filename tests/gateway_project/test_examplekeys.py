"""Accounts and keys of an example system, and the file that keeps what only they know."""

import stat
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError

from authproxy.models import ApiKey, Consumer
from gateway_project import examplekeys
from gateway_project.examplekeys import Credentials
from gateway_project.systemfile import AccountEntry, ConsumerEntry


@pytest.mark.store
@pytest.mark.django_db
def test_made() -> None:
    """Accounts that can sign in, consumers with a key, with the roles and rights that were asked for."""
    people = [
        AccountEntry(name="ada", email="ada@example.com", roles=("reader",)),
        AccountEntry(name="s", staff=True),
    ]
    made = examplekeys.make(people, [ConsumerEntry(name="robot", roles=("reader",), scopes=("write",))])
    ada = authenticate(username="ada", password=made.passwords["ada"])
    robot = Consumer.objects.get(name="robot")
    assert ada is not None
    assert [group.name for group in ada.groups.all()] == ["reader"]
    assert authenticate(username="s", password=made.passwords["s"]).is_staff  # type: ignore[union-attr]
    assert (robot.kind, robot.scopes, [role.name for role in robot.roles.all()]) == (
        "service",
        ["write"],
        ["reader"],
    )
    assert made.keys["robot"].startswith(ApiKey.objects.get(consumer=robot).prefix)


@pytest.mark.store
@pytest.mark.django_db
def test_taken_name() -> None:
    """Names of accounts and consumers are one space here, too."""
    with pytest.raises(ValidationError, match="taken"):
        examplekeys.make([AccountEntry(name="ada")], [ConsumerEntry(name="ada")])


def test_kept(tmp_path: Path) -> None:
    """For its owner alone, whole; written again, it is replaced."""
    known = Credentials({"ada": "pw"}, {"robot": "tk"})
    examplekeys.keep(tmp_path, Credentials())
    examplekeys.keep(tmp_path, known, url="http://h", services={"chat": {"url": "http://c", "pid": 1}})
    assert examplekeys.kept(tmp_path) == known
    assert stat.S_IMODE((tmp_path / "example.json").stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["example.json"]


@pytest.mark.parametrize("text", ["", "[]", '{"keys": {}}', '{"keys": 1, "passwords": 1}'])
def test_file_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    """Nothing is known then; nor where there is none."""
    assert examplekeys.kept(tmp_path) == Credentials()
    (tmp_path / "example.json").write_text(text)
    assert examplekeys.kept(tmp_path) == Credentials()
