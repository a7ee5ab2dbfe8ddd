"""The report, the feedback pages and the tables of grades, made from results with hostile and odd contents."""

import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.authoring import formulas
from autograder.classroom.export import write_grades, write_platform
from autograder.classroom.feedback import write_feedback
from autograder.classroom.folder import Classroom
from autograder.classroom.report import histogram, most_missed, notices, write_report
from autograder.classroom.results import Submission, TopicResults
from autograder.grading.record import NOT_BEGUN
from nlpcourse.errors import CourseError
from nlpcourse.exercises import notebook_path, read_assignment
from nlpcourse.paths import project_root


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def pages(classroom: Classroom, results: TopicResults) -> dict[str, str]:
    made = [write_report(classroom, [results]), *write_feedback(classroom, [results])]
    return {str(path.relative_to(classroom.root)): path.read_text(encoding="utf-8") for path in made}


def test_a_page_for_everybody_who_was_graded(classroom: Classroom, results: TopicResults) -> None:
    made = pages(classroom, results)
    assert set(made) == {"report.html"} | {
        f"feedback/{student}/embeddings.html" for student in ("ada", "wei", "evil", "formula", "broken")
    }


def test_what_students_wrote_is_text(classroom: Classroom, results: TopicResults, evil: str) -> None:
    for name, text in pages(classroom, results).items():
        page = Page(text)
        assert not [tag for tag, _ in page.tags if tag in ("img", "iframe", "object", "link", "base")], name
        assert [tag for tag, _ in page.tags].count("script") == (name == "report.html"), name
        assert not [key for _, attributes in page.tags for key in attributes if key.startswith("on")], name
    assert evil in Page(pages(classroom, results)["report.html"]).text


def test_what_speaks_of_checks_is_for_the_instructor(classroom: Classroom, results: TopicResults) -> None:
    made = pages(classroom, results)
    assert "for the instructor: a check" in Page(made["report.html"]).text
    assert "for the instructor" not in made["feedback/evil/embeddings.html"]


def test_pages_may_load_nothing(classroom: Classroom, results: TopicResults) -> None:
    for name, text in pages(classroom, results).items():
        page = Page(text)
        policies = [
            attributes["content"]
            for _, attributes in page.tags
            if attributes.get("http-equiv") == "Content-Security-Policy"
        ]
        assert len(policies) == 1, name
        assert policies[0].startswith("default-src 'none'; style-src 'sha256-"), name
        assert "unsafe" not in policies[0]
        loading = [
            value
            for _, attributes in page.tags
            for key, value in attributes.items()
            if key in ("src", "srcset")
        ]
        assert not loading, name
        assert "url(" not in text
        assert "@import" not in text
        assert not [attributes for _, attributes in page.tags if "style" in attributes], (
            "the policy forbids these"
        )


def test_feedback_has_one_hint_an_exercise_and_no_check(
    classroom: Classroom, results: TopicResults, assignment: Assignment
) -> None:
    text = pages(classroom, results)["feedback/wei/embeddings.html"]
    assert text.count("A hint.") == len(assignment.exercises)
    for checks in assignment.checks.values():
        for check in checks:
            assert check.id not in text
    assert "2.5" in text
    assert "Your teacher:" in text
    shown = Page(text).text
    assert shown.count("(not tried)") > 3
    assert "$" not in shown
    assert "✓" in shown
    assert "✗" in shown


def test_a_failed_submission_is_told_why(classroom: Classroom, results: TopicResults) -> None:
    text = Page(pages(classroom, results)["feedback/broken/embeddings.html"]).text
    assert "could not be graded" in text
    assert "the file is not a notebook" in text
    assert "✗" not in text


def test_most_missed_counts_only_what_was_tried(results: TopicResults, assignment: Assignment) -> None:
    exercise = assignment.exercises[0]
    missed = {each.check: each for each in most_missed(results) if each.exercise == f"1. {exercise.title}"}
    first, second = (check.id for check in assignment.checks[exercise.id][:2])
    assert (missed[first].failed, missed[first].tried) == (1, 4)
    assert (missed[second].failed, missed[second].tried, missed[second].not_tried) == (1, 3, 1)
    assert missed[first].hint


