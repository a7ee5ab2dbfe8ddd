"""Hidden checks of `train_skipgram`: what the model was called with, and what became of it.

The student's function trains a model that notes its calls (`training.py`); one check trains the student's own. A
training has a handful of batches: each costs as much as everything else that a check asks.

The loops of the function are given. So what they alone would pass (order, short batch, losses, mode) is asked of
those whose step is right; negatives and step are judged apart.
"""

from typing import Any

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.embeddings.training import Run, draw_noise
from solutions.embeddings import skipgram as reference

FEW_WORDS = 23
"""So many words that each is drawn often."""
EXACT = {"relative": 1e-6, "absolute": 1e-6}
"""float64 on both sides, the same batches in the same order: they differ by 1e-12; the decay of AdamW makes
3e-4."""
ALMOST_NEVER = 6.5
"""Standard deviations: a count of a thousand draws or so lies further out with probability below 1e-9."""


def assert_batches(run: Run) -> None:
    """The batches have the sizes that the settings ask for, and every epoch has each pair once."""
    run.assert_whole()
    sizes = [len(part) for part in run.numbers().split(run.settings["batch_size"])]
    assert [len(call[0]) for call in run.notes["calls"]] == run.settings["epochs"] * sizes
    ordered = run.numbers().sort().values
    for epoch in run.visits(run.notes).view(run.settings["epochs"], -1):
        assert_same(epoch.sort().values, ordered)


@check(points=0, requires="train-6")
def test_calls(student, rng):
    """The model is not called as it should be: with the numbers of the centers, of their contexts and of the negatives
    of a batch, in that order, three tensors of kind long, of which the first two have one dimension."""
    for count, batch_size in ((14, 7), (18, 9)):
        run = Run(student, rng, count=count, batch_size=batch_size)
        assert len(run.notes["calls"]) > 0
        run.assert_calls()


@check(points=0, requires="train-2", after="test_calls")
def test_every_pair_once(student, rng):
    """An epoch is not one visit to every pair: the model is called once for each batch, the epochs are as many as asked
    for, and every pair comes exactly once in each (a permutation, not a draw with replacement)."""
    assert_batches(Run(student, rng, count=21, epochs=2, batch_size=7))
    assert_batches(Run(student, rng, count=18, epochs=3, batch_size=9, num_negatives=7))


def places_in(order: Tensor, numbers: Tensor) -> Tensor:
    """(N,) the place in `order` (N,) of each of `numbers` (N,), which are the same in another order."""
    return (numbers.unsqueeze(1) == order).nonzero()[:, 1]


def assert_rate(counts: Tensor, rates: Tensor, trials: int) -> None:
    """Hold when each of `counts` is one that `trials` independent trials of these rates give."""
    spread = (trials * rates * (1 - rates)).sqrt()
    assert ((counts - trials * rates).abs() <= ALMOST_NEVER * spread + 1).all()


@check(points=0, requires="train-6", after="test_every_pair_once")
def test_shape_of_negatives(student, rng):
    """The negatives do not have the shape that the model asks for: a row for each pair of the batch, as long as the
    number of negatives. One long row of draws has to be brought into this shape."""
    run = Run(student, rng, count=14, batch_size=7, num_negatives=3)
    for centers, _, negatives in run.notes["calls"]:
        assert negatives.shape == (len(centers), 3)


@check(points=0, requires="train-4", after="test_shape_of_negatives")
def test_more_draws_than_words(student, rng):
    """Your function cannot draw more negatives than there are words. A batch may need more of them than the vocabulary
    has words, and so may a single pair: negatives are drawn with replacement, and `torch.multinomial` does that only
    when it is told to."""
    for size, batch_size, num_negatives in ((17, 15, 3), (5, 3, 11)):
        run = Run(
            student,
            rng,
            count=batch_size,
            batch_size=batch_size,
            num_negatives=num_negatives,
            noise=draw_noise(rng, size),
        )
        run.negatives()


