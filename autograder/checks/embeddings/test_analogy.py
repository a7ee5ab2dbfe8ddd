"""Hidden checks of `analogy`: how words are ranked, the target, which are left out; then wrapping and side effects.

Each check hides what the others look for: rows of equal length hide every missing scaling, and where it does not matter
how the words of the question are left out, they are the nearest and are taken out of the student's answer first.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.embeddings.asking import ask_each
from solutions.embeddings import analogies as reference

VOCABULARY_SIZE, DIMENSION = 17, 7
Question = tuple[Tensor, int, int, int]
"""A table (V, D) and three word numbers."""


def cosines(table: Tensor, a: int, b: int, c: int) -> Tensor:
    """(V,) similarity of every word to the target of the question, those of the question among them."""
    unit = F.normalize(table, dim=-1)
    return unit @ F.normalize(unit[b] - unit[a] + unit[c], dim=-1)


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


def draw_close(rng: torch.Generator) -> Question:
    """A question whose three words are nearer to its target than all others, so that it does not matter here how they
    are left out."""
    while True:
        table, a, b, c = draw_question(rng)
        others = torch.randn(2, DIMENSION, generator=rng)
        table[[b, c]] = 1.5 * F.normalize(table[a] / 1.5 + 0.6 * F.normalize(others, dim=-1), dim=-1)
        nearest = cosines(table, a, b, c).argsort(descending=True)[:3].tolist()
        if set(nearest) == {a, b, c} and clear(table, a, b, c):
            return table, a, b, c


def draw_opposite(rng: torch.Generator) -> Question:
    """A question with a long target, as `b` and `c` lie near each other and `a` opposite. Five more words lie
    opposite to the target: their dot products with it are below -2."""
    while True:
        table, a, b, c = draw_question(rng)
        target = F.normalize(table[b], dim=-1)
        far = [word for word in draw_words(rng, 8) if word not in (a, b, c)][:5]
        for words, direction in (((b, c), target), ((a, *far), -target)):
            noise = F.normalize(torch.randn(len(words), DIMENSION, generator=rng), dim=-1)
            table[list(words)] = 1.5 * F.normalize(direction + 0.3 * noise, dim=-1)
        if clear(table, a, b, c):
            return table, a, b, c


def numbers(answer: object) -> list[int]:
    """Whole numbers in any wrapping (a list, an array, a tensor, a single one) as a list of Python's."""
    values = torch.as_tensor(answer)
    assert not values.is_floating_point()
    return values.flatten().tolist()


def assert_begins(found: list[int], ranking: list[int]) -> None:
    """The student's words are the first of the reference's; how many there are is another check's matter."""
    assert found
    assert found == ranking[: len(found)]


def assert_others(answer: object, table: Tensor, a: int, b: int, c: int, k: int) -> None:
    """The student's `k` words, those of the question taken out, are the first of the reference's ranking.

    How many there are is left to `test_number_of_answers`; words of the question alone would rank nothing.
    """
    ranking = reference.analogy(table, a, b, c, VOCABULARY_SIZE - 3)
    others = [word for word in numbers(answer) if word not in (a, b, c)]
    assert others or k < 4  # so few may all be the words of the question, left in
    assert others == ranking[: len(others)]


def assert_each(student, questions: list[tuple]) -> None:
    """`assert_others` of each of these questions, all with a `k`."""
    for answer, question in zip(ask_each(student, "analogy", questions), questions, strict=True):
        assert_others(answer, *question)


@check(points=0, requires="analogy-2")
def test_ranking(student, rng):
    """Even where the target can be nothing but the vector that all three words of the question share, and all rows have
    the same length, the words after them are not the nearest. Does the highest similarity come first?"""
    questions = []
    for k in (5, 9, 7):
        while True:
            table, a, b, c = draw_question(rng)
            table[[a, b]] = table[c].clone()
            if clear(table, a, b, c):
                break
        questions.append((table, a, b, c, k))
    assert_each(student, questions)


@check(points=1, requires="analogy-1", after="test_ranking")
def test_target(student, rng):
    """Words are ranked rightly by their nearness to a vector, and it is the wrong vector. Which of the three is
    subtracted, and which two are added?"""
    assert_each(student, [(*draw_close(rng), 9) for _ in range(4)])


@check(points=1, requires="analogy-5", after="test_target")
def test_number_of_answers(student, rng):
    """The answer has more or fewer words than were asked for: `k` of them, and one when nothing is said."""
    for k in (5, 9, VOCABULARY_SIZE - 3):
        question = draw_close(rng)
        answer = student.analogy(*question, k)
        assert len(numbers(answer)) == len(reference.analogy(*question, k))
        assert_others(answer, *question, k)
    for _ in range(2):
        question = draw_close(rng)
        assert len(numbers(student.analogy(*question))) == len(reference.analogy(*question))


