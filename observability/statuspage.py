"""P: The status of services as a page for browsers: no script, nothing from elsewhere, readable without colours."""

from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import Final

AGAIN_S: Final = 30
"""How long until the page looks again by itself."""
_SAID: Final = {
    "up": "Everything works",
    "degraded": "Some things do not work as they should",
    "down": "Nothing works",
}
_WORDS: Final = {"up": "Up", "degraded": "Degraded", "down": "Down"}
_MARKS: Final = {"up": "✓", "degraded": "!", "down": "✕"}
_STYLE: Final = """
:root{color-scheme:light dark;--up:#0a6b3d;--degraded:#8a5a00;--down:#b3261e;--line:#d5d9e0}
@media(prefers-color-scheme:dark){:root{--up:#5ed69a;--degraded:#f2bd5a;--down:#ff8f87;--line:#3a404b}}
body{font:1rem/1.5 system-ui,sans-serif;max-width:44rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.25rem;font-weight:600;margin:0 0 1rem}
.all{border:2px solid;border-radius:.5rem;padding:1rem;font-size:1.25rem;font-weight:600;margin:0 0 1.5rem}
ul{list-style:none;margin:0;padding:0;border-top:1px solid var(--line)}
li{display:flex;justify-content:space-between;gap:1rem;padding:.75rem .25rem;border-bottom:1px solid var(--line)}
li span:first-child{overflow-wrap:anywhere}
.word{font-weight:600;white-space:nowrap}
.up{color:var(--up)}.degraded{color:var(--degraded)}.down{color:var(--down)}
footer{margin-top:1.5rem;font-size:.875rem}
"""
_HASH: Final = b64encode(sha256(_STYLE.encode()).digest()).decode("ascii")
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
).encode("ascii")
"""Its Content-Security-Policy: this style, and nothing else."""


def wants_page(accept: str) -> bool:
    """Whether a client would rather have a page: browsers name text/html, before anything else that fits."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    html = kinds.index("text/html") if "text/html" in kinds else len(kinds)
    return html < (kinds.index("application/json") if "application/json" in kinds else len(kinds))


def page(name: str, overall: str, words: Mapping[str, str], timestamp: str) -> bytes:
    """`words` by service; names may hold anything."""
    rows = "".join(
        f'<li><span>{escape(service)}</span><span class="word {word}">'
        f'<span aria-hidden="true">{_MARKS[word]}</span> {_WORDS[word]}</span></li>\n'
        for service, word in words.items()
    )
    listed = f"<ul>\n{rows}</ul>" if rows else "<p>No service is configured.</p>"
    title = f"{escape(name)}: status"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="refresh" content="{AGAIN_S}">\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n'
        f'<h1>{title}</h1>\n<p class="all {overall}"><span aria-hidden="true">{_MARKS[overall]}</span> '
        f"{_SAID[overall]}</p>\n{listed}\n</main>\n"
        f'<footer>As of <time datetime="{timestamp}">{timestamp}</time>. The page looks again every {AGAIN_S} seconds.'
        "</footer>\n</body>\n</html>\n"
    ).encode()