def test_who_attempted_nothing_missed_nothing(results: TopicResults) -> None:
    blank = [
        replace(
            work,
            exercises=tuple(
                replace(each, result=replace(each.result, status="missing")) for each in work.exercises
            ),
        )
        for work in results.submissions
    ]
    assert most_missed(results)
    assert most_missed(replace(results, submissions=tuple(blank))) == []


def test_a_histogram_counts_everybody_once() -> None:
    drawn = histogram("e", "E", [0, 1.9, 2, 9.9, 10], 10)
    assert [bar.count for bar in drawn.bars] == [2, 1, 0, 0, 2]
    assert drawn.bars[0].height == 100
    assert sum(bar.count for bar in histogram("e", "E", [], 10).bars) == 0


def not_begun(work: Submission, *names: str) -> Submission:
    """The submission with these exercises, and its question, as they were handed out."""
    exercises = tuple(
        replace(
            each,
            score=0.0,
            result=replace(
                each.result,
                status="missing",
                reason=f"{NOT_BEGUN}: the answer is as it was handed out",
                score=0,
                checks=tuple(
                    replace(check, status="not tried", earned=0, hint="") for check in each.result.checks
                ),
            ),
        )
        if each.result.id in names
        else each
        for each in work.exercises
    )
    written = tuple(replace(each, answered=False, score=0.0) for each in work.written)
    return replace(work, exercises=exercises, written=written)


def feedback_of(classroom: Classroom, results: TopicResults, work: Submission) -> str:
    write_feedback(classroom, [replace(results, submissions=(work,))])
    return " ".join(
        Page(classroom.feedback(work.student, "embeddings").read_text(encoding="utf-8")).text.split()
    )


def test_the_first_line_says_what_to_mend_next(classroom: Classroom, results: TopicResults) -> None:
    ada, wei, *_ = results.submissions
    first = wei.exercises[0]
    hint = next(formulas.html(check.hint).striptags() for check in first.result.checks if check.hint)
    assert f"What to mend next: 1. {first.title}, " in feedback_of(classroom, results, wei)
    assert feedback_of(classroom, results, wei).count(hint) == 2
    everything = f"Nothing to mend: all {results.assignment.points} automatic points, and your words wait"
    assert everything in feedback_of(classroom, results, ada)
    assert "The further exercises are whole, too." in feedback_of(classroom, results, ada)

    text = feedback_of(classroom, results, not_begun(ada, "glove_loss", "analogy"))
    assert "all core exercises are whole. 6. Why two tables? is not answered." in text
    assert (
        "that remain, outside the total: 11. The loss of GloVe; 13. Analogies: adding and subtracting" in text
    )
    text = feedback_of(classroom, results, not_begun(ada, "SkipGram", "analogy"))
    assert "What to mend next: 4. The model, not begun." in text
    assert "that remain" not in text


def test_what_was_not_begun_is_one_line(classroom: Classroom, results: TopicResults) -> None:
    ada = results.submissions[0]
    names = [each.id for each in results.assignment.exercises]
    before, after = (
        feedback_of(classroom, results, ada),
        feedback_of(classroom, results, not_begun(ada, *names)),
    )
    assert after.count("not begun") == len(names) + 1
    assert "6. Why two tables? 0 / 3, not answered" in after
    assert after.count("outside the total, not begun") == sum(e.further for e in results.assignment.exercises)
    assert "(not tried)" not in after
    assert "Not graded yet" in before
    assert "Not graded yet" not in after
    assert "Each place of the text" in before
    assert "Each place of the text" not in after


def test_what_was_not_begun_is_one_line_of_the_report(results: TopicResults) -> None:
    ada = results.submissions[0]
    (notice,) = notices(replace(results, submissions=(not_begun(ada, "sgns_loss", "SkipGram", "analogy"),)))
    assert notice.lines == ("not begun: 3, 4, 6",)
    done = replace(ada, written=())
    assert notices(replace(results, submissions=(not_begun(done, "analogy"),))) == []


