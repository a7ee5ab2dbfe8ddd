"""Figures that can be read on light and dark pages, and questions whose right answer is computed."""

import matplotlib as mpl
import pytest

from nlpcourse import display
from nlpcourse.quiz import Option, Question


@pytest.mark.parametrize("background", display.BACKGROUNDS.values(), ids=display.BACKGROUNDS.keys())
def test_colours_can_be_told_from_both_pages(background: str) -> None:
    assert display.contrast(display.TEXT, background) >= 4
    for name, colour in display.COLOURS.items():
        assert display.contrast(colour, background) >= 3, name


def test_contrast_is_the_standard_ratio() -> None:
    assert display.contrast("#ffffff", "#000000") == pytest.approx(21)
    assert display.contrast("#808080", "#808080") == pytest.approx(1)
    assert display.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_figures_are_transparent() -> None:
    with mpl.rc_context():
        display.use_course_style()
        assert mpl.rcParams["figure.facecolor"] == mpl.rcParams["axes.facecolor"] == "none"
        assert mpl.rcParams["savefig.transparent"] is True


def test_a_weight_of_zero_shows_the_page_and_a_weight_of_one_the_colour() -> None:
    for name, colour in display.COLOURS.items():
        none, half, all_ = display.shades(name)([0.0, 0.5, 1.0])
        assert none[3] == 0
        assert half[3] == pytest.approx(0.5, abs=0.01)
        assert mpl.colors.to_hex(all_, keep_alpha=True) == colour + "ff"


def question(answer: float) -> Question:
    options = [Option(0.5, "half", "<half>"), Option(0.693, "log & two"), Option("same", "all")]
    return Question("How much?", answer=answer, options=options)


def test_the_computed_answer_picks_the_option() -> None:
    html = question(0.6931)._repr_html_()
    assert html.count("Right.") == 1
    assert html.index("0.693") < html.index("Right.") < html.index("log &amp; two")
    assert "&lt;half&gt;" in html
    assert html.count("<details>") == 3


def test_a_question_without_exactly_one_right_option_is_refused() -> None:
    with pytest.raises(ValueError, match=r"exactly one option"):
        question(0.7)
    with pytest.raises(ValueError, match=r"exactly one option"):
        Question("?", answer=1, options=[Option(1, "a"), Option(1.0, "b")])


def test_in_a_terminal_a_question_does_not_give_itself_away() -> None:
    assert repr(question(0.5)) == "How much?\n  A. <half>\n  B. 0.693\n  C. same"
