"""The hidden checks of `embeddings`: what they say of answers that are partly right, and what they compare with."""

import re
from pathlib import Path

import pytest
import torch

from autograder.assignment import Assignment
from autograder.checks.comparing import assert_same
from autograder.proof.answers import reference_answers
from autograder.proof.local import grade_locally, looks_right, outline, same
from autograder.proof.variants import cases

TOPIC = "embeddings"
CASES = {(case.exercise, case.name): case for case in cases(Assignment.load(TOPIC))}


@pytest.fixture(scope="module")
def assignment() -> Assignment:
    return Assignment.load(TOPIC)


PARTS = [
    ("SkipGram", r"(?<=return )sgns_loss\(.*\)$", "None", ("test_center_start", "test_context_start")),
    (
        "SkipGram",
        r"nn\.init\..*$",
        "pass",
        ("test_pair_rows", "test_negative_rows", "test_learning", "test_tables_untouched"),
    ),
    ("train_skipgram", r"torch\.multinomial\(noise", "torch.multinomial(torch.ones_like(noise)", (
        "test_negatives_drawn_anew", "test_gradient_of_the_batch", "test_one_optimiser", "test_losses",
    )),
    ("train_skipgram", r"optimizer\.zero_grad\(\)", "pass", (
        "test_negatives_drawn_anew", "test_noise_distribution", "test_one_optimiser", "test_losses",
    )),
]  # fmt: skip


@pytest.mark.parametrize(("exercise", "right", "wrong", "earned"), PARTS)
def test_a_partly_right_answer_earns_its_part(
    assignment: Assignment, exercise: str, right: str, wrong: str, earned: tuple[str, ...]
) -> None:
    text, count = re.subn(right, wrong, reference_answers(assignment)[exercise], flags=re.MULTILINE)
    assert count
    passed = grade_locally(TOPIC, exercise, text, seed=5).passed
    assert set(earned) <= set(passed) < {check.id for check in assignment.checks[exercise]}


CONSTANTS = {
    "sgns_loss": "def sgns_loss(center, context, negatives): return {} + 0 * center.sum()",
    "train_skipgram": "def train_skipgram(model, *args, epochs, **others): return [{}] * epochs",
}


@pytest.mark.parametrize("value", ["0.0", "0.6931", "1.3863", "1.0", "float('nan')", "float('inf')"])
@pytest.mark.parametrize("exercise", CONSTANTS)
def test_a_constant_earns_nothing(exercise: str, value: str) -> None:
    assert grade_locally(TOPIC, exercise, CONSTANTS[exercise].format(value), seed=5).score == 0


@pytest.mark.parametrize("name", ["None", "'text'", "[1.0]", "torch.zeros(2, 2).to_sparse()", "1j", "len"])
def test_a_result_of_a_strange_kind_is_a_failed_check(name: str) -> None:
    source = f"def sgns_loss(center, context, negatives): return {name}"
    outcome = grade_locally(TOPIC, "sgns_loss", source, seed=5)
    assert (outcome.score, outcome.failed, outcome.died) == (0, ("test_one_number",), "")


@pytest.mark.parametrize(
    ("exercise", "name"),
    [
        ("sgns_loss", "negatives_of_the_first_pair"),
        ("SkipGram", "ClipsTheTables"),
        ("train_skipgram", "optimiser_for_every_epoch"),
    ],
)
def test_a_wrong_answer_fails_where_it_should_on_any_seed(exercise: str, name: str) -> None:
    case = CASES[exercise, name]
    assert [grade_locally(TOPIC, exercise, case.answer, seed).failed for seed in range(5)] == [case.fails] * 5


ONE_SENTENCE = [
    ("cooccurrence", "no_diagonal", "cooc-5"),
    ("cooccurrence", "text_as_a_ring", "cooc-2"),
    ("cooccurrence", "one_over_distance_plus_one", "cooc-3"),
    ("glove_loss", "zero_times_infinity", "glove-6"),
    ("glove_loss", "every_word_with_every_context", "glove-4"),
    ("info_nce", "softmax_over_dimension_zero", "nce-2"),
    ("train_skipgram", "negatives_without_replacement", "train-4"),
    ("train_skipgram", "batch_without_replacement", "train-4"),
    ("train_skipgram", "columns_swapped", "train-6"),
    ("analogy", "subtracts_the_wrong_word", "analogy-1"),
    ("analogy", "puts_them_at_minus_one", "analogy-3"),
    ("SkipGram", "BiasForEveryWord", "skipgram-1"),
    ("sgns_loss", "clamps_the_scores", "sgns-4"),
    ("noise_distribution", "no_power", "noise-1"),
    ("character_ngrams", "whole_word_first", "ngrams-5"),
]


