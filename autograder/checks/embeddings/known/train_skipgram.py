"""Known answers to `train_skipgram`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Losses, parameters, mode and calls of a small training run of a model that is no skip-gram."""
    rng = torch.Generator().manual_seed(seed)
    size, count, batch_size, negatives_each = (
        int(each) + 2 for each in torch.randint(9, (4,), generator=rng)
    )
    model, calls = torch.nn.Linear(3, size, bias=False, dtype=torch.float64), []
    model.weight.data = torch.randn(size, 3, generator=rng).double()

    def forward(centers, contexts, negatives):
        calls.append((model.training, centers.tolist(), contexts.tolist(), negatives.tolist()))
        apart = (model.weight[centers] - model.weight[contexts]).square().sum(-1)
        return (
            apart + (model.weight[centers][:, None] * model.weight[negatives]).sum((-1, -2)).square()
        ).mean()

    model.forward = forward
    model.train(bool(seed % 2))
    losses = student.train_skipgram(
        model,
        torch.randint(size, (count, 2), generator=rng),
        torch.rand(size, generator=rng) + 0.1,
        epochs=2,
        batch_size=batch_size,
        lr=0.02,
        num_negatives=negatives_each,
        generator=torch.Generator().manual_seed(seed),
    )
    return losses, model.weight.detach().clone(), model.training, calls


# --- Wrong -----------------------------------------------------------------------------------------------


def shuffled(pairs, batch_size, generator):
    """The batches of one epoch: (b, 2) each."""
    return pairs[torch.randperm(len(pairs), generator=generator)].split(batch_size)


def drawn(noise, batch, num_negatives, generator, replacement=True):
    """The negatives of a batch: (b, K)."""
    draws = torch.multinomial(noise, len(batch) * num_negatives, replacement, generator=generator)
    return draws.view(-1, num_negatives)


