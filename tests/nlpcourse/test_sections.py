"""Summary, body and parameters out of docstrings of the usual styles."""

from nlpcourse.data.sections import Parameter, parameters, summary_and_body

NUMPY = """Return evenly spaced numbers
over an interval.

More about it.

Parameters
----------
start, stop : array_like
    The ends
    of the sequence.
num : int, optional
    How many.
**kwargs
    The rest.

Returns
-------
samples : ndarray
    The numbers.
"""

GOOGLE = """abs(input, *, out=None) -> Tensor

Computes the absolute value.

Args:
    input (Tensor): the input
        tensor.
    dim (int or Tuple(int, int), optional): where
    flag: whether

Keyword args:
    out (Tensor, optional): the output.

Returns:
    nothing (at all): really
"""


def test_summary_is_the_first_paragraph_on_one_line() -> None:
    summary, body = summary_and_body(NUMPY)
    assert summary == "Return evenly spaced numbers over an interval."
    assert body.startswith("More about it.\n\nParameters")


def test_a_signature_in_front_is_no_summary() -> None:
    summary, body = summary_and_body(GOOGLE)
    assert summary == "Computes the absolute value."
    assert body.startswith("Args:")


def test_one_line_has_no_body() -> None:
    assert summary_and_body("Do it (now).") == ("Do it (now).", "")
    assert summary_and_body("f(x) -> y") == ("f(x) -> y", "")


def test_numpy_parameters() -> None:
    assert parameters(NUMPY) == (
        Parameter("start", "array_like", "The ends of the sequence."),
        Parameter("stop", "array_like", "The ends of the sequence."),
        Parameter("num", "int, optional", "How many."),
        Parameter("**kwargs", "", "The rest."),
    )


def test_google_parameters() -> None:
    assert parameters(GOOGLE) == (
        Parameter("input", "Tensor", "the input tensor."),
        Parameter("dim", "int or Tuple(int, int), optional", "where"),
        Parameter("flag", "", "whether"),
        Parameter("out", "Tensor, optional", "the output."),
    )


def test_no_section_no_parameters() -> None:
    assert parameters("Parameters are discussed below.\n\nArgs: none") == ()
