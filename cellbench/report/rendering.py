"""Pages from templates: one file each, which loads nothing and allows only its own style and script."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

import cellbench
from cellbench.report.page.embedding import content_hash

_PAGE, _SITE = (Path(__file__).parent / room for room in ("page", "site"))


def render_page(
    template: str, context: Mapping[str, Any], *, styles: Sequence[str], scripts: Sequence[str]
) -> bytes:
    """Fill in a template; the same values give the same bytes.

    Args:
        template: file name of the template, in the folder ``page`` or ``site``.
        context: what the template needs beside style, script, policy and version.
        styles: style sheets in the folder ``page``, which the page contains.
        scripts: scripts in the folder ``page``, which the page contains.

    Returns:
        The page in UTF-8.
    """
    style, script = _read_assets(styles), _read_assets(scripts)
    shared = {
        "policy": _policy(style, script),
        "style": Markup(style),
        "script": Markup(script),
        "version": cellbench.__version__,
    }
    text = _environment().get_template(template).render({**shared, **context})
    return text.encode("utf-8", "replace")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader([_PAGE, _SITE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
        keep_trailing_newline=True,
    )


def _read_assets(names: Sequence[str]) -> str:
    return "".join((_PAGE / name).read_text(encoding="utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    """Allow this style, this script and pictures inside the page, and nothing else."""
    allowed = {
        "default-src": "'none'",
        "img-src": "data:",
        "style-src": content_hash(style),
        "script-src": content_hash(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {source}" for name, source in allowed.items())
