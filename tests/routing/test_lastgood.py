"""The newest good revision survives as a file, and only as what it was."""

import json
import threading
from pathlib import Path

import pytest

from routing.document.canonical import canonicalise, digest, dump_yaml
from routing.lastgood import FILE_NAME, LastGood, read_revision
from routing.problems import ConfigurationInvalid
from routing.revision import RevisionRecord
from tests.support.configuration import small


def record(number: int, port: int = 8001) -> RevisionRecord:
    document = canonicalise(small(port))
    return RevisionRecord(number=number, digest=digest(document), document=document)


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    """Number, digest and document; readable by nobody else."""
    kept = LastGood(tmp_path)
    assert kept.load() is None
    kept.save(record(1))
    kept.save(record(2, port=9))
    assert kept.load() == record(2, port=9)
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


def test_the_same_revision_is_not_written_twice(tmp_path: Path) -> None:
    """Of many workers the first writes."""
    kept = LastGood(tmp_path)
    kept.save(record(1))
    before = kept.path.stat().st_ino
    kept.save(record(1))
    assert kept.path.stat().st_ino == before


@pytest.mark.parametrize("damage", ["half", "edited", "empty", "nonsense", "other format", "no header"])
def test_a_damaged_file_is_not_used(tmp_path: Path, damage: str) -> None:
    """A torn or edited file is worse than none."""
    kept = LastGood(tmp_path)
    kept.save(record(1))
    text = kept.path.read_text()
    kept.path.write_text(
        {
            "half": text[: len(text) // 2],
            "edited": text.replace("8001", "8002"),
            "empty": "",
            "nonsense": "\x00\x01",
            "other format": text.replace("revision-1", "revision-9"),
            "no header": text.partition("\n")[2],
        }[damage]
    )
    assert kept.load() is None


def test_workers_may_save_at_the_same_time(tmp_path: Path) -> None:
    """The file is always one of theirs, whole."""
    kept = LastGood(tmp_path)
    threads = [threading.Thread(target=kept.save, args=(record(n, port=n),)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = kept.load()
    assert found is not None
    assert found == record(found.number, port=found.number)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no rubbish beside it."""
    kept = LastGood(tmp_path)
    kept.save(record(1))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        kept.save(record(2))
    assert kept.load() == record(1)
    assert len(list(tmp_path.iterdir())) == 1


def test_an_exported_document_can_be_served(tmp_path: Path) -> None:
    """YAML and JSON are read as revision 0; a kept revision as itself."""
    document = canonicalise(small())
    for name, text in (("a.yaml", dump_yaml(document)), ("b.json", json.dumps(document))):
        file = tmp_path / name
        file.write_text(text)
        assert read_revision(file) == RevisionRecord(number=0, digest=digest(document), document=document)
    LastGood(tmp_path).save(record(4))
    assert read_revision(tmp_path / FILE_NAME) == record(4)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"a: [", b'{"format":"torana-revision-1","checksum":"x"}\n{}\n']
)
def test_a_file_that_is_no_revision_is_refused(tmp_path: Path, content: bytes) -> None:
    """With problems like any other document."""
    file = tmp_path / "a.yaml"
    file.write_bytes(content)
    with pytest.raises(ConfigurationInvalid):
        read_revision(file)