@pytest.mark.parametrize(("exercise", "name", "sentence"), ONE_SENTENCE)
def test_one_mistake_breaks_one_sentence(
    assignment: Assignment, exercise: str, name: str, sentence: str
) -> None:
    failed = grade_locally(TOPIC, exercise, CASES[exercise, name].answer, seed=5).failed
    broken = {each for check in assignment.checks[exercise] if check.id in failed for each in check.requires}
    assert broken == {sentence}


def test_a_stand_in_lets_an_exercise_stand_alone(assignment: Assignment) -> None:
    from autograder.grading.session import CheckSession
    from autograder.proof.answers import setup
    from autograder.wall.local import local_student

    session = CheckSession(assignment.root / "autograder" / "checks" / TOPIC)
    broken = "def sgns_loss(*args): raise NotImplementedError()\n"
    text = reference_answers(assignment)["SkipGram"]
    with local_student(f"{setup(assignment)}\n{broken}\n{text}") as student:
        needs = {"sgns_loss": "nlpcourse.standins.embeddings:sgns_loss"}
        outcomes = session.run("SkipGram", student, lambda check: 3, needs)
    assert [outcome.id for outcome in outcomes if not outcome.passed] == []


def test_assert_same_takes_any_width_and_no_other_kind() -> None:
    value = torch.tensor([1.0, 2.0])
    assert_same(value.double(), value)
    assert_same(value + 1e-6, value)
    for other in (value + 1e-2, value.long(), value.view(1, 2), [1.0, 2.0], None, value * torch.nan):
        with pytest.raises(AssertionError):
            assert_same(other, value)


def test_same_sees_every_difference() -> None:
    value = (torch.arange(3.0), {"a": [1, 2.0, True]})
    assert same(value, (torch.arange(3.0), {"a": [1, 2.0, True]}))
    for other in (
        (torch.arange(3.0) + 1e-3, value[1]),
        (torch.arange(4.0), value[1]),
        (value[0], {"a": [1, 2.1, True]}),
        (value[0], {"a": [1, 2.0, False]}),
        (value[0], {"b": [1, 2.0, True]}),
        (value[0], {"a": [1, 2.0]}),
        [value[0], value[1]],
    ):
        assert not same(value, other)


def test_outline_keeps_kinds_and_shapes_only() -> None:
    assert outline([torch.zeros(2, 3)]) == outline([torch.ones(2, 3)])
    assert outline([torch.zeros(2, 3)]) != outline([torch.zeros(3, 2)])
    assert outline([torch.zeros(2)]) != outline([torch.zeros(2, dtype=torch.long)])
    assert outline((1,)) != outline([1])


def test_looks_right_means_kinds_and_shapes() -> None:
    assert looks_right(TOPIC, "sgns_loss", CASES["sgns_loss", "no_minus_for_negatives"].answer)
    assert not looks_right(TOPIC, "sgns_loss", CASES["sgns_loss", "its_own_input"].answer)


def test_variants_are_read_as_text(tmp_path: Path) -> None:
    from autograder.checks.variants import read_variants
    from nlpcourse.errors import CourseError

    text = (
        "import nothing_that_exists\n"
        "def helper(x):\n    return x\n\n"
        "def unused(x):\n    return x\n\n"
        "@wrong(thinking='so it seems', fails=('test_a',))\n"
        "def one_way(x):\n    return helper(x)\n"
    )
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "f.py").write_text(text, encoding="utf-8")
    (tmp_path / "test_f.py").write_text("raise SystemExit", encoding="utf-8")
    (variant,) = read_variants(tmp_path)
    assert (variant.name, variant.exercise, variant.kind, variant.fails) == (
        "one_way",
        "f",
        "wrong",
        ("test_a",),
    )
    assert variant.source.startswith("def helper(x)")
    assert "def f(x):\n    return helper(x)" in variant.source
    assert "unused" not in variant.source
    (tmp_path / "known" / "f.py").write_text(text + text, encoding="utf-8")
    with pytest.raises(CourseError, match="two variants"):
        read_variants(tmp_path)


def test_words_of_the_question_alone_rank_nothing() -> None:
    """Taken out of the answer, as they are where they are in the way, they leave nothing to be compared."""
    answer = (
        "def analogy(table, a, b, c, k=1):\n    if k > 1: return [c]\n"
        "    scores = table @ (table[b] - table[a] + table[c])\n    scores[[a, b, c]] = -1e9\n"
        "    return scores.topk(k).indices.tolist()"
    )
    assert "test_ranking" in grade_locally(TOPIC, "analogy", answer, seed=3).failed