@check(points=1, requires="analogy-1", after="test_target")
def test_scaled_before_adding(student, rng):
    """With rows of one length the target is right; when those of the question have different lengths, it is not:
    a long vector must not count more in the sum, so scale the vectors before you add them."""
    questions = [(*draw_close(rng), 9) for _ in range(4)]
    for table, a, b, c, _ in questions:
        table[[a, b, c]] *= torch.tensor([[0.2], [1.0], [4.0]])
    assert_each(student, questions)


@check(points=1, requires="analogy-2", after="test_target")
def test_ranked_by_angle(student, rng):
    """When the candidates have different lengths, the ranking changes: cosine similarity compares directions, a dot
    product or a distance does not."""
    questions = []
    for _ in range(4):
        table, a, b, c = draw_close(rng)
        lengths = 0.2 + torch.rand(VOCABULARY_SIZE, 1, generator=rng)
        lengths[[a, b, c]] = 4.0  # still the three nearest, also by a dot product
        questions.append((table * lengths, a, b, c, 9))
    assert_each(student, questions)


def assert_left_out(student, table: Tensor, a: int, b: int, c: int, k: int) -> None:
    """None of the words of the question is among the student's `k`."""
    answer = numbers(student.analogy(table, a, b, c, k))
    assert answer
    assert not {a, b, c} & set(answer)


@check(points=1, requires="analogy-3", after="test_target")
def test_start_left_out(student, rng):
    """The word from which the step starts, `c`, is its own answer. It is nearly always the nearest to the target, so
    it must be left out."""
    for _ in range(3):
        while True:
            table, a, b, c = draw_question(rng)
            # A short step away from `c`, so that the other two are far from the target: where they go is the next
            # check's matter.
            table[b] = 1.5 * F.normalize(table[a] + 0.5 * table[b], dim=-1)
            first, *next_ones = cosines(table, a, b, c).argsort(descending=True)[:6].tolist()
            if first == c and not {a, b} & set(next_ones):
                break
        assert_left_out(student, table, a, b, c, 1)


@check(points=1, requires="analogy-3", after="test_start_left_out")
def test_all_three_left_out(student, rng):
    """`c` is left out, but `a` or `b` is among the answers, or all three come back when so many words are asked for
    that some have a very low similarity. All three are left out, wherever they stand: what you put in place of their
    similarity must lie below every similarity that can come up, and a dot product with a long target can be low."""
    for k in (4, VOCABULARY_SIZE - 3):
        assert_left_out(student, *draw_close(rng), k)
        assert_left_out(student, *draw_opposite(rng), k)


@check(points=1, requires="analogy-4", after="test_all_three_left_out")
def test_left_out_by_number(student, rng):
    """Other words are left out than the three of the question, although two of them may be the same, or another word
    may have the vector of one of them: leave out the numbers `a`, `b` and `c`, not three places of the ranking and not
    all equal vectors."""
    questions: list[tuple] = []
    for repeats in ((0, 1, 2), (0, 1, 0), (0, 1, 1), (0, 0, 1), (0, 0, 0)):
        while True:
            table, *words = draw_question(rng)
            a, b, c = (words[each] for each in repeats)
            if clear(table, a, b, c):
                break
        questions += [(table, a, b, c, k) for k in (1, VOCABULARY_SIZE - 3)]
    for _ in range(3):
        while True:
            table, a, b, c = draw_question(rng)
            twin = next(word for word in draw_words(rng, 4) if word not in (a, b, c))
            table[twin] = table[c]
            if clear(table, a, b, c) and twin in reference.analogy(table, a, b, c, 3):
                break
        questions.append((table, a, b, c, 3))
    for answer, question in zip(ask_each(student, "analogy", questions), questions, strict=True):
        assert_begins(numbers(answer), reference.analogy(*question))


@check(points=1, requires="analogy-5", after="test_target")
def test_list(student, rng):
    """The right words in the wrong wrapping: a tensor, an array, a single number, or a list of tensors in place of a
    list of Python's own integers."""
    for k in (1, 5):
        question = draw_close(rng)
        answer = student.analogy(*question, k)
        assert isinstance(answer, list)
        assert all(type(word) is int for word in answer)
        assert_others(answer, *question, k)


@check(points=1, requires="analogy-6", after="test_target")
def test_table_untouched(student, rng):
    """The table was changed on the way: divide a copy by the lengths, and put no word out of the running in the
    table."""
    for _ in range(2):
        table, a, b, c = draw_close(rng)
        answer, after = student.probe(answer_and_table, table, a, b, c)
        assert_others(answer, table, a, b, c, 5)
        assert_same(after, table, relative=0, absolute=0)


def answer_and_table(student, table, a, b, c):
    """Runs beside the student's code: five words, and what the caller's own table holds after the call."""
    return student.analogy(table, a, b, c, 5), table
