"""Wrong answers to `train_skipgram`, each with the thinking behind it and the checks it must fail."""

# mypy: ignore-errors

import torch

from autograder.checks.variants import wrong


def shuffled(pairs, batch_size, generator):
    """The batches of an epoch, as they should be: (b, 2) each."""
    return pairs[torch.randperm(len(pairs), generator=generator)].split(batch_size)


def drawn(noise, batch, num_negatives, generator):
    """The negatives of a batch, as they should be: (b, K)."""
    return torch.multinomial(noise, len(batch) * num_negatives, True, generator=generator).view(
        -1, num_negatives
    )


def step(optimizer, loss):
    """One step of the optimiser on the gradient of `loss` alone."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def fit(model, epoch, epochs, optimizer, draw, step=step):
    """The loop of a right trainer, for the wrong ones to put their own parts in.

    Args:
        model: trained in place.
        epoch: gives the batches of one epoch.
        epochs: how many.
        optimizer: made once, or None where `step` has its own.
        draw: gives the negatives of a batch.
        step: moves the parameters.
    """
    was_training = model.training
    model.train()
    losses = []
    for _ in range(epochs):
        total = count = 0.0
        for batch in epoch():
            loss = model(batch[:, 0], batch[:, 1], draw(batch))
            step(optimizer, loss)
            total += loss.item() * len(batch)
            count += len(batch)
        losses.append(total / count)
    model.train(was_training)
    return losses


@wrong(
    exercise="train_skipgram",
    thinking="A pair is (context, center): the word that is seen, then the word predicted.",
    fails=("test_every_pair_once",),
)
def columns_swapped(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: shuffled(pairs.flip(1), batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="Random training data means drawing random rows.",
    fails=("test_every_pair_once",),
)
def pairs_with_replacement(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: pairs[torch.randint(len(pairs), (len(pairs),), generator=generator)].split(batch_size),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="All batches should have the same size.",
    fails=("test_short_batch", "test_losses"),
)
def drops_the_short_batch(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: [each for each in shuffled(pairs, batch_size, generator) if len(each) == batch_size],
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="One shuffle makes the order random.",
    fails=("test_fresh_order",),
)
def shuffled_once(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    batches = shuffled(pairs, batch_size, generator)
    return fit(
        model,
        lambda: batches,
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="It is enough that the batches come in random order.",
    fails=("test_short_batch", "test_fresh_order"),
)
def batches_shuffled(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    batches = pairs.split(batch_size)
    return fit(
        model,
        lambda: [batches[i] for i in torch.randperm(len(batches), generator=generator)],
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="A random word is any word, each as likely as the other.",
    fails=("test_noise_distribution",),
)
def uniform_negatives(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: torch.randint(len(noise), (len(batch), num_negatives), generator=generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="`multinomial` draws in proportion to weights; its defaults will do.",
    fails=("test_negatives_drawn_anew",),
)
def negatives_without_replacement(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: torch.multinomial(noise.expand(len(batch), -1), num_negatives, generator=generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="Negatives are noise, so one draw serves for a whole batch.",
    fails=("test_negatives_drawn_anew",),
)
def negatives_for_the_batch(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch[:1], num_negatives, generator).repeat(len(batch), 1),
    )


@wrong(
    exercise="train_skipgram",
    thinking="A true context word is no negative, so it is drawn again.",
    fails=("test_negatives_drawn_anew",),
)
def negatives_avoid_the_context(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    def others(batch):
        words = drawn(noise, batch, num_negatives, generator)
        while (same := words == batch[:, 1:]).any():
            words[same] = torch.multinomial(noise, int(same.sum()), True, generator=generator)
        return words

    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        others,
    )


@wrong(
    exercise="train_skipgram",
    thinking="An optimiser is an optimiser.",
    fails=("test_first_step",),
)
def plain_gradient_descent(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.SGD(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="Adam comes with a good learning rate.",
    fails=("test_first_step", "test_losses"),
)
def rate_of_its_own(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters()),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="`backward` computes the gradient, `step` uses it, and that is all.",
    fails=("test_gradient_of_the_batch",),
)
def gradients_kept(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    def step(optimizer, loss):
        loss.backward()
        optimizer.step()

    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
        step,
    )


@wrong(
    exercise="train_skipgram",
    thinking="Everything that an epoch needs is made when it begins.",
    fails=("test_one_optimiser",),
)
def optimiser_for_every_epoch(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    losses = []
    for _ in range(epochs):
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        draw = lambda batch: drawn(noise, batch, num_negatives, generator)  # noqa: E731
        losses += fit(model, lambda: shuffled(pairs, batch_size, generator), 1, optimizer, draw)
    return losses


@wrong(
    exercise="train_skipgram",
    thinking="The mean loss is the mean of the losses that the model gives.",
    fails=("test_losses",),
)
def mean_of_the_batches(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    values = []

    def noting(optimizer, loss):
        values.append(loss.item())
        step(optimizer, loss)

    losses = fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
        noting,
    )
    return [
        sum(part) / len(part) for part in zip(*[iter(values)] * (len(values) // len(losses)), strict=True)
    ]


@wrong(
    exercise="train_skipgram",
    thinking="Whoever needs another mode will set it.",
    fails=("test_mode",),
)
def stays_in_training_mode(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    losses = fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )
    model.train()
    return losses


@wrong(
    exercise="train_skipgram",
    thinking="The generator is for the negatives; the order may be any.",
    fails=("test_generator",),
)
def order_of_its_own(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return fit(
        model,
        lambda: shuffled(pairs, batch_size, None),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="A fixed seed makes the result repeatable.",
    fails=("test_generator",),
)
def seeds_the_generator(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    generator.manual_seed(0)
    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )


@wrong(
    exercise="train_skipgram",
    thinking="Weights have to sum to one before they can be used.",
    fails=("test_inputs_untouched",),
)
def scales_the_noise_in_place(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    noise /= noise.sum()
    return fit(
        model,
        lambda: shuffled(pairs, batch_size, generator),
        epochs,
        torch.optim.Adam(model.parameters(), lr=lr),
        lambda batch: drawn(noise, batch, num_negatives, generator),
    )
