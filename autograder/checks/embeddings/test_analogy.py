"""Hidden checks of `analogy`: the target, how words are ranked, which are left out; then wrapping and side effects.

Each check hides what the others look for: rows of equal length hide every missing scaling, a planted answer beats the
words of the question, and where these are in the way they are taken out of the student's answer first.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.embeddings import analogies as reference

VOCABULARY_SIZE, DIMENSION = 17, 7
Question = tuple[Tensor, int, int, int]
"""A table (V, D) and three word numbers."""


def cosines(table: Tensor, a: int, b: int, c: int) -> Tensor:
    """(V,) similarity of every word to the target of the question, those of the question among them."""
    unit = F.normalize(table, dim=-1)
    return F.cosine_similarity(unit, unit[b] - unit[a] + unit[c], dim=-1)


def clear(table: Tensor, a: int, b: int, c: int) -> bool:
    """No two words outside the question are so equally similar that rounding could change their order."""
    others = [word for word in range(VOCABULARY_SIZE) if word not in (a, b, c)]
    return bool(cosines(table, a, b, c)[others].sort().values.diff().min() > 1e-4)


def draw_words(rng: torch.Generator, count: int) -> list[int]:
    """`count` different word numbers."""
    return torch.randperm(VOCABULARY_SIZE, generator=rng)[:count].tolist()


def draw_question(rng: torch.Generator) -> Question:
    """Rows of length 1.5 without any order, and three different words."""
    while True:
        table = 1.5 * F.normalize(torch.randn(VOCABULARY_SIZE, DIMENSION, generator=rng), dim=-1)
        a, b, c = draw_words(rng, 3)
        if clear(table, a, b, c):
            return table, a, b, c


def draw_planted(rng: torch.Generator) -> Question:
    """A question whose answer is nearer to the target than every other word, those of the question too."""
    while True:
        table, a, b, c = draw_question(rng)
        answer = next(word for word in draw_words(rng, 4) if word not in (a, b, c))
        target = F.normalize(table[b] - table[a] + table[c], dim=-1)
        row = target + 0.3 * F.normalize(torch.randn(DIMENSION, generator=rng), dim=-1)
        table[answer] = 1.5 * F.normalize(row, dim=-1)
        similarity = cosines(table, a, b, c)
        best, second = similarity.topk(2).values
        if similarity.argmax() == answer and best - second > 0.02 and clear(table, a, b, c):
            return table, a, b, c


def numbers(answer: object) -> list[int]:
    """Whole numbers in any wrapping (a list, an array, a tensor, a single one) as a list of Python's."""
    values = torch.as_tensor(answer)
    assert not values.is_floating_point()
    return values.flatten().tolist()


def assert_begins(found: list[int], ranking: list[int]) -> None:
    """The student's words are the first of the reference's; how many there are is left to `test_order`."""
    assert found
    assert found == ranking[: len(found)]


def assert_others(student, table: Tensor, a: int, b: int, c: int, k: int) -> None:
    """The student's `k` words, those of the question taken out, are the first of the reference's ranking.

    How many there are is left to `test_order`; words of the question alone would rank nothing.
    """
    answer = numbers(student.analogy(table, a, b, c, k))
    ranking = reference.analogy(table, a, b, c, VOCABULARY_SIZE - 3)
    others = [word for word in answer if word not in (a, b, c)]
    assert others
    assert others == ranking[: len(others)]


@check(points=1, requires=("analogy-1", "analogy-2"))
def test_best_word(student, rng):
    """Not the best word, even where all rows have the same length and no word of the question is in the way.
    Which of the three vectors is subtracted, and does the highest similarity win?"""
    for _ in range(6):
        question = draw_planted(rng)
        assert numbers(student.analogy(*question, 1))[:1] == reference.analogy(*question, 1)


@check(points=1, requires=("analogy-2", "analogy-5"), after="test_best_word")
def test_order(student, rng):
    """The best word is right, those after it are not: `k` words are asked for, one when nothing is said, and they
    come best first."""
    for k in (5, 9, VOCABULARY_SIZE - 3):
        question = draw_question(rng)
        assert_others(student, *question, k)
        assert len(numbers(student.analogy(*question, k))) == k
    for _ in range(3):
        question = draw_planted(rng)
        assert numbers(student.analogy(*question)) == reference.analogy(*question)


