"""What a grading run says of itself while it goes on, and of the scores at its end."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from autograder.classroom.grade import Outcome
from autograder.classroom.progress import GradingProgress
from autograder.classroom.results import TopicResults
from autograder.classroom.summary import scores


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def progress(total: int, *, terminal: bool = False) -> tuple[GradingProgress, Clock, io.StringIO]:
    clock, shown = Clock(), io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=150, soft_wrap=True)
    return GradingProgress("rnn", total, console=console, clock=clock), clock, shown


def test_without_a_terminal_there_is_a_line_every_ten_seconds() -> None:
    made, clock, shown = progress(100)
    with made:
        for _ in range(20):
            made.keep()
        for second in range(1, 41):
            clock.now = float(second)
            made.add(failed=second == 5)
    lines = shown.getvalue().splitlines()
    assert lines[0] == "grading rnn: 30 of 100 done, 60 submissions/min, 1 min left, 1 failed"
    assert len(lines) == 4
    assert lines[-1].startswith("grading rnn: 60 of 100 done, 60 submissions/min, 40 s left")


def test_on_a_terminal_the_line_is_live() -> None:
    made, clock, shown = progress(4, terminal=True)
    with made:
        clock.now = 30.0
        made.add(failed=False)
    assert "2 submissions/min, 2 min left, 0 failed" in shown.getvalue()
    assert "1/4" in shown.getvalue()


def test_nothing_to_grade_has_no_rate() -> None:
    made, _, _ = progress(1)
    with made:
        made.keep()
        assert made.pace == "0 failed"


def outcome(results: TopicResults, count: int) -> Outcome:
    """Records of the class of `results`, again and again."""
    records = [each.record for each in results.submissions if each.record]
    many = [replace(records[place % len(records)], student=f"s{place}") for place in range(count)]
    return Outcome("embeddings", "1", results.assignment, many)


def printed(found: Outcome, width: int = 150) -> str:
    shown = io.StringIO()
    Console(file=shown, width=width).print(scores(found))
    return shown.getvalue()


@pytest.mark.parametrize("count", [1, 40])
def test_a_small_class_is_a_table(results: TopicResults, count: int) -> None:
    text = printed(outcome(results, count))
    assert all(f"{each.number}={each.id}" in text for each in results.assignment.exercises)
    assert results.assignment.total in text
    assert sum(line.startswith("s") for line in text.splitlines()) >= count


def test_every_column_can_be_read_at_80_characters(results: TopicResults) -> None:
    lines = printed(outcome(results, 6), width=80).splitlines()
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    assert lines[1].split() == [*(str(each.number) for each in results.assignment.exercises), "automatic"]
    (row,) = (line for line in lines if line.startswith("s0 "))
    record = results.submissions[0].record
    assert row.split()[1:14] == [*(str(each.score) for each in record.exercises), str(record.score)]


def test_a_large_class_is_a_line(results: TopicResults) -> None:
    found = outcome(results, 41)
    totals = sorted(record.score for record in found.records)
    text = printed(found)
    assert f"lowest {totals[0]}, lower quartile {totals[10]}, median {totals[20]}" in text
    assert len(text.splitlines()) == 1
    assert printed(Outcome("rnn", "1", results.assignment)) == "rnn: no submissions\n"