@check(points=1, requires="train-4", after="test_more_draws_than_words")
def test_negatives_drawn_anew(student, rng):
    """The negatives depend on each other or on the pair: every pair gets a draw of its own each time it comes (not one
    draw for a whole batch or epoch, nor one for all epochs), with replacement, and a negative that happens to be the
    context word is kept."""
    noise = draw_noise(rng, FEW_WORDS)
    run = Run(student, rng, count=502, epochs=3, batch_size=251, num_negatives=7, noise=noise)
    drawn, contexts = run.negatives(), run.contexts()
    shares = torch.bincount(drawn.flatten(), minlength=FEW_WORDS).double() / drawn.numel()
    again = shares.square().sum()  # the chance that two independent draws agree
    assert again < 2 * (run.noise.double() / run.noise.double().sum()).square().sum()
    pairs_of_columns, rows, next_rows = drawn[:, :6].view(-1, 3, 2), drawn[:-1:2], drawn[1::2]
    assert_rate((pairs_of_columns[..., 0] == pairs_of_columns[..., 1]).sum(), again, 3 * len(drawn))
    assert_rate((rows == next_rows).sum(), again, rows.numel())
    first_epoch, second_epoch = drawn.view(3, 502, 7)[:2]
    assert_rate((first_epoch == second_epoch).sum(), again, first_epoch.numel())
    first_order, second_order = run.visits(run.notes).view(3, 502)[:2].argsort(dim=1)
    assert_rate((first_epoch[first_order] == second_epoch[second_order]).sum(), again, first_epoch.numel())
    assert_rate((first_epoch[:, :1] == first_epoch[:, 1:]).sum(), again, 6 * 502)
    chances = shares[contexts]
    spread = (7 * chances * (1 - chances)).sum().sqrt()
    assert ((drawn == contexts.unsqueeze(1)).sum() - 7 * chances.sum()).abs() <= ALMOST_NEVER * spread + 1


@check(points=1, requires="train-4", after="test_more_draws_than_words")
def test_noise_distribution(student, rng):
    """The negatives do not follow `noise`: they are drawn in proportion to these weights, whatever their sum,
    not uniformly, not by a power of them and not from the words of the pairs; a word whose weight is zero never
    comes."""
    noise = draw_noise(rng, FEW_WORDS).square()
    noise[torch.randperm(FEW_WORDS, generator=rng)[:5]] = 0
    run = Run(student, rng, count=502, epochs=3, batch_size=251, num_negatives=17, noise=noise)
    # Seventeen independent draws never come twice; where one draw serves for many pairs, it counts once.
    drawn = run.negatives().unique(dim=0).flatten()
    counts = torch.bincount(drawn, minlength=FEW_WORDS).double()
    assert counts[noise == 0].sum() == 0
    assert_rate(counts, noise.double() / noise.double().sum(), len(drawn))


@check(points=1, requires="train-8", after="test_every_pair_once")
def test_generator(student, rng):
    """Something is random that does not come from `generator`: give it to each function that draws. And use
    it as it comes, without seeding it anew."""
    run = Run(student, rng, count=14, epochs=2)
    student.seed(run.seed + 1)
    repeated, other = run.again(student, run.seed), run.again(student, run.seed + 1)
    for first, second in zip(run.notes["calls"], repeated["calls"], strict=True):
        for one, two in zip(first, second, strict=True):
            assert_same(one, two)
    assert_same(run.visits(repeated).view(2, -1).sort().values, run.numbers().sort().values.expand(2, -1))
    # 14 pairs in the same random order in two epochs, or 84 negatives the same twice: never. Pairs, or batches, that
    # keep the order in which they were given are a mistake of their own.
    visits = run.visits(run.notes)
    shuffled = (places_in(run.numbers(), visits[:14]).diff() == 1).sum() < 9
    assert not shuffled or not torch.equal(run.visits(other), visits)
    drawn, others = (
        torch.cat([call[2].flatten() for call in calls]) for calls in (run.notes["calls"], other["calls"])
    )
    assert not torch.equal(drawn, others)


@check(points=1, requires="train-5", after="test_every_pair_once")
def test_first_step(student, rng):
    """After a single batch the parameters are not where one step of Adam puts them: is there a step for each
    batch, is it Adam with its default settings, and does it use the `lr` it was given?"""
    for lr in (0.003, 0.07):
        run = Run(student, rng, count=15, batch_size=15, lr=lr)
        assert_same(run.notes["table"], run.replayed()["table"], **EXACT)


@check(points=1, requires="train-5", after="test_first_step")
def test_gradient_of_the_batch(student, rng):
    """The first step is right, the next ones are not: the gradients of one batch still stand there when those
    of the next are added, or there is not one step for each batch."""
    run = Run(student, rng, count=21, batch_size=7)
    assert_same(run.notes["table"], run.replayed()["table"], **EXACT)


@check(points=1, requires="train-5", after="test_first_step")
def test_one_optimiser(student, rng):
    """Several epochs are not what one optimiser makes of them: Adam remembers earlier gradients, so make it once,
    before the loop over epochs, leave its learning rate as it is, and take one step for each batch."""
    run = Run(student, rng, count=9, batch_size=9, epochs=5)
    try:
        assert_same(run.notes["table"], run.replayed()["table"], **EXACT)
    except AssertionError:  # gradients that pile up are a mistake of their own, which another check tells
        assert_same(run.notes["table"], run.replayed(clears=False)["table"], **EXACT)


