"""Hidden checks of `SkipGram`: which table is read, how it starts, how it learns, and what its neighbours
are.

The model is given a state drawn here, so its values, gradients and neighbours have one right answer each.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.embeddings import skipgram as reference

VOCABULARY_SIZE, DIMENSION, BATCH, NEGATIVES = 13, 7, 9, 3
CENTER, CONTEXT = "center_vectors.weight", "context_vectors.weight"


def draw_state(rng: torch.Generator) -> dict[str, Tensor]:
    """Two unlike tables whose dot products have spread one."""
    return {
        name: torch.randn(VOCABULARY_SIZE, DIMENSION, generator=rng) * DIMENSION**-0.25
        for name in (CENTER, CONTEXT)
    }


def draw_words(rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """(B,) centers, (B,) contexts, (B, K) negatives: numbers of any words, some more than once."""
    centers, contexts = torch.randint(VOCABULARY_SIZE, (2, BATCH), generator=rng)
    return centers, contexts, torch.randint(VOCABULARY_SIZE, (BATCH, NEGATIVES), generator=rng)


def make_models(student, state: dict[str, Tensor]) -> tuple:
    """The student's model and the reference's, both holding `state`."""
    theirs = student.SkipGram(vocabulary_size=VOCABULARY_SIZE, dimension=DIMENSION)
    theirs.load_state(state)
    ours = reference.SkipGram(vocabulary_size=VOCABULARY_SIZE, dimension=DIMENSION)
    ours.load_state_dict(state)
    return theirs, ours


def draw_table(rng: torch.Generator, *, stretch: bool) -> Tensor:
    """(V, D) center vectors in which no two words are equally like a third, nor opposite lengths misleading.

    Args:
        rng: source of randomness.
        stretch: give the rows lengths of their own; otherwise all have the same.
    """
    others = ~torch.eye(VOCABULARY_SIZE, dtype=torch.bool)
    while True:
        directions = F.normalize(torch.randn(VOCABULARY_SIZE, DIMENSION, generator=rng), dim=-1)
        similarity = (directions @ directions.T)[others].view(VOCABULARY_SIZE, VOCABULARY_SIZE - 1)
        if similarity.sort().values.diff().min() > 1e-4:  # beyond float32 rounding, whatever the method
            lengths = torch.randn(VOCABULARY_SIZE, 1, generator=rng).exp() if stretch else 1.5
            return directions * lengths


@check(points=1, requires="skipgram-3")
def test_pair_rows(student, rng):
    """The vectors of a pair are read from the wrong place: the center word's from `center_vectors`, the
    context word's from `context_vectors`, and both go to `sgns_loss` in the order of its arguments."""
    for _ in range(3):
        state = draw_state(rng)
        order = torch.randperm(VOCABULARY_SIZE, generator=rng)
        words, noise_words = order[:-5], order[-5:]
        state[CONTEXT][noise_words] = state[CENTER][noise_words]  # either table serves for these
        centers, contexts = words[torch.randint(len(words), (2, BATCH), generator=rng)]
        negatives = noise_words[torch.randint(len(noise_words), (BATCH, NEGATIVES), generator=rng)]
        theirs, ours = make_models(student, state)
        assert_same(theirs(centers, contexts, negatives), ours(centers, contexts, negatives))


@check(points=1, requires="skipgram-3", after="test_pair_rows")
def test_negative_rows(student, rng):
    """The pair is read rightly, the noise words are not: they stand where a context word would stand, so
    their vectors come from the same table as the context's, one for each number in `negatives`."""
    for _ in range(3):
        theirs, ours = make_models(student, draw_state(rng))
        for switch in (theirs.train, theirs.eval):
            switch()
            words = draw_words(rng)
            assert_same(theirs(*words), ours(*words))


def named_parameters(student, model):
    """Runs beside the student's code: shape, whether floating point, and whether trained, of each parameter
    by name."""
    return {
        name: (tuple(each.shape), each.is_floating_point(), each.requires_grad)
        for name, each in model.named_parameters()
    }


@check(points=1, requires=("skipgram-1", "skipgram-4"), after="test_pair_rows")
def test_parameters(student, rng):
    """The two tables are not two parameters with a row for each word: of another shape or kind, held as plain
    tensors, or frozen (`from_pretrained` freezes unless it is told not to)."""
    for sizes in ({"vocabulary_size": 5, "dimension": 9}, {"vocabulary_size": 11, "dimension": 3}):
        theirs, ours = student.SkipGram(**sizes), reference.SkipGram(**sizes)
        assert student.probe(named_parameters, theirs) == named_parameters(reference, ours)


@check(points=1, requires="skipgram-2", after="test_pair_rows")
def test_center_start(student, rng):
    """`center_vectors` of a new model does not start as stated: the draw is uniform, on both sides of zero,
    within a bound that shrinks as the dimension grows. The default of `nn.Embedding` is another
    distribution."""
    for vocabulary_size, dimension in ((1501, 7), (701, 15)):
        sizes = {"vocabulary_size": vocabulary_size, "dimension": dimension}
        start = student.SkipGram(**sizes).state()[CENTER]
        expected = reference.SkipGram(**sizes).state_dict()[CENTER]
        assert isinstance(start, Tensor)
        assert start.is_floating_point()
        assert start.shape == expected.shape
        bound, count = 0.5 / dimension, start.numel()
        assert start.abs().max() <= bound * (1 + 1e-6)
        # Of n uniform draws, none is within 17/n of the upper bound with probability exp(-17).
        assert start.max() > bound * (1 - 34 / count)
        assert start.min() < -bound * (1 - 34 / count)
        # Two samples of n draws of the same law differ by this much or more with probability below 2e-8.
        assert largest_gap(start.double(), expected.double()) < 3.04 * (2 / count) ** 0.5


