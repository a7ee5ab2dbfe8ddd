"""A record survives the way to disk and back, and nothing else is taken for one."""

import json

import pytest

from autograder.grading.record import CheckResult, ExerciseResult, Hashes, Manual, Record
from nlpcourse.errors import CourseError


def record(**changes):
    checks = (
        CheckResult("test_a", "passed", 2, earned=2, requires=("x-1",)),
        CheckResult("test_b", "failed", 3, hint="Look at the sign."),
    )
    fields = {
        "student": "张三",
        "assignment": "embeddings",
        "status": "graded",
        "reason": "",
        "score": 2,
        "max": 5,
        "late": False,
        "flags": ("a flag",),
        "manual": Manual(None, 4),
        "exercises": (
            ExerciseResult("f", "ok", "", 2, 5, checks),
            ExerciseResult(
                "g", "ok", "", 1, 1, (CheckResult("test_c", "passed", 1, earned=1),), further=True
            ),
        ),
        "hashes": Hashes("a" * 64, "b" * 64, "0.1.0"),
        "limits": {"cpu_seconds_cell": 30},
        "seeds": {"f/test_a": 7},
        "sandbox": ("namespaces",),
    }
    return Record(**{**fields, **changes})


def test_there_and_back_is_the_same_record_and_text():
    text = record().to_json()
    assert Record.from_json(text) == record()
    assert Record.from_json(text).to_json() == text


def test_the_object_of_the_contract():
    content = json.loads(record().to_json())
    assert {
        "student",
        "status",
        "reason",
        "score",
        "max",
        "late",
        "flags",
        "manual",
        "exercises",
    } <= content.keys()
    assert content["manual"] == {"score": None, "max": 4}
    exercise = content["exercises"][0]
    assert {"id", "status", "reason", "score", "max", "checks"} <= exercise.keys()
    assert {"id", "status", "points", "hint"} <= exercise["checks"][0].keys()


def test_further_exercises_stay_outside_the_total():
    with pytest.raises(ValueError, match="score is 3"):
        record(score=3)


def changed(path, value):
    content = record().as_dict()
    target = content
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return json.dumps(content)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '{"student": "x"}',
        record().to_json()[:-40],
        "[" * 100_000,
        changed(["score"], 5),
        changed(["score"], 2.0),
        changed(["max"], 4),
        changed(["status"], "perfect"),
        changed(["exercises", 0, "score"], 5),
        changed(["exercises", 0, "checks", 1, "earned"], 3),
        changed(["exercises", 0, "checks", 0, "status"], "failed"),
        changed(["exercises", 0, "extra"], 1),
        changed(["student"], 3),
    ],
)
def test_what_is_no_whole_consistent_record_is_refused(text):
    with pytest.raises(CourseError, match="grade again"):
        Record.from_json(text)
