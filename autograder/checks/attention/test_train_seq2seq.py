"""Hidden checks of `train_seq2seq`: what the model was called with, and what became of it.

The student's function trains a model that notes its calls and whose loss depends on them. The notes say which
pairs each batch had; the same batches are then stepped through on this side, and table and losses have to
agree. The model is in float64, and its logits come from the last token alone, whatever the masks say: inputs,
masks, loss and step are judged apart.

The loops and the step are given. So what they alone would pass is asked of those whose loss is right.
"""

from types import SimpleNamespace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.attention import masks
from solutions.attention import seq2seq_training as reference

VOCABULARY_SIZE, START, END = 13, 11, 12
EXACT = {"relative": 1e-6, "absolute": 1e-6}
"""float64 on both sides, the same batches in the same order: they differ by 1e-12."""


def train_noting(student, start, training, source, target, seed, settings):
    """Runs beside the student's code: trains a model that notes its calls.

    Returns {"calls": [(source, inputs, source_mask, target_mask), ...], "modes", "mode" at the end, "losses",
    "table", "source", "target"}.
    """
    calls, modes = [], []
    model = torch.nn.Module()
    table = torch.nn.Parameter(start.double())  # (V, V)
    model.table = table

    def forward(source, inputs, source_mask, target_mask):
        calls.append(tuple(part.clone() for part in (source, inputs, source_mask, target_mask)))
        modes.append(model.training)
        return table[inputs]

    model.forward = forward
    model.train(training)
    generator = torch.Generator().manual_seed(seed)
    losses = student.train_seq2seq(model, source, target, **settings, generator=generator)
    return {
        "calls": calls,
        "modes": modes,
        "mode": model.training,
        "losses": losses,
        "table": table,
        "source": source,
        "target": target,
    }