def test_every_page_has_the_numbers_and_the_total_of_the_notebook(
    classroom: Classroom, results: TopicResults
) -> None:
    released = read_assignment(notebook_path("embeddings", project_root()))
    numbers = {each.id: each.number for each in (*released.exercises, *released.questions)}
    assert released.total == results.assignment.total
    assert released.total in feedback_of(classroom, results, results.submissions[0])
    report = Page(pages(classroom, results)["report.html"]).text
    assert released.total in report
    table = rows(write_grades(classroom, [results]))
    for name, number in numbers.items():
        assert f"{number} {name}" in report
        assert {row["number"] for row in table if row["part"] == name} == {str(number)}
    assert {row["max"] for row in table if row["part"] == "total"} == {
        str(released.points + sum(each.points for each in released.questions))
    }


@pytest.mark.parametrize(
    ("formula", "text", "page"),
    [
        (r"\partial L / \partial n_{bk}", "∂L / ∂n_bk", "∂<i>L</i> / ∂<i>n</i><sub>bk</sub>"),
        (r"1 \le d < V - 1", "1 ≤ d < V − 1", "1 ≤ <i>d</i> &lt; <i>V</i> − 1"),
        (
            r"\min(1, \sqrt{t / f_w})",
            "min(1, √(t / f_w))",
            "min(1, √(<i>t</i> / <i>f</i><sub><i>w</i></sub>))",
        ),
        (r"\frac{x^{3/4}}{\log D}", "(x^(3/4)) / (log D)", "(<i>x</i><sup>(3/4)</sup>) / (log <i>D</i>)"),
        (r"\sigma(-s)", "σ(−s)", "<i>σ</i>(−<i>s</i>)"),
        (r"-\log p(\text{label})", "−log p(label)", "−log <i>p</i>(label)"),
        (r"x + \varepsilon", "x + ε", "<i>x</i> + <i>ε</i>"),
    ],
)
def test_a_formula_is_text(formula: str, text: str, page: str) -> None:
    sentence = f"so ${formula}$ holds"
    assert formulas.plain(sentence) == f"so {text} holds"
    assert formulas.html(sentence) == f'so <span class="formula">{page}</span> holds'
    assert formulas.unknown(sentence) == []


def test_a_formula_that_cannot_be_shown_is_named() -> None:
    assert formulas.unknown(r"a $\mathfrak{x}$ and $x_{a_{b}}$ and $x$") == [r"\mathfrak{x}"]


def test_marks_in_a_sentence_are_shown_and_the_rest_is_text() -> None:
    assert formulas.html("`a<b` is **not** $x^2$ <b>") == (
        '<code>a&lt;b</code> is <strong>not</strong> <span class="formula"><i>x</i><sup>2</sup></span> &lt;b&gt;'
    )
    assert formulas.plain("`a<b` is **not** $x$\n <b>") == "`a<b` is not x <b>"


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))


def test_grades_add_up_and_hold_no_formula(classroom: Classroom, results: TopicResults) -> None:
    table = rows(write_grades(classroom, [results]))
    totals = {row["student"]: row["score"] for row in table if row["part"] == "total"}
    points = results.assignment.points
    assert totals["ada"] == str(points)
    assert totals["new"] == ""
    counted = [row for row in table if row["student"] == "wei" and row["kind"] in ("automatic", "by hand")]
    assert float(totals["wei"]) == sum(float(row["score"] or 0) for row in counted)
    assert {row["name"] for row in table if row["student"] == "formula"} == {"'=HYPERLINK(1)"}
    assert not [cell for row in table for cell in row.values() if re.match(r"[=+@\t\r]", cell)]


def test_what_canvas_and_moodle_import(classroom: Classroom, results: TopicResults) -> None:
    (canvas,) = write_platform(classroom, [results], "canvas")
    table = {row["ID"]: row for row in rows(canvas)}
    assert set(table) == {"", "11", "12", "13"}
    assert table[""]["Word vectors"] == f"{results.maximum:g}"
    assert table["11"]["Word vectors"] == str(results.assignment.points)
    (moodle,) = write_platform(classroom, [results], "moodle")
    assert {row["Identifier"] for row in rows(moodle)} == {
        "Participant 11",
        "Participant 12",
        "Participant 13",
    }


def test_without_numbers_there_is_nothing_to_import(classroom: Classroom, results: TopicResults) -> None:
    nobody = replace(results, submissions=tuple(replace(work, lms="") for work in results.submissions))
    with pytest.raises(CourseError, match="canvas number"):
        write_platform(classroom, [nobody], "canvas")
