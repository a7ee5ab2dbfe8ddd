r"""Shows a sentence of a statement or a hint where no formulas are typeset: a report in a notebook, a page off line.

The formulas of sentences are short, so they become text: `$\partial L / \partial v_b$` becomes "∂L / ∂v_b", and on a
page its letters slope and its indices stand low. A formula that this module does not know is refused when the
assignment is built, not when a student reads it.
"""

import re

from markupsafe import Markup, escape

FORMULA = re.compile(r"\$([^$]+)\$")

_SYMBOLS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "eta": "η",
    "theta": "θ", "lambda": "λ", "mu": "μ", "pi": "π", "sigma": "σ", "tau": "τ", "phi": "φ", "omega": "ω", "Delta": "Δ",
    "partial": "∂", "nabla": "∇", "sum": "Σ", "prod": "Π", "infty": "∞", "in": "∈",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "lt": "<", "gt": ">",
    "cdot": "·", "times": "×", "pm": "±", "to": "→", "ldots": "…", "dots": "…", "mid": "|",
    "log": "log", "exp": "exp", "min": "min", "max": "max", "cos": "cos", "sin": "sin", "tanh": "tanh",
    "left": "", "right": "", "big": "", "Big": "",
}  # fmt: skip
_ARGUMENT = r"\{([^{}]*)\}"
_MEANING = {"^": "sup", "_": "sub"}


def unknown(sentence: str) -> list[str]:
    """The formulas of a sentence that cannot be shown as text."""
    return [formula for formula in FORMULA.findall(sentence) if re.search(r"[\\{}]", _linear(formula))]


def plain(sentence: str) -> str:
    """A sentence as text: its formulas in Unicode, its **stress** without stars."""
    joined = " ".join(sentence.split())
    return re.sub(r"\*\*(.+?)\*\*", r"\1", FORMULA.sub(lambda match: _linear(match[1]), joined))


def html(sentence: str) -> Markup:
    """A sentence for a page: escaped, with its `code`, its $formulas$ and its **stress** shown."""
    sentence = " ".join(sentence.replace("\0", "").split())
    formulas = iter(FORMULA.findall(sentence))
    shown = str(escape(FORMULA.sub("\0", sentence)))
    shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", shown)
    shown = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", shown)
    return Markup(re.sub(r"\0", lambda _: _sloping(next(formulas)), shown))  # noqa: S704  escaped above


def _linear(formula: str) -> str:
    """A formula on one line of text. What is not known keeps its backslash or its braces."""
    text = re.sub(rf"\\text\s*{_ARGUMENT}", r"\1", formula)
    text = re.sub(r"\\[,;!: ]", " ", text)
    text = re.sub(r"\\([a-zA-Z]+)\s*(?=([a-zA-Z0-9\\])?)", _symbol, text)
    former = ""
    while text != former:  # from the inside out
        former = text
        text = re.sub(
            rf"\\frac\s*{_ARGUMENT}\s*{_ARGUMENT}", lambda m: f"{_group(m[1])} / {_group(m[2])}", text
        )
        text = re.sub(rf"\\sqrt\s*{_ARGUMENT}", lambda m: f"√({m[1]})", text)
        text = re.sub(rf"([_^])\s*{_ARGUMENT}", lambda m: f"{m[1]}{_group(m[2])}", text)
    return " ".join(text.replace("-", "−").split())


def _symbol(match: re.Match[str]) -> str:
    known = _SYMBOLS.get(match[1], match[0])
    apart = (known.isalpha() and known.isascii() and match[2]) or known in ("≤", "≥", "≠", "≈", "∈", "→")
    return f"{known} " if apart else known


def _group(text: str) -> str:
    return text if re.fullmatch(r"\w*", text) else f"({text})"


def _sloping(formula: str) -> str:
    """A formula as HTML: single letters slope, indices stand low and powers high."""
    shown = str(escape(_linear(formula)))
    shown = re.sub(r"([_^])(\w+|\([^()]*\))", lambda m: f"<{_MEANING[m[1]]}>{m[2]}</{_MEANING[m[1]]}>", shown)
    parts = re.split(r"(<[^>]*>|&\w+;|&#\d+;)", shown)
    letters = [re.sub(r"(?<![A-Za-z])[A-Za-zα-ω](?![A-Za-z])", r"<i>\g<0></i>", part) for part in parts[::2]]
    parts[::2] = letters
    return f'<span class="formula">{"".join(parts)}</span>'