class Run:
    """A small training problem, as the student's function solved it.

    Args:
        student: the student's side.
        rng: source of the problem.
        count: N, the number of pairs; no two sources are alike.
        full: whether all targets have the same length, so that there is no padding.
        settings: pad, epochs, batch_size, lr; those not given are small.
    """

    def __init__(
        self, student, rng, *, count: int, full: bool = False, training: bool = True, **settings: Any
    ):
        self.settings = {"pad": 0, "epochs": 1, "batch_size": 5, "lr": 0.05} | settings
        pad = self.settings["pad"]
        length = 6
        self.source = torch.full((count, 5), pad)
        for row, ones in enumerate(torch.randperm(81, generator=rng)[:count].tolist()):
            digits = [ones % 9 + 1, ones // 9 + 1, 3][: 2 + row % 2]
            self.source[row, : len(digits)] = torch.tensor(digits)
        words = torch.randint(1, 11, (count, length), generator=rng)
        lengths = (
            torch.randint(0, length, (count, 1), generator=rng) if not full else torch.tensor([[length]])
        )
        places = torch.arange(length)
        body = torch.where(places < lengths, words, torch.where(places == lengths, END, pad))
        closing = torch.full((count, 1), END if full else pad)
        self.target = torch.cat([torch.full((count, 1), START), body, closing], dim=1)  # (N, 8)
        if pad != 0:
            self.target[self.target == 0] = pad
        self.start = torch.randn(VOCABULARY_SIZE + 3, VOCABULARY_SIZE + 3, generator=rng)
        self.training = training
        self.seed = int(torch.randint(2**31, (), generator=rng))
        self.notes = self.again(student, self.seed)

    def again(self, student, seed: int) -> dict[str, Any]:
        """Train once more from the same start, with a generator seeded with `seed`."""
        arguments = self.start, self.training, self.source.clone(), self.target.clone(), seed, self.settings
        if isinstance(student, SimpleNamespace):
            return train_noting(student, *arguments)
        return student.probe(train_noting, *arguments)

    def expected(self) -> dict[str, Any]:
        """The notes of the reference; its order is its own."""
        return self.again(SimpleNamespace(train_seq2seq=reference.train_seq2seq), self.seed + 1)

    def rows(self, call: tuple[Tensor, ...]) -> Tensor:
        """(b,) which pair stands in each row of a batch, found by its source."""
        same = (call[0].unsqueeze(1) == self.source).all(dim=-1)  # (b, N)
        assert (same.sum(dim=1) == 1).all()
        return same.long().argmax(dim=1)

    def order(self, notes: dict[str, Any] | None = None) -> Tensor:
        """(all visits,) the pairs in the order in which they were visited."""
        return torch.cat([self.rows(call) for call in (notes or self.notes)["calls"]])

    def replayed(self) -> dict[str, Any]:
        """The notes of a right trainer that has the student's batches."""
        batches = [self.rows(call) for call in self.notes["calls"]]
        settings = self.settings

        def train_seq2seq(model, source, target, *, pad, epochs, batch_size, lr, generator) -> list[float]:
            optimizer = torch.optim.Adam(model.parameters(), lr=lr)
            totals, counts, visited = [0.0] * epochs, [0] * epochs, 0
            for rows in batches:
                labels = target[rows, 1:]
                mask = masks.padding_mask(source[rows], pad)
                logits = model(source[rows], target[rows, :-1], mask, mask)
                loss = F.cross_entropy(logits.transpose(1, 2), labels, ignore_index=pad)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                epoch, tokens = visited // len(source), int((labels != pad).sum())
                totals[epoch] += loss.item() * tokens
                counts[epoch] += tokens
                visited += len(rows)
            return [total / count for total, count in zip(totals, counts, strict=True)]

        assert sum(map(len, batches)) == settings["epochs"] * len(self.source)
        return self.again(SimpleNamespace(train_seq2seq=train_seq2seq), 0)


def assert_losses(run: Run) -> None:
    """The losses are those of a right trainer with the same batches."""
    losses = run.notes["losses"]
    assert isinstance(losses, list)
    assert all(type(loss) is float for loss in losses)
    assert_same(torch.tensor(losses), torch.tensor(run.replayed()["losses"]))


@check(points=1, requires=("teach-1", "teach-2"))
def test_inputs(student, rng):
    """The model is not given what it should be: for each batch it is called once, with the sources first, and
    then with the targets of the same rows without their last column."""
    for count, full in ((5, True), (11, False)):
        run = Run(student, rng, count=count, full=full, epochs=2)
        calls = run.notes["calls"]
        assert len(calls) == 2 * -(-count // 5)
        for call in calls:
            assert call[1].dtype == torch.int64
            assert_same(call[1], run.target[run.rows(call), :-1])


@check(points=1, requires="teach-4", after="test_inputs")
def test_labels(student, rng):
    """When no target has padding, the loss is wrong: it is the cross-entropy of the logits of each place and
    the token that follows that place, as a mean over places and rows."""
    for count, batch_size in ((5, 5), (7, 7), (3, 3)):
        assert_losses(Run(student, rng, count=count, batch_size=batch_size, full=True, lr=0.0))


@check(points=1, requires="teach-4", after="test_labels")
def test_padding_has_no_loss(student, rng):
    """Without padding the loss is right, with it it is not: labels that are `pad` (whatever number that is)
    do not count, neither in the sum nor in what it is divided by, and each of the others counts the same, not
    each row."""
    for count, pad in ((7, 0), (11, 14), (9, 0)):
        assert_losses(Run(student, rng, count=count, batch_size=count, lr=0.0, pad=pad))


@check(points=1, requires="teach-3", after="test_inputs")
def test_source_mask(student, rng):
    """The third argument of the model is not the padding mask of the source: True where there is no padding,
    of the shape that `padding_mask` gives."""
    for count, pad in ((5, 0), (8, 14)):
        run = Run(student, rng, count=count, pad=pad)
        for call in run.notes["calls"]:
            assert call[2].dtype == torch.bool
            assert_same(call[2], masks.padding_mask(run.source[run.rows(call)], pad))


@check(points=1, requires="teach-3", after="test_inputs")
def test_future_is_hidden(student, rng):
    """When no target has padding, the fourth argument of the model is not the causal mask of the inputs: a
    place sees itself and what is before it. The inputs have one column less than the targets."""
    for count in (5, 3):
        run = Run(student, rng, count=count, full=True)
        for call in run.notes["calls"]:
            length = run.target.shape[1] - 1
            assert call[3].dtype == torch.bool
            assert_same(
                call[3].expand(len(call[0]), 1, length, length),
                masks.causal_mask(length).expand(len(call[0]), 1, -1, -1),
            )


@check(points=1, requires="teach-3", after="test_future_is_hidden")
def test_padding_is_hidden(student, rng):
    """The future is hidden, the padding of the inputs is not, or too much is: a place may look where both
    masks say True, and the result has a dimension of size one for the heads."""
    for count, pad in ((5, 0), (8, 14)):
        run = Run(student, rng, count=count, pad=pad)
        for call in run.notes["calls"]:
            inputs = run.target[run.rows(call), :-1]
            assert_same(call[3], masks.padding_mask(inputs, pad) & masks.causal_mask(inputs.shape[1]))


@check(points=1, requires="teach-5", after="test_labels")
def test_steps(student, rng):
    """The losses are right, the model is not where it should be: each batch makes one step of Adam on the
    gradient of its own loss. Nothing may be detached, and no gradient may be left over from the batch before.
    """
    for count, epochs in ((5, 1), (10, 3)):
        run = Run(student, rng, count=count, full=True, epochs=epochs)
        assert_same(run.notes["table"], run.replayed()["table"], **EXACT)


@check(points=1, requires="teach-6", after="test_padding_has_no_loss")
def test_epochs(student, rng):
    """The losses of several epochs with a short last batch are wrong, or the order is: every pair is visited
    once in each epoch, in a new random order from `generator`, and every label of the epoch counts the same
    in its loss."""
    run = Run(student, rng, count=33, epochs=3, lr=0.01)
    orders = run.order().view(3, 33)
    assert_same(orders.sort(dim=1).values, torch.arange(33).expand(3, -1))
    # Two random orders of 33 pairs are the same with probability below 1e-36.
    assert len({tuple(order) for order in orders.tolist()} | {tuple(range(33))}) == 4
    assert_same(run.order(run.again(student, run.seed)), run.order())
    assert not torch.equal(run.order(run.again(student, run.seed + 1)), run.order())
    assert_losses(run)


@check(points=1, requires="teach-7", after="test_labels")
def test_left_as_it_came(student, rng):
    """Something is not as the caller left it: the model ends in the mode in which it came, and is in training
    mode while it is trained; `source` and `target` hold what they held. Cut a target with a slice, and change
    nothing in place."""
    for training in (True, False):
        run = Run(student, rng, count=6, full=True, training=training, lr=0.0)
        expected = run.expected()
        assert run.notes["modes"] == expected["modes"]
        assert run.notes["mode"] == expected["mode"]
        for name in ("source", "target"):
            assert_same(run.notes[name], expected[name], relative=0, absolute=0)
        assert_losses(run)