def held_loss(model: torch.nn.Module, pairs: Tensor, noise: Tensor, rng: torch.Generator) -> float:
    """Loss of the reference model on `pairs`, each with many negatives of the grader's own draw."""
    negatives = torch.multinomial(noise.expand(len(pairs), -1), 99, replacement=True, generator=rng)
    with torch.no_grad():
        return model(pairs[:, 0], pairs[:, 1], negatives).item()


@check(points=1, requires="train-5", after=("test_gradient_of_the_batch", "test_shape_of_negatives"))
def test_learns(student, rng):
    """A real skip-gram model trained by your function knows too little about pairs it has not seen: each
    batch needs its loss, its gradient and a step, on the very model that was given."""
    words = torch.arange(33)
    friends = words.unsqueeze(1) % 3 == words % 3  # three circles of 11 words
    pairs = (friends & (words.unsqueeze(1) != words)).nonzero()
    pairs = pairs[torch.randperm(len(pairs), generator=rng)]
    seen, held, noise = pairs[:-21], pairs[-21:], torch.ones(33)
    sizes = {"vocabulary_size": 33, "dimension": 9}
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 77, "lr": 0.1, "num_negatives": 63}
    ours = reference.SkipGram(**sizes)
    torch.nn.init.normal_(ours.center_vectors.weight, std=0.1, generator=rng)
    theirs = student.SkipGram(**sizes)
    theirs.load_state({name: value.clone() for name, value in ours.state_dict().items()})
    seed = int(torch.randint(2**31, (), generator=rng))
    student.train_skipgram(theirs, seen, noise, **settings, generator=student.generator(seed))
    judged = reference.SkipGram(**sizes)
    judged.load_state_dict(theirs.state())
    # Right trainers bring the loss to 0.085 of what it was, with a spread of 0.003.
    assert held_loss(judged, held, noise, rng) < 0.3 * held_loss(ours, held, noise, rng)


@check(points=1, requires="train-2", after="test_first_step")
def test_short_batch(student, rng):
    """When the number of pairs is no multiple of the batch size, the pairs left over form a shorter last
    batch: it is not dropped, and it keeps its shape when it holds a single pair."""
    assert_batches(Run(student, rng, count=18, epochs=2, batch_size=7))
    assert_batches(Run(student, rng, count=12, epochs=2, batch_size=11, num_negatives=1))
    assert_batches(Run(student, rng, count=5, epochs=2, batch_size=17))


@check(points=1, requires="train-3", after="test_first_step")
def test_fresh_order(student, rng):
    """The pairs keep their order, or a part of it: all pairs are shuffled (not the batches), and they are
    shuffled again inside the loop over epochs."""
    run = Run(student, rng, count=105, epochs=3, batch_size=35)
    before, places = run.numbers(), torch.arange(105)
    for order in run.visits(run.notes).view(3, -1):
        places_before = places_in(before, order)
        # Of 104 neighbours a random order keeps 2 on average, and 20 or more with probability below 1e-13; of 105 pairs
        # 35 come in the same batch again, with a spread of 5.
        assert (places_before.diff().abs() == 1).sum() < 20
        assert (places_before // 35 == places // 35).sum() < 75
        before = order


@check(points=1, requires="train-1", after="test_first_step")
def test_losses(student, rng):
    """The returned losses are not the mean loss per pair of each epoch: weigh each batch by its number of
    pairs (the last may be short), start from zero in every epoch, divide by the number of pairs, and return
    plain floats."""
    for count, batch_size, epochs in ((17, 7, 2), (8, 5, 3)):
        # At a rate of zero the losses depend on the batches alone, not on how the steps are made.
        run = Run(student, rng, count=count, batch_size=batch_size, epochs=epochs, lr=0.0)
        losses = run.notes["losses"]
        assert isinstance(losses, list)
        assert all(type(loss) is float for loss in losses)
        assert_same(torch.tensor(losses), torch.tensor(run.replayed()["losses"]))


@check(points=1, requires="train-7", after="test_first_step")
def test_mode(student, rng):
    """The model is not in the right mode: it is in training mode while it is trained, and ends in the mode in which it
    came, whichever that was."""
    for training in (True, False):
        run = Run(student, rng, count=14, epochs=2, training=training)
        assert run.notes["modes"] == [True] * 4
        assert run.notes["mode"] is training


@check(points=1, requires="train-9", after="test_first_step")
def test_arguments_untouched(student, rng):
    """`pairs` and `noise` do not hold what they held. Shuffle row numbers rather than the rows themselves, and divide
    into a new tensor rather than in place."""
    run = Run(student, rng, count=14, epochs=2)
    assert_same(run.notes["pairs"], run.pairs, relative=0, absolute=0)
    assert_same(run.notes["noise"], run.noise, relative=0, absolute=0)
