"""The records of known answers, mutants and seeds hold for the code as it is; a sample is graded again."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.authoring.command import manuscripts
from autograder.proof import mutants, variants
from autograder.proof.keys import checks_key
from autograder.proof.local import assignment_of, grade_locally
from autograder.sandbox.layers import layers
from nlpcourse.paths import project_root
from nlpcourse.topics import topics

TOPICS = manuscripts(project_root())
SAMPLE = (
    ("embeddings", "sgns_loss", "where_against_overflow"),
    ("embeddings", "SkipGram", "NormalisesTheTables"),
    ("embeddings", "train_skipgram", "data_loader"),
)


def record_of(kind: str, topic: str) -> dict:
    path = project_root() / "records" / kind / f"{topic}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


@pytest.mark.parametrize("topic", TOPICS)
def test_known_answers_were_judged_as_they_should_be(topic: str) -> None:
    assert variants.problems(assignment_of(topic), record_of("variants", topic)) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_mutants_were_found_out_and_no_right_answer_failed(topic: str) -> None:
    assert mutants.problems(assignment_of(topic), record_of("mutants", topic)) == []


@pytest.mark.slow
@pytest.mark.skipif(
    not any(layer.live and layer.covers == "network" for layer in layers()), reason="no sandbox here"
)
@pytest.mark.parametrize(("topic", "exercise", "name"), SAMPLE)
def test_a_sample_is_graded_as_recorded(topic: str, exercise: str, name: str) -> None:
    (case,) = [
        case
        for case in variants.cases(assignment_of(topic))
        if (case.exercise, case.name) == (exercise, name)
    ]
    assert (
        variants.grade(topic, case) == record_of("variants", topic)["exercises"][exercise]["variants"][name]
    )


@pytest.fixture
def assignment() -> Assignment:
    return assignment_of("embeddings")


def damaged(kind: str, change) -> list[str]:
    """The problems of the committed record after `change` was made to it."""
    record = record_of(kind, "embeddings")
    change(record["exercises"]["sgns_loss"])
    judge = variants.problems if kind == "variants" else mutants.problems
    return judge(assignment_of("embeddings"), record)


def set_in(name: str, **values):
    return lambda held: held["variants"][name].update(values)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda held: held.update(checks="another"), "no outcome that still holds"),
        (lambda held: held.update(reference="another"), "no outcome that still holds"),
        (lambda held: held.update(grader="another"), "no outcome that still holds"),
        (lambda held: held["variants"].pop("loops"), "loops has no outcome"),
        (set_in("loops", key="another"), "loops has no outcome"),
        (set_in("loops", score=1), "right loops got 1 of"),
        (set_in("reference", score=1), "reference reference got 1 of"),
        (set_in("stub", score=1), "stub stub got 1 points for nothing"),
        (set_in("zero", score=1), "cheat zero got 1 points for nothing"),
        (set_in("sum_over_the_batch", failed=[]), "failed nothing, expected test_batch_is_averaged"),
        (
            lambda held: [each.update(visible=False) for each in held["variants"].values()],
            "only 0 wrong variants pass",
        ),
        (
            lambda held: [each.update({"looks right": False}) for each in held["variants"].values()],
            "wrong variants look right",
        ),
    ],
)
def test_a_record_of_known_answers_that_does_not_hold_is_told(change, sentence: str) -> None:
    assert any(sentence in found for found in damaged("variants", change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda held: held["mutants"]["basis"].update(checks="another"), "mutants changed"),
        (lambda held: held["mutants"].update(killed=20), "mutants killed"),
        (lambda held: held["mutants"].update(equivalent=dict.fromkeys("abc", "")), "called equivalent"),
        (lambda held: held["mutants"].update({"not equivalent": {"a": 3}}), "yet differs on input 3"),
        (lambda held: held["mutants"].update(inputs=999), "compared on 999 inputs"),
        (lambda held: held["seeds"]["loops"].update(failed=[7]), "loops, which is right, failed with seeds"),
        (lambda held: held["seeds"]["loops"].update(count=499), "loops was not run on 500 seeds"),
        (
            lambda held: held["seeds"]["loops"]["basis"].update(key="another"),
            "loops was not run on 500 seeds",
        ),
        (lambda held: held["seeds"].pop("loops"), "loops was not run on 500 seeds"),
    ],
)
def test_a_record_of_mutants_that_does_not_hold_is_told(change, sentence: str) -> None:
    assert any(sentence in found for found in damaged("mutants", change))


def test_a_record_depends_on_every_helper_of_its_checks(assignment: Assignment, tmp_path: Path) -> None:
    folder = tmp_path / "autograder" / "checks"
    (folder / "bert").mkdir(parents=True)
    texts = {
        "comparing.py": "A = 1",
        "modules.py": "from autograder.checks.comparing import A",
        "bert/layers.py": "from autograder.checks.modules import A",
        "bert/test_f.py": "from autograder.checks.bert.layers import A",
        "bert/test_g.py": "from autograder.checks import check",
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    elsewhere = replace(assignment, root=tmp_path, topic="bert")
    before = checks_key(elsewhere, "f")
    for name, text in texts.items():
        (folder / name).write_text(f"{text}\nB = 2", encoding="utf-8")
        assert (checks_key(elsewhere, "f") == before) is (name == "bert/test_g.py")
        (folder / name).write_text(text, encoding="utf-8")


def test_an_update_keeps_what_holds_and_drops_what_does_not(assignment: Assignment) -> None:
    record = record_of("variants", "embeddings")
    record["exercises"]["sgns_loss"]["variants"]["gone"] = {"key": "x"}
    record["exercises"]["SkipGram"]["checks"] = "another"
    after = variants.updated(assignment, record, {})
    assert "gone" not in after["exercises"]["sgns_loss"]["variants"]
    assert "loops" in after["exercises"]["sgns_loss"]["variants"]
    assert after["exercises"]["SkipGram"]["variants"] == {}


def test_a_mutant_that_lives_is_told_from_one_that_is_killed(assignment: Assignment) -> None:
    right = (
        "def sgns_loss(center, context, negatives):\n"
        "    scores = torch.einsum('bd,bkd->bk', center, negatives)\n"
        "    return (F.softplus(-(center * context).sum(-1)) + F.softplus(scores).sum(-1)).mean()"
    )
    assert not mutants.killed("embeddings", "sgns_loss", right)
    assert mutants.killed("embeddings", "sgns_loss", right.replace(".mean()", ".sum()"))
    assert mutants.killed("embeddings", "sgns_loss", "1 / 0")
    assert mutants.killed("embeddings", "sgns_loss", "import os\nos._exit(0)")


def test_an_endless_mutant_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograder.proof import local

    monkeypatch.setattr(local, "CPU_SECONDS", 1)
    outcome = grade_locally("embeddings", "sgns_loss", "def sgns_loss(*args):\n    while True: pass", 1)
    assert outcome.died


def test_every_record_is_of_a_topic_and_those_of_ready_ones_are_held() -> None:
    """A topic that is not ready may have records while they are made."""
    recorded = {file.stem for file in (project_root() / "records" / "variants").glob("*.json")}
    assert recorded <= {each.name for each in topics()}
    assert {each.name for each in topics() if each.ready and each.name in recorded} == set(TOPICS)
