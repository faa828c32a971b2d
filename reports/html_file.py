"""One HTML file that loads nothing.

A strict content security policy allows its own script and style, by their hashes, and pictures inside the file.
"""

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from reports.escaping import escaped_html, on_one_line

TEMPLATES = Path(__file__).parent / "templates"


def html_file(title: str, inside: str, data: object, *, styles: Sequence[str], script: str, contents: str = "") -> str:
    """The file's text.

    ``inside`` is HTML already, as are the items of the list of ``contents``; the title is text. ``styles`` and ``script`` are files
    in templates/; the script finds ``data`` as Record in the element whose id is "data".
    """
    style = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in styles)
    code = (TEMPLATES / script).read_text(encoding="utf-8")
    own = f"style-src '{_hash(style)}'; script-src '{_hash(code)}'"
    policy = f"default-src 'none'; img-src data:; {own}; base-uri 'none'; form-action 'none'"
    navigation = f'<nav aria-label="Contents"><ul>{contents}</ul></nav>\n' if contents else ""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escaped_html(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        f"<header><h1>{escaped_html(title)}</h1></header>\n{navigation}<main>\n{inside}\n</main>\n"
        f'<script type="application/json" id="data">{_json(data)}</script>\n<script>{code}</script>\n</body>\n</html>\n'
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _json(value: object) -> str:
    """Record that no HTML parser takes for the end of the script, and in which no text has a character that is not seen."""
    text = json.dumps(on_one_line(value), separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