@check(points=1, requires="analogy-1", after="test_best_word")
def test_scaled_before_adding(student, rng):
    """With rows of one length the target is right; when those of the question have different lengths, it is not:
    a long vector must not count more in the sum, so scale the vectors before you add them."""
    for _ in range(5):
        table, a, b, c = draw_question(rng)
        for word, length in zip((a, b, c), (0.2, 1.0, 4.0), strict=True):
            table[word] *= length
        assert_others(student, table, a, b, c, 9)


@check(points=1, requires="analogy-2", after="test_best_word")
def test_ranked_by_angle(student, rng):
    """When the candidates have different lengths, the ranking changes: cosine similarity compares directions, a dot
    product or a distance does not."""
    for _ in range(5):
        table, a, b, c = draw_question(rng)
        lengths = torch.randn(VOCABULARY_SIZE, 1, generator=rng).exp()
        lengths[[a, b, c]] = 1.0
        assert_others(student, table * lengths, a, b, c, 9)


@check(points=1, requires="analogy-3", after="test_best_word")
def test_start_left_out(student, rng):
    """The word from which the step starts, `c`, is its own answer. It is nearly always the nearest to the target, so
    it must be left out."""
    for _ in range(4):
        while True:
            table, a, b, c = draw_question(rng)
            first, second = cosines(table, a, b, c).argsort(descending=True)[:2].tolist()
            if first == c and second not in (a, b):
                break
        assert numbers(student.analogy(table, a, b, c, 1))[:1] == reference.analogy(table, a, b, c, 1)


@check(points=1, requires="analogy-3", after="test_start_left_out")
def test_all_three_left_out(student, rng):
    """`c` is left out, but `a` or `b` is among the answers: all three words of the question are, wherever they
    stand."""
    for k in (4, VOCABULARY_SIZE - 3):
        while True:
            table, a, b, c = draw_question(rng)
            others = torch.randn(2, DIMENSION, generator=rng)
            table[[b, c]] = 1.5 * F.normalize(table[a] / 1.5 + 0.8 * F.normalize(others, dim=-1), dim=-1)
            ahead = set(cosines(table, a, b, c).argsort(descending=True)[:4].tolist())
            if {a, b, c} <= ahead and clear(table, a, b, c):
                break
        assert_begins(numbers(student.analogy(table, a, b, c, k)), reference.analogy(table, a, b, c, k))


@check(points=1, requires="analogy-4", after="test_all_three_left_out")
def test_left_out_by_number(student, rng):
    """Wrong when two of the words are the same, or when another word has the vector of one of them: leave out the
    numbers `a`, `b` and `c`, not three places of the ranking and not all equal vectors."""
    for repeats in ((0, 1, 0), (0, 1, 1), (0, 0, 1), (0, 0, 0)):
        while True:
            table, *words = draw_question(rng)
            a, b, c = (words[each] for each in repeats)
            if clear(table, a, b, c):
                break
        for k in (1, VOCABULARY_SIZE - 3):
            assert_begins(numbers(student.analogy(table, a, b, c, k)), reference.analogy(table, a, b, c, k))
    for _ in range(3):
        while True:
            table, a, b, c = draw_question(rng)
            twin = next(word for word in draw_words(rng, 4) if word not in (a, b, c))
            table[twin] = table[c]
            if clear(table, a, b, c):
                break
        assert_begins(numbers(student.analogy(table, a, b, c, 3)), reference.analogy(table, a, b, c, 3))


@check(points=1, requires=("analogy-5", "analogy-6"), after="test_best_word")
def test_list_and_table(student, rng):
    """The right words in the wrong wrapping (a tensor, an array, a single number, a list of tensors), or a table that
    was changed on the way: divide a copy by the lengths, and put no word out of the running in the table."""
    for _ in range(3):
        table, a, b, c = draw_planted(rng)
        answer, after = student.probe(table_after_the_call, table, a, b, c)
        assert isinstance(answer, list)
        assert all(type(word) is int for word in answer)
        assert answer == reference.analogy(table, a, b, c, 1)
        assert_same(after, table, relative=0, absolute=0)


def table_after_the_call(student, table, a, b, c):
    """Runs beside the student's code: the answer, and what the caller's own table holds afterwards."""
    answer = student.analogy(table, a, b, c, 1)
    return answer, table
