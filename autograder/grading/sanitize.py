"""What may stand in a graded notebook: text and still pictures.

The formgrader shows these cells on the origin of its grading API, so nothing in them may be active.
"""

import base64
import binascii
import html
import re
from collections.abc import Container, Iterable
from typing import Any

from nbformat.notebooknode import NotebookNode, from_dict

#: Picture types that cannot carry a script, with the bytes each file begins with.
PICTURES = {"image/png": b"\x89PNG\r\n\x1a\n", "image/jpeg": b"\xff\xd8\xff"}

#: Everything one cell may show, in characters (pictures as base64); about 1 MiB.
MAX_OUTPUT = 1 << 20

#: Links and pictures of one cell; in a cell with more, all are disarmed unread (reading a million would take minutes).
MAX_LINKS = 1000

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[@-_]")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_PICTURE = re.compile(r"!\[(?![^\]\n]{0,1000}+\]\(attachment:[^)\s]{0,1000}+\))")
_ATTACHED = re.compile(r"!\[([^\]\n]{0,1000}+)\]\(attachment:([^)\s]{0,1000}+)\)")
_ACTIVE_MATH = re.compile(  # from the first backslash of a row: each row is read once
    r"(?<!\\)\\++(?=(?:href|url|require|cssId|class|style|unicode|data|html\w*|mmlToken)(?![A-Za-z]))"
)
_LINK = re.compile(r"\](\(\s*+|:\s*+)(?=<?\s*+([^\s)>]{1,300}+))")
_LOOKED_AT = 300
"""Characters of a link's target that are looked at (in `_LINK`)."""
_RELATIVE = re.compile(r"[\w.%+~\-]*[/#?]")
_ALLOWED = re.compile(r"https?:|mailto:|attachment:", re.IGNORECASE)
_SCHEME = re.compile(rf"(?!{_ALLOWED.pattern})[a-z][a-z0-9+.\-]*:", re.IGNORECASE)


def well_formed(text: object) -> str:
    """`text` as a string that can be written as UTF-8; lists of lines are joined, lone surrogates become `?`."""
    if isinstance(text, list):
        text = "".join(part for part in text if isinstance(part, str))
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else ""


def plain(text: object, limit: int = 200) -> str:
    """One line of plain text: no colours, no control or direction characters, at most `limit` characters."""
    line = " ".join(_CONTROL.sub(" ", _ANSI.sub("", well_formed(text))).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def clean_markdown(text: str, attachments: Container[str] = ()) -> str:
    """Markdown that shows its raw HTML as text, loads no picture from elsewhere and holds no active link or formula.

    A picture that is not among the cell's `attachments` becomes words: nbconvert shows no page with such a reference.

    A space after `<` keeps a tag from being one wherever the reader's renderer thinks it stands (text, code or
    formula), so nothing depends on finding the code spans the way that renderer does. Text without HTML is unchanged.
    """
    text = _ACTIVE_MATH.sub("", text)  # first: what follows a backslash must not become a tag without it
    text = _TAG.sub("< ", text)
    if text.count("![") > MAX_LINKS:
        text = text.replace("![", "[")
    else:
        text = _ATTACHED.sub(lambda found: found[0] if found[2] in attachments else _left_out(found[1]), text)
        text = _PICTURE.sub("[", text)
    links = text.count("](") + text.count("]:")
    return re.sub(r"\](?=[(:])", "] ", text) if links > MAX_LINKS else _LINK.sub(_disarm_link, text)


def _left_out(title: str) -> str:
    return f"(picture left out: {title})" if title.strip() else "(picture left out)"


def _disarm_link(link: re.Match[str]) -> str:
    """The link as it was when it leads to a page, an address or an attachment; else with its two halves apart.

    A target that does not say in its beginning where it leads (a letter may be written with thousands of zeros) is
    taken for the worst.
    """
    target = _CONTROL.sub("", html.unescape(link[2].replace("\\", "")))
    unclear = len(link[2]) == _LOOKED_AT and not (_RELATIVE.match(target) or _ALLOWED.match(target))
    return f"] {link[1]}" if unclear or _SCHEME.match(target) else link[0]


def clean_attachments(attachments: object) -> dict[str, dict[str, str]]:
    """The pictures among a markdown cell's attachments."""
    kept: dict[str, dict[str, str]] = {}
    for name, bundle in attachments.items() if isinstance(attachments, dict) else ():
        pictures = _pictures(bundle)
        if pictures and re.fullmatch(r"[\w .\-]{1,200}", str(name)):
            kept[str(name)] = pictures
    return kept


def clean_outputs(outputs: Iterable[Any], max_output: int = MAX_OUTPUT) -> list[NotebookNode]:
    """Text, errors and still pictures of what a kernel sent, up to `max_output` characters; all else is dropped."""
    kept: list[NotebookNode] = []
    room = max_output
    for output in outputs:
        cleaned, size = _clean_output(output, room)
        if cleaned is None:
            continue
        room -= size
        kept.append(cleaned)
        if room <= 0:
            kept.append(_output("stream", name="stdout", text="\n[output cut here]\n"))
            break
    return kept


def shown(outputs: Iterable[NotebookNode]) -> int:
    """Characters that cleaned outputs hold, near enough for a limit."""
    return sum(
        len(output.get("text", ""))
        + sum(map(len, output.get("data", {}).values()))
        + sum(map(len, output.get("traceback", [])))
        for output in outputs
    )


def _output(kind: str, **fields: Any) -> NotebookNode:
    """An output cell; nbformat's own `new_output` also validates it, which takes longer than many a cell."""
    return from_dict({"output_type": kind, **fields})


def _clean_output(output: Any, room: int) -> tuple[NotebookNode | None, int]:
    """One cleaned output with its size in characters, or None when nothing of it may stay."""
    if not isinstance(output, dict):
        return None, 0
    kind = output.get("output_type")
    if kind == "stream":
        text = well_formed(output.get("text"))[:room]
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return _output("stream", name=name, text=text), len(text)
    if kind == "error":
        lines = output.get("traceback")
        traceback = well_formed("\n".join(map(str, lines)) if isinstance(lines, list) else "")[:room]
        error = _output(
            "error",
            ename=plain(output.get("ename"), 100),
            evalue=plain(output.get("evalue"), 1000),
            traceback=traceback.split("\n"),
        )
        return error, len(traceback)
    if kind in ("display_data", "execute_result") and isinstance(output.get("data"), dict):
        data = {mime: picture for mime, picture in _pictures(output["data"]).items() if len(picture) <= room}
        if text := well_formed(output["data"].get("text/plain"))[:room]:
            data["text/plain"] = text
        if data:
            return _output("display_data", data=data, metadata={}), sum(map(len, data.values()))
    return None, 0


def _pictures(bundle: object) -> dict[str, str]:
    """The entries of a MIME bundle that are base64 of a PNG or JPEG file, re-encoded."""
    found = {}
    for mime, signature in PICTURES.items():
        data = bundle.get(mime) if isinstance(bundle, dict) else None
        if not isinstance(data, str):
            continue
        try:
            content = base64.b64decode("".join(data.split()), validate=True)
        except (binascii.Error, ValueError):
            continue
        if content.startswith(signature):
            found[mime] = base64.b64encode(content).decode()
    return found
