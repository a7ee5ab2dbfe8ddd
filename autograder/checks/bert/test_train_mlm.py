"""Hidden checks of `train_mlm`: what the model was called with, what it was paid for, and what became of it.

The student's function trains a model that notes its calls. The gradient that comes back to its scores tells
what was asked: it is zero where nothing was, and lowest at the label. So labels need not be seen, and any
right way to draw passes. The same batches with the same labels are then stepped through on this side. The
model is in float64, and its scores come from the token at the position alone, whatever the mask says: inputs,
mask, labels, loss and step are judged apart. Each text has words of its own, which tell it in any batch.

The loops and the step are given. So what they alone would pass is asked of those whose loss is right. Shares
are held to `chance`, in five comparisons; nothing else here depends on luck by more than 1e-8.
"""

from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.checks import check
from autograder.checks.bert.chance import assert_share
from autograder.checks.comparing import assert_same
from solutions.bert import mlm_training as reference

CLS, SEP, MASK, FIRST = 5, 6, 7, 10
"""Numbers of three tokens, and of the first word; 8 and 9 may be padding."""
OWN = 4
"""How many words belong to one text alone."""
EXACT = {"relative": 1e-6, "absolute": 1e-6}
"""float64 on both sides, the same batches in the same order: they differ by 1e-12."""


def train_noting(student, start, training, tokens, special_ids, seed, settings):
    """Runs beside the student's code: trains a model that notes its calls.

    Returns {"inputs", "masks", "gradients": one for each call, of the scores; zeros where none came back,
    "modes": whether each call was in training mode, "mode" at the end, "losses", "table", "tokens" at the
    end}.
    """
    inputs_of: list[Tensor] = []
    masks, gradients, modes = [], [], []
    model = torch.nn.Module()
    table = torch.nn.Parameter(start.double())  # (V, V)
    model.table = table

    def forward(inputs, mask):
        number = len(inputs_of)
        inputs_of.append(inputs.clone())
        masks.append(mask.clone())
        modes.append(model.training)
        scores = table[inputs]
        gradients.append(torch.zeros_like(scores, requires_grad=False))
        if scores.requires_grad:
            scores.register_hook(lambda gradient: gradients.__setitem__(number, gradient.clone()))
        return scores

    model.forward = forward
    model.train(training)
    generator = torch.Generator().manual_seed(seed)
    losses = student.train_mlm(model, tokens, special_ids=special_ids, **settings, generator=generator)
    return {
        "inputs": inputs_of,
        "masks": masks,
        "gradients": gradients,
        "modes": modes,
        "mode": model.training,
        "losses": losses,
        "table": table,
        "tokens": tokens,
    }


