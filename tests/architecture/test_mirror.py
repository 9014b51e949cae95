"""Every module has its tests where one would look for them."""

from pathlib import Path

from tests.support.source import PACKAGES, ROOT, modules, shown, tracked

# Modules without a test file of their own, each with the place where they are tested.
ELSEWHERE: dict[str, str] = {
    "authproxy/models.py": "names what authproxy/rows/ holds; each has its own",
    "authproxy/serializers.py": "shapes; tests/authproxy/views/ sends what fits them and what does not",
    "authproxy/urls.py": "a list of paths; tests/authproxy/views/ walks them all",
    "authproxy/views/control/shapes.py": "shapes; tests/functional/test_control_schema.py holds answers against them",
    "gateway_project/changesurls.py": "a list of paths; the functional tests walk them",
    "gateway_project/controlurls.py": "a list of paths; the functional tests walk them",
    "gateway_project/urls.py": "a list of paths; the functional and browser tests walk them",
    "observability/models.py": "names what observability/rows/ holds; each has its own",
    "realtime/models.py": "names what realtime/rows/ holds; each has its own",
    "resilience/models.py": "names what resilience/rows/ holds; each has its own",
    "routing/models.py": "names what routing/rows/ holds; each has its own",
}
CONVENTIONAL = ("apps.py",)  # Django's registration of an application: a name and a label


def file_of_tests(path: Path) -> Path:
    """`routing/paths.py` is tested by `tests/routing/test_paths.py`."""
    relative = path.relative_to(ROOT)
    return ROOT / "tests" / relative.parent / f"test_{relative.name}"


def test_every_module_has_its_file_of_tests() -> None:
    """A module without one is listed above with the reason."""
    missing = [
        shown(path)
        for path in modules()
        if path.name not in CONVENTIONAL
        and shown(path) not in ELSEWHERE
        and not file_of_tests(path).is_file()
    ]

    assert missing == []


def test_exceptions_are_still_needed() -> None:
    """The list names modules that exist and have no test file."""
    assert [
        name for name in ELSEWHERE if not (ROOT / name).is_file() or file_of_tests(ROOT / name).is_file()
    ] == []


def test_every_test_file_has_its_module() -> None:
    """A test file in a mirrored folder tests the module of its name; others belong to functional, browser, …"""
    stray = [
        shown(path)
        for path in tracked()
        if path.name.startswith("test_") and path.relative_to(ROOT).parts[1] in PACKAGES
        and not _source_of(path)
    ]  # fmt: skip

    assert stray == []


def _source_of(path: Path) -> bool:
    folder = ROOT / path.parent.relative_to(ROOT / "tests")
    name = path.stem.removeprefix("test_")
    return (folder / f"{name}.py").is_file() or (folder / name).is_dir()
