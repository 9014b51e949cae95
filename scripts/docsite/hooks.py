"""D: What mkdocs calls while it builds the site: adds the generated pages, and leads links to where files are there."""

import os
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from scripts.docsite import commands, configuration, endpoints, overviews, places, variables

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = "docs/reference/"
# The site says the same wherever it is built: nothing of the builder's environment gets into it.
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "gateway_project.settings",
    "SECRET_KEY": "builds-the-site",
    "REDIS_URL": "none",
}
KEPT = ("PATH", "HOME", "LANG", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")


@cache
def pages() -> dict[str, str]:
    """Every page that is not a file of `docs/`, by the path of what it is made of, or where it would be."""
    found = {
        path: (ROOT / path).read_text(encoding="utf-8") for path in places.WHOLE if (ROOT / path).exists()
    }
    readmes = {
        file.parent.name: file.read_text(encoding="utf-8")
        for file in sorted(ROOT.glob("examples/*/README.md"))
    }
    found |= {f"examples/{name}/README.md": text for name, text in readmes.items()}
    found["docs/examples.md"] = overviews.examples(readmes)
    records = {
        file.name: file.read_text(encoding="utf-8") for file in (ROOT / "docs" / "adr").glob("[0-9]*.md")
    }
    found["docs/adr/index.md"] = overviews.decisions(records)
    found |= references()
    texts = found | {_place(file): file.read_text(encoding="utf-8") for file in (ROOT / "docs").rglob("*.md")}
    for origin, text in texts.items():
        for path in places.linked(text, origin):
            file = ROOT / path
            if path not in texts and not path.startswith(places.DOCS) and file.is_file():
                found[path] = file.read_text(encoding="utf-8")
    return found


@cache
def references() -> dict[str, str]:
    """The generated pages of reference, by their place."""
    _set_up()
    from drf_spectacular.drainage import GENERATOR_STATS
    from drf_spectacular.generators import SchemaGenerator

    from gateway_project.config import table
    from gateway_project.management.commands.gateway import Command
    from gateway_project.management.commands.quickstart import Command as Quickstart
    from routing.document.schema import json_schema

    documents = [
        yaml.safe_load(file.read_text(encoding="utf-8"))
        for file in sorted(ROOT.glob("examples/**/gateway.yaml"))
    ]
    reference = configuration.Reference(json_schema(), documents)
    with GENERATOR_STATS.silence():
        api = endpoints.Endpoints(
            SchemaGenerator().get_schema(request=None, public=True), reference.anchors()
        )
    parser = Command().create_parser("manage.py", "gateway")
    more = Quickstart().create_parser("manage.py", "quickstart")
    found = {
        "configuration": reference.text(),
        "commands": commands.text(parser) + "\n" + commands.own(more),
        "variables": variables.text((ROOT / ".env.example").read_text(encoding="utf-8"), table().values()),
        **{f"api-{name}": api.page(name) for name in endpoints.PAGES},
    }
    return {f"{REFERENCE}{name}.md": text for name, text in found.items()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """A guide that the navigation does not name is listed at its end, so that none is lost."""
    named = set(_named(config.nav))
    others = [file.name for file in sorted((ROOT / "docs").glob("*.md")) if file.name not in named]
    if others and config.nav is not None:
        config.nav.append({"More": others})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the generated pages."""
    for origin, text in pages().items():
        page = places.page_of(origin)
        content = places.shown(origin, text) if page.startswith("files/") else text
        file = File.generated(config, page, content=content)
        file.torana_origin = origin  # type: ignore[attr-defined]
        files.append(file)
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as they are on the site. A search shows guides first, and then files and decisions that have the word."""
    del config, files
    if page.file.src_uri.startswith(("files/", "adr/")):
        page.meta["search"] = {"boost": 0.25}
    origin = getattr(page.file, "torana_origin", places.DOCS + page.file.src_uri)
    return markdown if page.file.src_uri.startswith("files/") else places.rewritten(markdown, origin)


def _named(nav: Any) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    held = nav.values() if isinstance(nav, dict) else nav or ()
    return [name for each in held for name in _named(each)]


def _place(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _set_up() -> None:
    import django

    for name in set(os.environ) - set(KEPT):
        del os.environ[name]
    os.environ.update(ENVIRONMENT, VAR_DIR=str(ROOT / "var"))
    django.setup()
