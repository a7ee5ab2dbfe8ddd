"""Self-check questions for a page: the right option is computed, and each option explains itself."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Option:
    """One possible answer."""

    value: float | str
    """What is compared with the computed answer."""
    explanation: str
    """Why it is right, or what thinking leads to it."""
    text: str = ""
    """What the reader sees; the value itself when empty."""


class Question:
    """A question that shows itself in a notebook; opening an option tells whether it is right, and why.

    Args:
        text: the question.
        answer: the right value, computed by the caller.
        options: at least two; exactly one has the answer's value (numbers are compared to three decimals).

    Raises:
        ValueError: none of the options, or more than one, is right.
    """

    def __init__(self, text: str, *, answer: float | str, options: Sequence[Option]) -> None:
        self.text = text
        self.options = tuple(options)
        self.right = tuple(_same(option.value, answer) for option in self.options)
        if self.right.count(True) != 1:
            shown = ", ".join(str(option.value) for option in self.options)
            raise ValueError(
                f"the answer is {answer}; exactly one option must be that, and the options are {shown}"
            )

    def __repr__(self) -> str:
        return "\n".join(
            [self.text, *(f"  {letter}. {_shown(option)}" for letter, option in self._lettered())]
        )

    def _repr_html_(self) -> str:
        parts = [f'<div class="course-question"><p>{escape(self.text)}</p>']
        for (letter, option), right in zip(self._lettered(), self.right, strict=True):
            verdict, kind = ("Right.", "right") if right else ("Not this one.", "wrong")
            parts.append(
                f"<details><summary><b>{letter}.</b> {escape(_shown(option))}</summary>"
                f'<p class="course-{kind}"><b>{verdict}</b> {escape(option.explanation)}</p></details>'
            )
        return "\n".join([*parts, "</div>"])

    def _lettered(self) -> list[tuple[str, Option]]:
        return list(zip("ABCDEFGH", self.options, strict=False))


def _shown(option: Option) -> str:
    if option.text:
        return option.text
    return f"{option.value:.3f}" if isinstance(option.value, float) else str(option.value)


def _same(value: float | str, answer: float | str) -> bool:
    if isinstance(value, str) or isinstance(answer, str):
        return value == answer
    return value == answer or math.isclose(value, answer, rel_tol=0, abs_tol=5e-4)