class Run:
    """A small training problem, as the student's function solved it.

    Args:
        student: the student's side.
        rng: source of the problem.
        count: N, the number of texts.
        length: T.
        full: whether a text is words alone; else it has special tokens around 16 words or more, and padding.
        pad: the number of padding.
        training: the mode of the model before.
        empty: whether the first text has no word: `[CLS]`, `[SEP]`, padding.
        settings: epochs, batch_size, lr; those not given are small, with a learning rate of zero.
    """

    def __init__(
        self,
        student,
        rng,
        *,
        count: int,
        length: int = 24,
        full: bool = False,
        pad: int = 0,
        training: bool = True,
        empty: bool = False,
        **settings: Any,
    ):
        size = FIRST + OWN * count
        given = {"epochs": 1, "batch_size": 5, "lr": 0.0} | settings
        self.settings = {"pad": pad, "mask_id": MASK, "vocabulary_size": size} | given
        row = torch.arange(count)[:, None]
        self.tokens = FIRST + OWN * row + torch.randint(OWN, (count, length), generator=rng)  # (N, T)
        self.special_ids = torch.tensor([SEP, pad, CLS])
        if not full:
            ends = torch.randint(17, length, (count, 1), generator=rng)
            ends[0] = 1 if empty else ends[0]
            places = torch.arange(length)
            self.tokens = torch.where(places < ends, self.tokens, torch.where(places == ends, SEP, pad))
            self.tokens[:, 0] = CLS
        self.start = torch.randn(size, size, generator=rng)
        self.training = training
        self.seed = int(torch.randint(2**31, (), generator=rng))
        self.notes = self.again(student, self.seed)

    def again(self, student, seed: int) -> dict[str, Any]:
        """Train once more from the same start, with a generator seeded with `seed`."""
        arguments = self.start, self.training, self.tokens.clone(), self.special_ids, seed, self.settings
        if isinstance(student, SimpleNamespace):
            return train_noting(student, *arguments)
        return student.probe(train_noting, *arguments)

    def expected(self) -> dict[str, Any]:
        """The notes of the reference; its order and what it hides are its own."""
        return self.again(SimpleNamespace(train_mlm=reference.train_mlm), self.seed + 1)

    def batches(self) -> list[Tensor]:
        """(b,) for each call: which text stands in each row, told by the words that most positions show.

        Another text has as many votes only where 13 of 16 words are hidden and those drawn for them come from one text:
        a probability below 1e-11 a visit. A row without votes is the text without words, the first one.
        """
        found = []
        for inputs in self.notes["inputs"]:
            owner = torch.where(inputs >= FIRST, (inputs - FIRST) // OWN, len(self.tokens))  # (b, T)
            votes = F.one_hot(owner, len(self.tokens) + 1)[..., :-1].sum(dim=1)  # (b, N)
            found.append(torch.where(votes.amax(dim=1) > 0, votes.argmax(dim=1), 0))
        return found

    def texts(self) -> Tensor:
        """(all visits, T) the texts as they were visited."""
        return self.tokens[torch.cat(self.batches())]

    def inputs(self) -> Tensor:
        """(all visits, T) what the model saw."""
        return torch.cat(self.notes["inputs"])

    def asked(self) -> list[Tensor]:
        """(b, T) bool for each call: where the scores have a gradient."""
        return [gradient.ne(0).any(dim=-1) for gradient in self.notes["gradients"]]

    def labels(self) -> Tensor:
        """(all visits, T) what was asked, as the gradient tells it; -100 where nothing was."""
        pairs = zip(self.asked(), self.notes["gradients"], strict=True)
        return torch.cat([torch.where(asked, gradient.argmin(dim=-1), -100) for asked, gradient in pairs])

    def replayed(self) -> dict[str, Any]:
        """The notes of a right trainer that has the student's batches and chooses what the student chose."""
        calls = list(zip(self.batches(), self.notes["inputs"], self.asked(), strict=True))
        epochs, lr = self.settings["epochs"], self.settings["lr"]

        def train_mlm(model, tokens, **_: Any) -> list[float]:
            optimizer = torch.optim.Adam(model.parameters(), lr=lr)
            totals, counts, visited = [0.0] * epochs, [0] * epochs, 0
            for rows, inputs, asked in calls:
                logits, labels = model(inputs, inputs != MASK), torch.where(asked, tokens[rows], -100)
                summed = F.cross_entropy(logits.transpose(1, 2), labels, reduction="sum")
                optimizer.zero_grad()
                (summed / max(int(asked.sum()), 1)).backward()
                optimizer.step()
                epoch = visited // len(tokens)
                totals[epoch] += summed.item()
                counts[epoch] += int(asked.sum())
                visited += len(rows)
            return [total / max(count, 1) for total, count in zip(totals, counts, strict=True)]

        assert sum(map(len, self.batches())) == epochs * len(self.tokens)
        return self.again(SimpleNamespace(train_mlm=train_mlm), 0)


def assert_losses(run: Run) -> None:
    """Losses and gradients are those of a right trainer with the same batches."""
    losses, replayed = run.notes["losses"], run.replayed()
    assert isinstance(losses, list)
    assert all(type(loss) is float for loss in losses)
    assert_same(torch.tensor(losses), torch.tensor(replayed["losses"]))
    for found, expected in zip(run.notes["gradients"], replayed["gradients"], strict=True):
        assert_same(found, expected)


@check(points=0, requires="mlm-1")
def test_inputs(student, rng):
    """The model is not given what it should be: for each batch it is called once, with the inputs that
    `mask_tokens` made of the batch with its usual rate, not with the texts and not with the labels."""
    run = Run(student, rng, count=3, length=800, full=True, epochs=4, batch_size=2)
    assert len(run.notes["inputs"]) == 4 * 2
    assert all(inputs.dtype == torch.int64 for inputs in run.notes["inputs"])
    inputs, texts = run.inputs(), run.texts()
    assert inputs.shape == texts.shape
    size = len(run.start)
    assert_share(inputs == MASK, 0.15 * (0.8 + 0.1 / size))
    assert_share(inputs == texts, 0.85 + 0.15 * (0.1 + 0.1 / size))


@check(points=1, requires="mlm-2", after="test_inputs")
def test_padding_mask(student, rng):
    """The second argument of the model is wrong: it is True at every token of the text, special ones and
    hidden ones too, and False at padding, whatever number that is. A random token may have the number of
    padding, so ask the texts."""
    for count, pad in ((5, 0), (8, 9)):
        run = Run(student, rng, count=count, pad=pad)
        for rows, mask in zip(run.batches(), run.notes["masks"], strict=True):
            assert mask.dtype == torch.bool
            assert_same(mask.long(), (run.tokens[rows] != pad).long())
    # No text has padding. Of 16,000 positions about 240 show one of 18 random tokens, so that some show padding; a mask
    # that was made from the inputs passes with a probability below 1e-5.
    run = Run(student, rng, count=2, length=2000, full=True, epochs=4)
    masks = torch.cat(run.notes["masks"])
    assert_same(masks.long(), torch.ones_like(run.texts()))


@check(points=1, requires=("mlm-1", "mlm-4"), after="test_inputs")
def test_what_is_asked(student, rng):
    """The texts have no special token, and the model is paid for the wrong positions or the wrong tokens: it
    is asked for what stood at the chosen positions before, those with a random token and those that stayed
    included, and nowhere else. The labels must reach the loss, and the loss the model: nothing may be
    detached."""
    run = Run(student, rng, count=3, length=800, full=True, epochs=4, batch_size=2)
    labels, inputs, texts = run.labels(), run.inputs(), run.texts()
    asked = labels != -100
    assert_same(labels[asked], texts[asked], relative=0, absolute=0)
    assert_same(inputs[~asked], texts[~asked], relative=0, absolute=0)
    assert_share(asked, 0.15)
    assert_share((inputs == texts)[asked], 0.1 + 0.1 / len(run.start))


@check(points=1, requires="mlm-3", after="test_what_is_asked")
def test_special_tokens(student, rng):
    """Special tokens were hidden or asked for: none of `special_ids` is ever chosen, padding is only one of
    them, and their numbers may be any."""
    for count, pad in ((8, 0), (9, 9)):
        run = Run(student, rng, count=count, pad=pad, epochs=4)
        labels, inputs, texts = run.labels(), run.inputs(), run.texts()
        special = torch.isin(texts, run.special_ids)
        assert_same(labels[special], torch.full_like(labels[special], -100), relative=0, absolute=0)
        assert_same(inputs[special], texts[special], relative=0, absolute=0)
        asked = labels != -100
        assert_same(labels[asked], texts[asked], relative=0, absolute=0)
        assert asked.any()


@check(points=1, requires="mlm-4", after="test_what_is_asked")
def test_loss(student, rng):
    """The right tokens are asked for, but the loss is not the mean over the chosen positions of the batch: it
    is no sum, it is not divided by all positions, and a text in which much was chosen counts more than one in
    which little was."""
    for count in (5, 9, 7):
        assert_losses(Run(student, rng, count=count, full=True, batch_size=count))


@check(points=1, requires="mlm-5", after="test_loss")
def test_nothing_chosen(student, rng):
    """A batch in which nothing was chosen spoils the losses or the model: a mean over no positions divides
    zero by zero, and one such step makes every weight useless."""
    for count, epochs in ((2, 25), (1, 2)):  # of 16 words and more, none, one or several are chosen
        run = Run(student, rng, count=count, empty=True, batch_size=1, epochs=epochs)
        assert_same(run.notes["table"], run.start)
        assert_losses(run)


@check(points=1, requires="mlm-6", after="test_what_is_asked")
def test_hidden_anew(student, rng):
    """The same words are hidden in every epoch: draw them for each batch when it is visited, from the
    generator that is given, and do not begin that one anew."""
    run = Run(student, rng, count=10, length=100, full=True, epochs=3)
    asked = run.labels() != -100
    assert_share(asked, 0.15)
    # Of 30 visits two ask for the same of 100 positions with a probability below 1e-10.
    assert len({tuple(row) for row in asked.tolist()}) == 30
    again = run.again(student, run.seed)
    assert_same(torch.cat(again["inputs"]), run.inputs(), relative=0, absolute=0)


@check(points=0, requires="mlm-7", after="test_loss")
def test_steps(student, rng):
    """The losses are right, the model is not where it should be: each batch makes one step of Adam on the
    gradient of its own loss. No gradient may be left over from the batch before."""
    for count, epochs in ((5, 1), (10, 3)):
        run = Run(student, rng, count=count, full=True, epochs=epochs, lr=0.05)
        assert_same(run.notes["table"], run.replayed()["table"], **EXACT)


@check(points=1, requires="mlm-8", after="test_loss")
def test_epochs(student, rng):
    """The losses of several epochs with a short last batch are wrong, or the order, or something is not as
    the caller left it: every text is visited once in each epoch, in a new random order, and every chosen
    position of the epoch counts the same in its loss. The model ends in the mode in which it came, is in
    training mode while it is trained, and `tokens` holds what it held."""
    for training in (True, False):
        run = Run(student, rng, count=14, full=True, epochs=3, lr=0.01, training=training)
        orders = torch.cat(run.batches()).view(3, 14)
        assert_same(orders.sort(dim=1).values, torch.arange(14).expand(3, -1))
        # Two random orders of 14 texts are the same with probability below 1e-10.
        assert len({tuple(order) for order in orders.tolist()} | {tuple(range(14))}) == 4
        assert_losses(run)
        expected = run.expected()
        assert run.notes["modes"] == expected["modes"]
        assert run.notes["mode"] == expected["mode"]
        assert_same(run.notes["tokens"], expected["tokens"], relative=0, absolute=0)
