"""Hidden checks of `SkipGram`: how its tables start, which table is read, how it learns.

The start and `forward` earn their points apart: for `forward` the model is given a state drawn here, so that its
values and gradients have one right answer each, however it starts.
"""

import torch
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


def largest_gap(first: Tensor, second: Tensor) -> float:
    """Kolmogorov-Smirnov distance of two samples, of any shapes: the widest gap of their distribution
    functions."""
    first, second = (sample.flatten().sort().values for sample in (first, second))
    points = torch.cat([first, second])
    shares = [torch.searchsorted(sample, points, right=True) / len(sample) for sample in (first, second)]
    return (shares[0] - shares[1]).abs().max().item()


@check(points=0, requires="skipgram-1")
def test_tables(student, rng):
    """The model does not have the two tables of the statement, with a row for each word and a column for each number of
    a vector. The stub makes them: keep their names and sizes."""
    for vocabulary_size, dimension in ((11, 5), (5, 17)):
        sizes = {"vocabulary_size": vocabulary_size, "dimension": dimension}
        state = student.SkipGram(**sizes).state()
        for name, wanted in reference.SkipGram(**sizes).state_dict().items():
            assert isinstance(state.get(name), Tensor)
            assert state[name].is_floating_point()
            assert state[name].shape == wanted.shape


@check(points=0, requires="skipgram-1", after="test_tables")
def test_no_more_tables(student, rng):
    """The model has more than its two tables: a bias, a layer or a third table is learned too, and the vectors are no
    longer all that it knows."""
    sizes = {"vocabulary_size": 11, "dimension": 5}
    assert set(student.SkipGram(**sizes).state()) == set(reference.SkipGram(**sizes).state_dict())


@check(points=1, requires="skipgram-2", after="test_tables")
def test_center_start(student, rng):
    """`center_vectors` of a new model does not start as stated: the draw is uniform, on both sides of zero,
    within a bound that shrinks as the dimension grows. The default of `nn.Embedding` is another
    distribution, and a seed set on the way gives every model the same numbers."""
    for vocabulary_size, dimension in ((701, 7), (301, 15)):
        sizes = {"vocabulary_size": vocabulary_size, "dimension": dimension}
        start = student.SkipGram(**sizes).state().get(CENTER)
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
        assert not torch.equal(student.SkipGram(**sizes).state()[CENTER], start)


@check(points=1, requires="skipgram-2", after="test_tables")
def test_context_start(student, rng):
    """`context_vectors` of a new model should hold nothing but zeros: a new table comes filled with random
    numbers."""
    for vocabulary_size, dimension in ((11, 5), (5, 17)):
        sizes = {"vocabulary_size": vocabulary_size, "dimension": dimension}
        state = student.SkipGram(**sizes).state()
        assert_same(state.get(CONTEXT), reference.SkipGram(**sizes).state_dict()[CONTEXT])
        # A model that holds nothing but zeros, or nothing but one number, has not set its tables apart.
        center = state.get(CENTER)
        assert isinstance(center, Tensor)
        assert len(center.unique()) > center.numel() / 2


@check(points=1, requires="skipgram-3", after="test_no_more_tables")
def test_pair_rows(student, rng):
    """The vectors of a pair are read from the wrong place: the center word's from `center_vectors`, the
    context word's from `context_vectors`, and both go to `sgns_loss` in the order of its arguments."""
    for _ in range(2):
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
    for mode in ("train", "eval"):
        theirs, ours = make_models(student, draw_state(rng))
        getattr(theirs, mode)()
        words = draw_words(rng)
        assert_same(theirs(*words), ours(*words))


def state_after_a_step(student, model, centers, contexts, negatives):
    """Runs beside the student's code: the tables after one step down the gradient of the loss."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    optimizer.zero_grad()
    model(centers, contexts, negatives).backward()
    optimizer.step()
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


@check(points=1, requires="skipgram-4", after="test_negative_rows")
def test_learning(student, rng):
    """The loss is right but the tables do not learn from it: both must stay parameters of the module, trained and
    alone, and rows are looked up without `.data`, `.detach()` or `no_grad`."""
    for _ in range(2):
        theirs, ours = make_models(student, draw_state(rng))
        words = draw_words(rng)
        gradients = theirs.grads(*words)
        ours(*words).backward()
        assert set(gradients) == {CENTER, CONTEXT}
        for name, parameter in ours.named_parameters():
            assert_same(gradients[name], parameter.grad)
        stepped = student.probe(state_after_a_step, theirs, *words)
        assert set(stepped) == {CENTER, CONTEXT}
        for name, wanted in state_after_a_step(reference, ours, *words).items():
            assert_same(stepped[name], wanted)


@check(points=1, requires="skipgram-5", after="test_pair_rows")
def test_tables_untouched(student, rng):
    """Asking for the loss has changed the tables: look rows up, and work on what comes out, never on the
    parameter itself."""
    state = draw_state(rng)
    theirs, ours = make_models(student, state)
    for switch in (theirs.train, theirs.eval):
        switch()
        theirs(*draw_words(rng))
        for name, wanted in ours.state_dict().items():
            assert_same(theirs.state().get(name), wanted, relative=0, absolute=0)
