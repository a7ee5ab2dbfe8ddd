"""The jinja2 environment of the report and the feedback pages: everything escaped, nothing loaded."""

import base64
import hashlib
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from autograder.authoring import formulas
from autograder.classroom.export import number

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"


@cache
def environment() -> Environment:
    """Templates with autoescape on for every file, whatever its ending."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = number
    made.filters["sentence"] = formulas.html
    made.filters["utc"] = lambda moment: moment.strftime("%Y-%m-%d %H:%M UTC")
    return made


@cache
def style() -> str:
    return (TEMPLATES / "page.css").read_text(encoding="utf-8")


@cache
def script() -> str:
    return (TEMPLATES / "sort.js").read_text(encoding="utf-8")


def policy(*, with_script: bool) -> str:
    """The page's content security policy: nothing may be loaded, only the page's own style and script run."""
    parts = [
        "default-src 'none'",
        f"style-src 'sha256-{_digest(style())}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    if with_script:
        parts.append(f"script-src 'sha256-{_digest(script())}'")
    return "; ".join(parts)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def render(template: str, *, with_script: bool, **values: object) -> str:
    """The page `template` filled with `values`."""
    return (
        environment()
        .get_template(template)
        .render(style=style(), script=script(), policy=policy(with_script=with_script), **values)
    )