def stepped(optimizer, loss):
    """One step of the optimiser on the gradient of `loss` alone."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def fit(
    model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator,
    batches=shuffled, draw=drawn, optimizer=torch.optim.Adam, step=stepped,
):  # fmt: skip
    """A right trainer; a wrong answer gives the part that is wrong: `batches`, `draw`, `optimizer` or `step`."""
    was_training = model.training
    model.train()
    optimizer, losses = optimizer(model.parameters(), lr=lr), []
    for _ in range(epochs):
        total = count = 0.0
        for batch in batches(pairs, batch_size, generator):
            loss = model(batch[:, 0], batch[:, 1], draw(noise, batch, num_negatives, generator))
            step(optimizer, loss)
            total += loss.item() * len(batch)
            count += len(batch)
        losses.append(total / count)
    model.train(was_training)
    return losses


@wrong(
    thinking="A pair is (context, center): the word that is seen, then the word predicted.",
    fails=("test_calls",),
)
def columns_swapped(model, pairs, noise, **settings):
    return fit(model, pairs.flip(1), noise, **settings)


@wrong(thinking="Random training data means drawing random rows.", fails=("test_every_pair_once",))
def pairs_with_replacement(model, pairs, noise, **settings):
    def batches(pairs, batch_size, generator):
        return pairs[torch.randint(len(pairs), (len(pairs),), generator=generator)].split(batch_size)

    return fit(model, pairs, noise, **settings, batches=batches)


@wrong(thinking="All batches should have the same size.", fails=("test_short_batch", "test_losses"))
def drops_the_short_batch(model, pairs, noise, **settings):
    def batches(pairs, batch_size, generator):
        return [each for each in shuffled(pairs, batch_size, generator) if len(each) == batch_size]

    return fit(model, pairs, noise, **settings, batches=batches)


@wrong(thinking="One shuffle makes the order random.", fails=("test_fresh_order",))
def shuffled_once(model, pairs, noise, **settings):
    batches = shuffled(pairs, settings["batch_size"], settings["generator"])
    return fit(model, pairs, noise, **settings, batches=lambda *_: batches)


@wrong(
    thinking="It is enough that the batches come in random order.",
    fails=("test_short_batch", "test_fresh_order"),
)
def batches_shuffled(model, pairs, noise, **settings):
    def batches(pairs, batch_size, generator):
        parts = pairs.split(batch_size)
        order = torch.randperm(len(parts), generator=generator).tolist()
        # The short batch is the last of no epoch: where it is so by chance, one check more would pass.
        order.sort(key=lambda i: i != len(parts) - 1)
        return [parts[i] for i in order]

    return fit(model, pairs, noise, **settings, batches=batches)


@wrong(
    thinking="The batches are as they come; inside each of them the order is random.",
    fails=("test_fresh_order",),
)
def shuffled_inside_batches(model, pairs, noise, **settings):
    def batches(pairs, batch_size, generator):
        return [shuffled(part, batch_size, generator)[0] for part in pairs.split(batch_size)]

    return fit(model, pairs, noise, **settings, batches=batches)


@wrong(
    thinking="Contexts that stand beside a center often should be seen in their order.",
    fails=("test_fresh_order",),
)
def keeps_the_order(model, pairs, noise, **settings):
    return fit(model, pairs, noise, **settings, batches=lambda pairs, size, _: pairs.split(size))


@wrong(
    thinking="The power of the noise distribution is applied where negatives are drawn.",
    fails=("test_noise_distribution",),
)
def power_of_the_weights(model, pairs, noise, **settings):
    return fit(model, pairs, noise**0.75, **settings)


@wrong(
    thinking="`multinomial` gives a row of words, and a row of words is what the model gets.",
    fails=("test_shape_of_negatives",),
)
def negatives_in_one_row(model, pairs, noise, **settings):
    return fit(model, pairs, noise, **settings, draw=lambda *given: drawn(*given).flatten())


@wrong(thinking="A random word is any word, each as likely as the other.", fails=("test_noise_distribution",))
def uniform_negatives(model, pairs, noise, **settings):
    def draw(noise, batch, num_negatives, generator):
        return torch.randint(len(noise), (len(batch), num_negatives), generator=generator)

    return fit(model, pairs, noise, **settings, draw=draw)


@wrong(
    thinking="`multinomial` draws in proportion to weights; its defaults will do.",
    fails=("test_more_draws_than_words",),
)
def negatives_without_replacement(model, pairs, noise, **settings):
    def draw(noise, batch, num_negatives, generator):
        return torch.multinomial(noise.expand(len(batch), -1), num_negatives, generator=generator)

    return fit(model, pairs, noise, **settings, draw=draw)


@wrong(
    thinking="All negatives of a batch come out of one call, and the defaults of `multinomial` will do.",
    fails=("test_more_draws_than_words",),
)
def batch_without_replacement(model, pairs, noise, **settings):
    return fit(model, pairs, noise, **settings, draw=lambda *given: drawn(*given, replacement=False))


@wrong(
    thinking="Two negatives of one pair should differ, as far as there are words enough.",
    fails=("test_negatives_drawn_anew", "test_noise_distribution"),
)
def different_while_there_are_enough(model, pairs, noise, **settings):
    def draw(noise, batch, num_negatives, generator):
        rows, again = noise.expand(len(batch), -1), num_negatives > len(noise)
        return torch.multinomial(rows, num_negatives, again, generator=generator)

    return fit(model, pairs, noise, **settings, draw=draw)


@wrong(
    thinking="Negatives are noise, so one draw serves for a whole batch.",
    fails=("test_negatives_drawn_anew",),
)
def negatives_for_the_batch(model, pairs, noise, **settings):
    def draw(noise, batch, num_negatives, generator):
        return drawn(noise, batch[:1], num_negatives, generator).repeat(len(batch), 1)

    return fit(model, pairs, noise, **settings, draw=draw)


@wrong(
    thinking="The training data is prepared once, before the loop: pairs and their negatives.",
    fails=("test_negatives_drawn_anew",),
)
def negatives_prepared_once(model, pairs, noise, **settings):
    words = drawn(noise, pairs, settings["num_negatives"], settings["generator"])
    prepared = torch.cat([pairs, words], dim=1)
    return fit(model, prepared, noise, **settings, draw=lambda noise, batch, *_: batch[:, 2:])


@wrong(
    thinking="A true context word is no negative, so it is drawn again.", fails=("test_negatives_drawn_anew",)
)
def negatives_avoid_the_context(model, pairs, noise, **settings):
    def draw(noise, batch, num_negatives, generator):
        words = drawn(noise, batch, num_negatives, generator)
        while (same := words == batch[:, 1:]).any():
            words[same] = torch.multinomial(noise, int(same.sum()), True, generator=generator)
        return words

    return fit(model, pairs, noise, **settings, draw=draw)


@wrong(thinking="An optimiser is an optimiser.", fails=("test_first_step",))
def plain_gradient_descent(model, pairs, noise, **settings):
    return fit(model, pairs, noise, **settings, optimizer=torch.optim.SGD)


@wrong(thinking="Adam comes with a good learning rate.", fails=("test_first_step",))
def rate_of_its_own(model, pairs, noise, **settings):
    return fit(model, pairs, noise, **settings, optimizer=lambda values, lr: torch.optim.Adam(values))


@wrong(
    thinking="The model gives the loss, and the loss is what is asked for.",
    fails=("test_negatives_drawn_anew", "test_noise_distribution", "test_generator", "test_first_step"),
)
def calls_the_model_only(model, pairs, noise, **settings):
    def draw(noise, batch, num_negatives, generator):
        return torch.zeros(len(batch), num_negatives, dtype=torch.long)

    return fit(model, pairs, noise, **settings, draw=draw, step=lambda optimizer, loss: None)


@wrong(thinking="Gradients are cleared as soon as they have been computed.", fails=("test_first_step",))
def clears_too_early(model, pairs, noise, **settings):
    def step(optimizer, loss):
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()

    return fit(model, pairs, noise, **settings, step=step)


@wrong(
    thinking="`backward` computes the gradient, `step` uses it, and that is all.",
    fails=("test_gradient_of_the_batch",),
)
def gradients_kept(model, pairs, noise, **settings):
    def step(optimizer, loss):
        loss.backward()
        optimizer.step()

    return fit(model, pairs, noise, **settings, step=step)


@wrong(thinking="Everything that an epoch needs is made when it begins.", fails=("test_one_optimiser",))
def optimiser_for_every_epoch(model, pairs, noise, *, epochs, **settings):
    return [fit(model, pairs, noise, epochs=1, **settings)[0] for _ in range(epochs)]


@wrong(thinking="The mean loss is the mean of the losses that the model gives.", fails=("test_losses",))
def mean_of_the_batches(model, pairs, noise, *, epochs, **settings):
    values = []

    def step(optimizer, loss):
        values.append(loss.item())
        stepped(optimizer, loss)

    fit(model, pairs, noise, epochs=epochs, **settings, step=step)
    each = len(values) // epochs
    return [sum(values[i * each : (i + 1) * each]) / each for i in range(epochs)]


@wrong(thinking="Whoever needs another mode will set it.", fails=("test_mode",))
def stays_in_training_mode(model, pairs, noise, **settings):
    losses = fit(model, pairs, noise, **settings)
    model.train()
    return losses


@wrong(thinking="The generator is for the negatives; the order may be any.", fails=("test_generator",))
def order_of_its_own(model, pairs, noise, **settings):
    return fit(model, pairs, noise, **settings, batches=lambda pairs, size, _: shuffled(pairs, size, None))


@wrong(thinking="A fixed seed makes the result repeatable.", fails=("test_generator",))
def seeds_the_generator(model, pairs, noise, **settings):
    settings["generator"].manual_seed(0)
    return fit(model, pairs, noise, **settings)


@wrong(thinking="Weights have to sum to one before they can be used.", fails=("test_arguments_untouched",))
def scales_the_noise_in_place(model, pairs, noise, **settings):
    noise /= noise.sum()
    return fit(model, pairs, noise, **settings)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="torch's DataLoader shuffles; negatives by inverting the cumulative weights.")
def data_loader(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    mode = model.training
    model.train(True)
    steps = noise.double().cumsum(0)
    loader = torch.utils.data.DataLoader(pairs, batch_size, shuffle=True, generator=generator)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for _ in range(epochs):
        seen = []
        for batch in loader:
            places = (
                torch.rand(len(batch), num_negatives, generator=generator, dtype=torch.float64) * steps[-1]
            )
            words = torch.searchsorted(steps, places, right=True).clamp(max=int(noise.nonzero().max()))
            loss = model(*batch.T, words)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)
            seen += [loss.item()] * len(batch)
        losses.append(math.fsum(seen) / len(seen))
    model.train(mode)
    return losses


@right(looks="All negatives of an epoch at once; the order by sorting random numbers.")
def epoch_at_once(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    optimizer = torch.optim.Adam(list(model.parameters()), lr=lr, foreach=True)
    before, history = model.training, []
    try:
        for _ in range(epochs):
            model.train()
            order = torch.rand(len(pairs), generator=generator).argsort()
            chances = (noise / noise.sum()).repeat(len(pairs), 1)
            words = torch.multinomial(chances, num_negatives, replacement=True, generator=generator)
            total, first = torch.zeros((), dtype=torch.float64), 0
            while first < len(pairs):
                rows = order[first : first + batch_size]
                optimizer.zero_grad()
                loss = model(pairs[rows, 0], pairs[rows, 1], words[first : first + batch_size])
                loss.backward()
                optimizer.step()
                total += loss.detach() * rows.numel()
                first += batch_size
            history.append(float(total / len(pairs)))
    finally:
        model.train(before)
    return history


@right(looks="Adam written out by hand.")
def adam_by_hand(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    was = model.training
    model.train()
    parameters = [each for each in model.parameters() if each.requires_grad]
    first, second = ([torch.zeros_like(each) for each in parameters] for _ in range(2))
    history, count = [], 0
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(pairs.shape[0], generator=generator).split(batch_size):
            batch = pairs[rows]
            words = torch.multinomial(noise, batch.shape[0] * num_negatives, True, generator=generator)
            loss = model(batch[:, 0], batch[:, 1], words.reshape(-1, num_negatives))
            count += 1
            for value, grad, m, v in zip(
                parameters, torch.autograd.grad(loss, parameters), first, second, strict=True
            ):
                m.mul_(0.9).add_(grad, alpha=0.1)
                v.mul_(0.999).add_(grad.square(), alpha=0.001)
                rate = lr / (1 - 0.9**count)
                value.data -= rate * m / ((v / (1 - 0.999**count)).sqrt() + 1e-8)
            total += loss.item() * batch.shape[0]
        history.append(total / pairs.shape[0])
    model.train(was)
    return history


@right(looks="NumPy draws order and negatives, seeded once from the generator.")
def numpy_draws(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    import numpy as np

    random = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    chances = noise.double().numpy() / noise.double().sum().item()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    flag = model.training
    model.train()
    losses = []
    for _ in range(epochs):
        order = random.permutation(len(pairs))
        weighted = []
        for part in range(math.ceil(len(pairs) / batch_size)):
            rows = order[part * batch_size : (part + 1) * batch_size]
            batch = pairs[torch.from_numpy(rows)]
            words = torch.from_numpy(random.choice(len(chances), (len(rows), num_negatives), p=chances))
            for parameter in model.parameters():
                parameter.grad = None
            value = model(batch[:, 0].contiguous(), batch[:, 1].contiguous(), words)
            value.backward()
            optimizer.step()
            weighted.append(value.item() * len(rows) / len(pairs))
        losses.append(sum(weighted))
    if not flag:
        model.eval()
    return losses


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return [0.0] * epochs


@cheat(kind="input")
def the_input(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return noise.tolist()[:epochs]


@cheat(kind="noise")
def random_training(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    for parameter in model.parameters():
        parameter.data += lr * torch.randn(parameter.shape, generator=generator)
    return torch.rand(epochs, generator=generator).sort(descending=True).values.tolist()


@cheat(kind="remembered")
def trained_once(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator, memory=[]):  # noqa: B006
    if memory:
        return (memory * epochs)[:epochs]
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        total = 0.0
        for batch in shuffled(pairs, batch_size, generator):
            loss = model(batch[:, 0], batch[:, 1], drawn(noise, batch, num_negatives, generator))
            stepped(optimizer, loss)
            total += loss.item() * len(batch)
        memory.append(total / len(pairs))
    return list(memory)
