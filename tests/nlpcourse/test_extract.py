"""Docstrings are found where Python has them, and read without running anything."""

import ast

import pytest

from nlpcourse.data.extract import docstrings, string

SOURCE = b'''"""Module."""
import somewhere_that_does_not_exist

class Outer:
    """Outer class."""

    def method(self):
        """
        A method.

            indented
        """

        def inner():
            """Inner."""

    async def later(self): "Later."

if True:
    def guarded():
        """Guarded."""
else:
    try:
        def tried():
            """Tried."""
    except Exception:
        def otherwise():
            """Otherwise."""

def silent(): pass

def blank():
    """   """

raise RuntimeError("this file must never run")
'''


def test_modules_classes_and_functions_wherever_they_stand() -> None:
    assert docstrings(SOURCE) == [
        ("", "module", "Module."),
        ("Outer", "class", "Outer class."),
        ("Outer.method", "function", "A method.\n\n    indented"),
        ("Outer.method.inner", "function", "Inner."),
        ("Outer.later", "function", "Later."),
        ("guarded", "function", "Guarded."),
        ("tried", "function", "Tried."),
        ("otherwise", "function", "Otherwise."),
    ]


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("add_docstr(torch.abs, 'abs(x)\\n\\nSay it.')", ("torch.abs", "abs(x)\n\nSay it.")),
        ("fft = _add_docstr(_fft.fft_fft, r'''Transform.''')", ("fft", "Transform.")),
        ("add_docstr_all('new_full', 'Make it.')", ("torch.Tensor.new_full", "Make it.")),
        ("torch._C._add_docstr(torch.f, 'A' + 'B {x}'.format(**common))", ("torch.f", "AB x")),
        ("add_newdoc('numpy._core', 'flatiter', 'Iterate.')", ("numpy._core.flatiter", "Iterate.")),
        (
            "add_newdoc('numpy._core', 'flatiter', ('base', 'The base.'))",
            ("numpy._core.flatiter.base", "The base."),
        ),
        ("add_newdoc('numpy', 'f', 'f(x, /)\\n--\\n\\nDo f.')", ("numpy.f", "Do f.")),
    ],
)
def test_docstrings_given_by_a_call(call: str, found: tuple[str, str]) -> None:
    assert docstrings(call.encode()) == [(found[0], "attached", found[1])]


def test_a_list_of_attributes() -> None:
    call = b"add_newdoc('numpy', 'f', [('a', 'First.'), ('b', 'Second.')])"
    assert [(name, text) for name, _, text in docstrings(call)] == [
        ("numpy.f.a", "First."),
        ("numpy.f.b", "Second."),
    ]


@pytest.mark.parametrize(
    "call",
    [
        "add_docstr(f, make())",
        "add_newdoc('a', b, 'c')",
        "add_docstr(f)",
        "add_docstr(f, ' ')",
        "other(f, 'x')",
    ],
)
def test_what_cannot_be_read_without_running_is_left_out(call: str) -> None:
    assert docstrings(call.encode()) == []


def test_placeholders_read_as_their_names_and_doubled_braces_as_one() -> None:
    node = ast.parse("r'{{i}} {input} {x!r:>3} }'.format(**args)", mode="eval").body
    assert string(node) == "{i} input x }"


def test_no_python_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        docstrings(b"def f(:")