def largest_gap(first: Tensor, second: Tensor) -> float:
    """Kolmogorov-Smirnov distance of two samples, of any shapes: the widest gap of their distribution
    functions."""
    first, second = (sample.flatten().sort().values for sample in (first, second))
    points = torch.cat([first, second])
    shares = [torch.searchsorted(sample, points, right=True) / len(sample) for sample in (first, second)]
    return (shares[0] - shares[1]).abs().max().item()


@check(points=1, requires="skipgram-2", after="test_pair_rows")
def test_context_start(student, rng):
    """`context_vectors` of a new model should hold nothing but zeros."""
    for vocabulary_size, dimension in ((11, 5), (5, 17)):
        sizes = {"vocabulary_size": vocabulary_size, "dimension": dimension}
        assert_same(
            student.SkipGram(**sizes).state()[CONTEXT], reference.SkipGram(**sizes).state_dict()[CONTEXT]
        )


def state_after_a_step(student, model, centers, contexts, negatives):
    """Runs beside the student's code: the tables after one step down the gradient of the loss."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    optimizer.zero_grad()
    model(centers, contexts, negatives).backward()
    optimizer.step()
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


@check(points=1, requires="skipgram-4", after="test_negative_rows")
def test_learning(student, rng):
    """The loss is right but the tables do not learn from it: both must be parameters of the module, and rows
    are looked up without `.data`, `.detach()` or `no_grad`."""
    for _ in range(2):
        theirs, ours = make_models(student, draw_state(rng))
        words = draw_words(rng)
        gradients = theirs.grads(*words)
        ours(*words).backward()
        for name, parameter in ours.named_parameters():
            assert_same(gradients[name], parameter.grad)
        stepped = student.probe(state_after_a_step, theirs, *words)
        for name, wanted in state_after_a_step(reference, ours, *words).items():
            assert_same(stepped[name], wanted)


def neighbours_of_both(student, rng, table: Tensor, words: list[int], k: int) -> list[tuple]:
    """(word, the student's answer, the reference's answer) for each of `words`, in models with these center
    vectors."""
    theirs, ours = make_models(student, draw_state(rng) | {CENTER: table})
    return [(word, theirs.neighbours(word, k), ours.neighbours(word, k)) for word in words]


def numbers(answer: object) -> list[int]:
    """A list, tuple or array of whole numbers as a list of Python's."""
    assert isinstance(answer, list | tuple) or hasattr(answer, "tolist"), (
        f"{type(answer).__name__} as neighbours"
    )
    values = torch.as_tensor(answer)
    assert not values.is_floating_point()
    assert values.ndim == 1
    return values.tolist()


@check(points=1, requires="skipgram-5")
def test_neighbours(student, rng):
    """Not the nearest words, or not the best first: neighbours are sought among the center vectors, and the
    highest similarity leads."""
    for k in (3, 7, VOCABULARY_SIZE - 1):
        table = draw_table(rng, stretch=False)
        for word, theirs, ours in neighbours_of_both(student, rng, table, [0, 5, VOCABULARY_SIZE - 1], k):
            assert [other for other in numbers(theirs) if other != word][: k - 1] == ours[: k - 1]


@check(points=1, requires="skipgram-5", after="test_neighbours")
def test_neighbours_by_angle(student, rng):
    """With vectors of equal length the order is right, with long and short ones it is not: cosine similarity
    compares directions, so divide by the lengths; a dot product or a distance does not."""
    table = draw_table(rng, stretch=True)
    for word, theirs, ours in neighbours_of_both(student, rng, table, [1, 4, 9], VOCABULARY_SIZE - 1):
        assert [other for other in numbers(theirs) if other != word][: len(ours) - 1] == ours[:-1]


@check(points=1, requires="skipgram-6", after="test_neighbours")
def test_never_itself(student, rng):
    """The word asked about is among its own neighbours, or pushes one out. Another word may have the very
    same vector, so leave the word out by its number, not by its place in the ranking."""
    for k in (1, 5):
        table = draw_table(rng, stretch=False)
        first, second = torch.randperm(VOCABULARY_SIZE, generator=rng)[:2].tolist()
        table[second] = table[first]
        for _, theirs, ours in neighbours_of_both(student, rng, table, [first, second], k):
            assert numbers(theirs) == ours


@check(points=1, requires="skipgram-5", after="test_never_itself")
def test_neighbours_are_numbers(student, rng):
    """The right words in the wrong wrapping: the answer is a plain list of Python integers, not a tensor, an
    array or a list of tensors."""
    table = draw_table(rng, stretch=False)
    for _, theirs, ours in neighbours_of_both(student, rng, table, [2, 8], 3):
        assert isinstance(theirs, list)
        assert all(type(other) is int for other in theirs)
        assert theirs == ours


@check(points=1, requires="skipgram-7", after="test_neighbours")
def test_tables_untouched(student, rng):
    """Asking for the loss or for neighbours has changed the tables: divide a copy by the lengths, not the
    parameter itself, and put no word's value out of the running in the table."""
    state = draw_state(rng) | {CENTER: draw_table(rng, stretch=True)}
    theirs, ours = make_models(student, state)
    theirs(*draw_words(rng))
    theirs.neighbours(3, 5)
    for name, wanted in ours.state_dict().items():
        assert_same(theirs.state()[name], wanted, relative=0, absolute=0)
