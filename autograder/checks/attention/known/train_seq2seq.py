"""Known answers to `train_seq2seq`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong
from solutions.attention.masks import causal_mask, padding_mask


def observe(student, seed):
    """Losses, parameters, mode and calls of a small run of a model that sees one token."""
    rng = torch.Generator().manual_seed(seed)
    count, batch_size, length = (int(each) + 2 for each in torch.randint(6, (3,), generator=rng))
    model, calls = torch.nn.Linear(9, 9, bias=False, dtype=torch.float64), []
    model.weight.data = torch.randn(9, 9, generator=rng).double()

    def forward(source, inputs, source_mask, target_mask):
        parts = source, inputs, source_mask, target_mask
        calls.append((model.training, *(part.tolist() for part in parts)))
        return model.weight[inputs]

    model.forward = forward
    model.train(bool(seed % 2))
    target = torch.randint(0, 9, (count, length + 1), generator=rng)
    target[:, 1] = 5
    losses = student.train_seq2seq(
        model,
        torch.randint(0, 9, (count, 4), generator=rng),
        target,
        pad=seed % 4,
        epochs=2,
        batch_size=batch_size,
        lr=0.02,
        generator=torch.Generator().manual_seed(seed),
    )
    return losses, model.weight.detach().clone(), model.training, calls


# --- Wrong -----------------------------------------------------------------------------------------------


def batch_loss(model, asked, answer, pad):
    """The loss of a batch, as it should be."""
    inputs, labels = answer[:, :-1], answer[:, 1:]
    mask = padding_mask(inputs, pad) & causal_mask(inputs.shape[1])
    logits = model(asked, inputs, padding_mask(asked, pad), mask)
    return F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=pad)


def fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of=batch_loss):
    """The loops of a right trainer, for the wrong ones to put their own loss in."""
    was_training = model.training
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = []
    for _ in range(epochs):
        total, count = 0.0, 0
        for batch in torch.randperm(len(source), generator=generator).split(batch_size):
            loss = loss_of(model, source[batch], target[batch], pad)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tokens = int((target[batch] != pad).sum()) - len(batch)
            total, count = total + loss.item() * tokens, count + tokens
        history.append(total / count)
    model.train(was_training)
    return history


@wrong(
    thinking="The model gets the whole target, and the mask hides what it must not see.",
    fails=("test_inputs",),
)
def whole_target(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        mask = padding_mask(answer, pad) & causal_mask(answer.shape[1])
        logits = model(asked, answer, padding_mask(asked, pad), mask)
        return F.cross_entropy(logits[:, :-1].flatten(0, 1), answer[:, 1:].flatten(), ignore_index=pad)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(
    thinking="The start token says nothing, so the inputs begin behind it.",
    fails=("test_inputs",),
    page="encoder-decoder#not-shifted",
)
def inputs_without_the_start(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs = labels = answer[:, 1:]
        mask = padding_mask(inputs, pad) & causal_mask(inputs.shape[1])
        logits = model(asked, inputs, padding_mask(asked, pad), mask)
        return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=pad)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(
    thinking="The model learns to give back what it is given.",
    fails=("test_labels",),
    page="encoder-decoder#not-shifted",
)
def labels_not_shifted(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs = answer[:, :-1]
        mask = padding_mask(inputs, pad) & causal_mask(inputs.shape[1])
        logits = model(asked, inputs, padding_mask(asked, pad), mask)
        return F.cross_entropy(logits.flatten(0, 1), inputs.flatten(), ignore_index=pad)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(thinking="A loss is added up over the tokens.", fails=("test_labels",))
def sum_over_the_tokens(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        return batch_loss(model, asked, answer, pad) * int((answer[:, 1:] != pad).sum())

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(thinking="Logits in, labels in: `cross_entropy` finds its way.", fails=("test_labels",))
def logits_reshaped(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[:, :-1], answer[:, 1:]
        mask = padding_mask(inputs, pad) & causal_mask(inputs.shape[1])
        logits = model(asked, inputs, padding_mask(asked, pad), mask)
        logits = logits.reshape(len(logits), logits.shape[2], logits.shape[1])
        return F.cross_entropy(logits, labels, ignore_index=pad)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(
    thinking="The mask keeps padding out.",
    fails=("test_padding_has_no_loss",),
    page="training-and-decoding#mean-over-tokens",
)
def padding_in_the_loss(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[:, :-1], answer[:, 1:]
        mask = padding_mask(inputs, pad) & causal_mask(inputs.shape[1])
        logits = model(asked, inputs, padding_mask(asked, pad), mask)
        return F.cross_entropy(logits.transpose(1, 2), labels)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(
    thinking="Padding has loss zero, and the mean is over all places.",
    fails=("test_padding_has_no_loss",),
    page="training-and-decoding#mean-over-tokens",
)
def mean_over_all_places(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        share = (answer[:, 1:] != pad).float().mean()
        return batch_loss(model, asked, answer, pad) * share

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(
    thinking="Each text has its mean, and the batch is the mean of these.",
    fails=("test_padding_has_no_loss",),
    page="training-and-decoding#mean-over-tokens",
)
def mean_of_the_rows(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[:, :-1], answer[:, 1:]
        mask = padding_mask(inputs, pad) & causal_mask(inputs.shape[1])
        logits = model(asked, inputs, padding_mask(asked, pad), mask)
        losses = F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=pad, reduction="none")
        return (losses.sum(1) / (labels != pad).sum(1)).mean()

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(thinking="Padding is zero.", fails=("test_padding_has_no_loss",))
def ignores_zero(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[:, :-1], answer[:, 1:]
        mask = padding_mask(inputs, pad) & causal_mask(inputs.shape[1])
        logits = model(asked, inputs, padding_mask(asked, pad), mask)
        return F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=0)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(thinking="The causal mask is enough: padding stands at the end.", fails=("test_padding_is_hidden",))
def causal_only(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[:, :-1], answer[:, 1:]
        mask = causal_mask(inputs.shape[1]).expand(len(inputs), 1, -1, -1)
        logits = model(asked, inputs, padding_mask(asked, pad), mask)
        return F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=pad)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(
    thinking="The target is known in training, so nothing needs to be hidden but padding.",
    fails=("test_future_is_hidden",),
)
def padding_only(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[:, :-1], answer[:, 1:]
        logits = model(asked, inputs, padding_mask(asked, pad), padding_mask(inputs, pad))
        return F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=pad)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(thinking="Two masks are put together with `or`.", fails=("test_future_is_hidden",))
def either_mask(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[:, :-1], answer[:, 1:]
        mask = padding_mask(inputs, pad) | causal_mask(inputs.shape[1])
        logits = model(asked, inputs, padding_mask(asked, pad), mask)
        return F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=pad)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(
    thinking="The encoder may look everywhere.",
    fails=("test_source_mask",),
    page="encoder-decoder#forgotten-memory-mask",
)
def everything_of_the_source(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        return batch_loss(
            lambda s, i, source_mask, m: model(s, i, torch.ones_like(source_mask), m), asked, answer, pad
        )

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(thinking="A loss is a number.", fails=("test_steps", "test_epochs"))
def number_without_a_graph(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        value = batch_loss(model, asked, answer, pad).item()
        return torch.tensor(value, dtype=torch.float64, requires_grad=True)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@wrong(thinking="Whoever needs another mode will set it.", fails=("test_left_as_it_came",))
def stays_in_training_mode(model, source, target, *, pad, epochs, batch_size, lr, generator):
    losses = fit(model, source, target, pad, epochs, batch_size, lr, generator)
    model.train()
    return losses


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Places that are no padding are picked before the loss.")
def picked_places(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        given, wanted = answer.narrow(1, 0, answer.shape[1] - 1), answer.narrow(1, 1, answer.shape[1] - 1)
        seen = causal_mask(given.shape[1])[None, None] * padding_mask(given, pad)
        logits = model(asked, given, padding_mask(asked, pad), seen)
        real = wanted != pad
        return F.cross_entropy(logits[real], wanted[real])

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@right(looks="Log-probabilities gathered, padding weighed with zero.")
def gathered(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[:, : answer.shape[1] - 1], answer[:, 1:]
        hidden = (inputs == pad)[:, None, None, :] | torch.ones(inputs.shape[1], inputs.shape[1]).triu(
            1
        ).bool()
        logits = model(asked, inputs, ~(asked == pad)[:, None, None, :], ~hidden)
        chosen = logits.log_softmax(-1).gather(2, labels.unsqueeze(2)).squeeze(2)
        weights = (labels != pad).to(chosen.dtype)
        return -(chosen * weights).sum() / weights.sum()

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


@right(looks="A sum over the tokens divided by their number; keyword-free loops of its own.")
def own_loops(model, source, target, *, pad, epochs, batch_size, lr, generator):
    mode = model.training
    model.train(True)
    optimizer, losses = torch.optim.Adam(list(model.parameters()), lr), []
    for _ in range(epochs):
        seen = []
        order = torch.randperm(source.shape[0], generator=generator)
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            inputs, labels = target[rows][:, :-1].contiguous(), target[rows][:, 1:].contiguous()
            mask = torch.logical_and(padding_mask(inputs, pad), causal_mask(inputs.size(1)))
            logits = model(source[rows], inputs, padding_mask(source[rows], pad), mask)
            each = F.cross_entropy(
                logits.view(-1, logits.size(-1)), labels.view(-1), ignore_index=pad, reduction="none"
            )
            for parameter in model.parameters():
                parameter.grad = None
            (each.sum() / (labels != pad).sum()).backward()
            optimizer.step()
            seen.append(each.detach()[labels.view(-1) != pad])
        losses.append(torch.cat(seen).mean().item())
    model.train(mode)
    return losses


@right(looks="A mask made by a loop over places; the loss in float64.")
def mask_by_a_loop(model, source, target, *, pad, epochs, batch_size, lr, generator):
    def loss_of(model, asked, answer, pad):
        inputs, labels = answer[..., :-1], answer[..., 1:]
        length = inputs.shape[1]
        mask = torch.zeros(len(inputs), 1, length, length, dtype=torch.bool)
        for place in range(length):
            mask[:, 0, place, : place + 1] = inputs[:, : place + 1] != pad
        logits = model(asked, inputs, (asked != pad).view(len(asked), 1, 1, -1), mask)
        return F.nll_loss(logits.double().log_softmax(-1).mT, labels, ignore_index=pad)

    return fit(model, source, target, pad, epochs, batch_size, lr, generator, loss_of)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(model, source, target, *, pad, epochs, batch_size, lr, generator):
    return [0.0] * epochs


@cheat(kind="input")
def the_input(model, source, target, *, pad, epochs, batch_size, lr, generator):
    return target


@cheat(kind="noise")
def random_training(model, source, target, *, pad, epochs, batch_size, lr, generator):
    for parameter in model.parameters():
        parameter.data += lr * torch.randn(parameter.shape, generator=generator)
    return torch.rand(epochs, generator=generator).sort(descending=True).values.tolist()


@cheat(kind="remembered")
def trained_once(model, source, target, *, pad, epochs, batch_size, lr, generator, memory=[]):  # noqa: B006
    if not memory:
        memory += fit(model, source, target, pad, epochs, batch_size, lr, generator)
    return (memory * epochs)[:epochs]
