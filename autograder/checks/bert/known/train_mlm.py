"""Known answers to `train_mlm`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong
from solutions.bert.masking import mask_tokens


def observe(student, seed):
    """Losses, parameters, mode and calls of a small run of a model that sees one token."""
    rng = torch.Generator().manual_seed(seed)
    count, batch_size, length = (int(each) + 2 for each in torch.randint(6, (3,), generator=rng))
    model, calls = torch.nn.Linear(9, 9, bias=False, dtype=torch.float64), []
    model.weight.data = torch.randn(9, 9, generator=rng).double()

    def forward(inputs, mask):
        calls.append((model.training, inputs.tolist(), mask.tolist()))
        return model.weight[inputs]

    model.forward = forward
    model.train(bool(seed % 2))
    losses = student.train_mlm(
        model,
        torch.randint(0, 9, (count, length), generator=rng),
        special_ids=torch.tensor([seed % 4, 4]),
        pad=seed % 4,
        mask_id=5,
        vocabulary_size=9,
        epochs=2,
        batch_size=batch_size,
        lr=0.02,
        generator=torch.Generator().manual_seed(seed),
    )
    return losses, model.weight.detach().clone(), model.training, calls


# --- Wrong -----------------------------------------------------------------------------------------------


def mean_loss(logits, labels):
    """The mean over the chosen positions, 0 without any."""
    summed = F.cross_entropy(logits.transpose(1, 2), labels, reduction="sum")
    return summed / max(int((labels != -100).sum()), 1)


def right_batch(model, texts, generator, settings):
    """The labels and the loss of a batch, as they should be."""
    special = torch.isin(texts, settings["special_ids"])
    inputs, labels = mask_tokens(texts, special, settings["mask_id"], settings["vocabulary_size"], generator)
    return labels, mean_loss(model(inputs, texts != settings["pad"]), labels)


def fit(model, tokens, settings, batch_of=right_batch):
    """The loops of a right trainer, for the wrong ones to put their own labels and loss in."""
    was_training, generator = model.training, settings["generator"]
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=settings["lr"])
    history = []
    for _ in range(settings["epochs"]):
        total, count = 0.0, 0
        for batch in torch.randperm(len(tokens), generator=generator).split(settings["batch_size"]):
            labels, loss = batch_of(model, tokens[batch], generator, settings)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            chosen = int((labels != -100).sum())
            total, count = total + loss.item() * chosen, count + chosen
        history.append(total / max(count, 1))
    model.train(was_training)
    return history


@wrong(thinking="The model reads the text and fills the gaps.", fails=("test_inputs",))
def model_sees_the_text(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        _, labels = mask_tokens(texts, special, *sizes, generator)
        return labels, mean_loss(model(texts, texts != settings["pad"]), labels)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="More is hidden, so more is learnt.", fails=("test_inputs",))
def twice_the_rate(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator, 0.3)
        return labels, mean_loss(model(inputs, texts != settings["pad"]), labels)

    return fit(model, tokens, settings, batch_of)


@wrong(
    thinking="The loss runs over all tokens; the labels only count the chosen ones.",
    fails=("test_what_is_asked",),
    page="masked-words#loss-everywhere",
)
def paid_everywhere(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        logits = model(inputs, texts != settings["pad"])
        return labels, F.cross_entropy(logits.transpose(1, 2), texts)

    return fit(model, tokens, settings, batch_of)


@wrong(
    thinking="The model has to say what it sees.",
    fails=("test_what_is_asked",),
    page="masked-words#answers-were-masked",
)
def paid_for_the_inputs(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        labels = torch.where(labels != -100, inputs, -100)
        return labels, mean_loss(model(inputs, texts != settings["pad"]), labels)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="Only what shows [MASK] has to be found.", fails=("test_what_is_asked",))
def paid_for_masks_only(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        labels = labels.masked_fill(inputs != settings["mask_id"], -100)
        return labels, mean_loss(model(inputs, texts != settings["pad"]), labels)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="Only what was changed has to be found.", fails=("test_what_is_asked",))
def paid_for_changes_only(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        labels = labels.masked_fill(inputs == texts, -100)
        return labels, mean_loss(model(inputs, texts != settings["pad"]), labels)

    return fit(model, tokens, settings, batch_of)


@wrong(
    thinking="Only padding is special.",
    fails=("test_special_tokens",),
    page="masked-words#special-chosen",
)
def only_padding_is_special(model, tokens, **settings):
    settings["special_ids"] = torch.tensor([settings["pad"]])
    return fit(model, tokens, settings)


@wrong(
    thinking="The special tokens have the lowest numbers, up to [MASK].",
    fails=("test_special_tokens",),
    page="masked-words#special-chosen",
)
def special_by_number(model, tokens, **settings):
    settings["special_ids"] = torch.arange(settings["mask_id"] + 1)
    return fit(model, tokens, settings)


@wrong(thinking="What is special is not looked at.", fails=("test_padding_mask",))
def special_is_not_looked_at(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        return labels, mean_loss(model(inputs, ~special), labels)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="Padding is told by what the model sees.", fails=("test_padding_mask",))
def mask_of_the_inputs(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        return labels, mean_loss(model(inputs, inputs != settings["pad"]), labels)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="True hides.", fails=("test_padding_mask",))
def true_at_padding(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        return right_batch(lambda inputs, mask: model(inputs, ~mask), texts, generator, settings)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="Padding is zero.", fails=("test_padding_mask",))
def padding_is_zero(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        return right_batch(lambda inputs, _: model(inputs, texts != 0), texts, generator, settings)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="A loss is added up over the positions.", fails=("test_loss",))
def sum_over_the_positions(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        labels, loss = right_batch(model, texts, generator, settings)
        return labels, loss * int((labels != -100).sum())

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="What is not asked has loss zero, and the mean is over all.", fails=("test_loss",))
def mean_over_all_positions(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        labels, loss = right_batch(model, texts, generator, settings)
        return labels, loss * (labels != -100).double().mean()

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="Each text has its mean.", fails=("test_loss",))
def mean_of_the_texts(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        logits = model(inputs, texts != settings["pad"])
        losses = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none").sum(1)
        return labels, (losses / (labels != -100).sum(1).clamp(min=1)).mean()

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="`cross_entropy` takes the mean by itself.", fails=("test_nothing_chosen",))
def mean_over_nothing(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        logits = model(inputs, texts != settings["pad"])
        return labels, F.cross_entropy(logits.flatten(0, 1), labels.flatten())

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="The words are hidden once, before the training.", fails=("test_hidden_anew",))
def hidden_once(model, tokens, **settings):
    found = {}

    def batch_of(model, texts, generator, settings):
        special = torch.isin(texts, settings["special_ids"])
        sizes = settings["mask_id"], settings["vocabulary_size"]
        rows = [tuple(text) for text in texts.tolist()]
        for number, row in enumerate(rows):
            if row not in found:
                found[row] = mask_tokens(
                    texts[number : number + 1], special[number : number + 1], *sizes, generator
                )
        inputs, labels = (torch.cat(parts) for parts in zip(*(found[row] for row in rows), strict=True))
        return labels, mean_loss(model(inputs, texts != settings["pad"]), labels)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="A generator with a fixed seed makes it repeatable.", fails=("test_hidden_anew",))
def generator_begun_anew(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        return right_batch(model, texts, torch.Generator().manual_seed(0), settings)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="A loss is a number.", fails=("test_what_is_asked",))
def number_without_a_graph(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        labels, loss = right_batch(model, texts, generator, settings)
        return labels, torch.tensor(loss.item(), requires_grad=True)

    return fit(model, tokens, settings, batch_of)


@wrong(thinking="Gradients are kept until somebody clears them.", fails=("test_steps", "test_epochs"))
def gradients_add_up(model, tokens, **settings):
    zeroed = torch.optim.Adam.zero_grad
    torch.optim.Adam.zero_grad = lambda *_: None
    try:
        return fit(model, tokens, settings)
    finally:
        torch.optim.Adam.zero_grad = zeroed


@wrong(thinking="Whoever needs another mode will set it.", fails=("test_epochs",))
def stays_in_training_mode(model, tokens, **settings):
    losses = fit(model, tokens, settings)
    model.train()
    return losses


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Chosen positions are picked before the loss; an empty selection has a sum of zero.")
def picked_positions(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = (texts[..., None] == settings["special_ids"]).any(-1)
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts.clone(), special, *sizes, generator, rate=0.15)
        chosen = labels >= 0
        logits = model(inputs, texts.ne(settings["pad"]))[chosen]
        return labels, F.cross_entropy(logits, labels[chosen]) if chosen.any() else 0.0 * logits.sum()

    return fit(model, tokens, settings, batch_of)


@right(looks="Log-probabilities gathered and weighed; the mask as a comparison the other way round.")
def gathered(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        special = sum(texts == number for number in settings["special_ids"].tolist()).bool()
        sizes = settings["mask_id"], settings["vocabulary_size"]
        inputs, labels = mask_tokens(texts, special, *sizes, generator)
        prices = -model(inputs, ~(texts == settings["pad"])).log_softmax(-1)
        weights = (labels != -100).to(prices.dtype)
        found = prices.gather(2, labels.clamp(min=0).unsqueeze(2)).squeeze(2)
        return labels, (found * weights).sum() / weights.sum().clamp(min=1)

    return fit(model, tokens, settings, batch_of)


@right(looks="Loops of its own; a batch in which nothing was chosen has a loss that hangs on nothing.")
def own_loops(
    model, tokens, *, special_ids, pad, mask_id, vocabulary_size, epochs, batch_size, lr, generator
):
    mode = model.training
    model.train(True)
    optimizer, means = torch.optim.Adam(list(model.parameters()), lr), []
    for _ in range(epochs):
        prices = [torch.zeros(0)]
        order = torch.randperm(tokens.shape[0], generator=generator).tolist()
        while order:
            rows, order = order[:batch_size], order[batch_size:]
            texts = tokens[rows]
            inputs, labels = mask_tokens(
                texts, torch.isin(texts, special_ids), mask_id, vocabulary_size, generator
            )
            logits = model(inputs, mask=texts != pad)
            chosen = labels != -100
            each = F.cross_entropy(logits[chosen], labels[chosen], reduction="none")
            loss = each.mean() if len(each) else torch.zeros((), requires_grad=True)
            for parameter in model.parameters():
                parameter.grad = None
            loss.backward()
            optimizer.step()
            prices.append(each.detach())
        means.append(torch.cat(prices).mean().item() if len(torch.cat(prices)) else 0.0)
    model.train(mode)
    return means


@right(looks="Hides words by itself, with one die for each position; the loss in float32.")
def hides_by_itself(model, tokens, **settings):
    def batch_of(model, texts, generator, settings):
        die = torch.rand(texts.shape, generator=generator)
        words = torch.randint(settings["vocabulary_size"], texts.shape, generator=generator)
        die[torch.isin(texts, settings["special_ids"])] = 1
        labels = texts.masked_fill(die >= 0.15, -100)
        inputs = torch.where(die < 0.135, torch.where(die < 0.12, settings["mask_id"], words), texts)
        return labels, mean_loss(model(inputs, texts != settings["pad"]).float(), labels)

    return fit(model, tokens, settings, batch_of)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(model, tokens, **settings):
    return [0.0] * settings["epochs"]


@cheat(kind="input")
def the_input(model, tokens, **settings):
    return tokens


@cheat(kind="noise")
def random_training(model, tokens, **settings):
    for parameter in model.parameters():
        parameter.data += settings["lr"] * torch.randn(parameter.shape, generator=settings["generator"])
    return (
        torch.rand(settings["epochs"], generator=settings["generator"]).sort(descending=True).values.tolist()
    )


@cheat(kind="remembered")
def trained_once(model, tokens, **settings):
    if not hasattr(torch, "remembered"):
        torch.remembered = fit(model, tokens, settings)
    return (torch.remembered * settings["epochs"])[: settings["epochs"]]
