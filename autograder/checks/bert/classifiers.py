"""What the checks of the classifiers share: the student's beside the reference's, both on the same small parts.

The parts are made beside the student's code, and their weights are drawn here. The mask is seen in all that the
encoder gives, or in nothing of it (`mixing`), so that each check can look at one thing.

Letters: `B` texts, `T` positions, `D` width, `C` classes.
"""

from types import ModuleType

import torch
from torch import Tensor, nn

from autograder.checks.comparing import assert_same

VOCABULARY_SIZE = 30

ALMOST_NEVER = 6.5
"""Standard deviations: a count of some hundred trials lies further out with probability below 1e-8."""

Texts = tuple[Tensor, Tensor, Tensor]
"""Tokens and types (B, T) long, mask (B, T) bool."""


def make(student, kind, vocabulary_size, width, settings):
    """Runs beside the student's code: the classifier `kind` on an embedding and on an encoder."""

    class Embeddings(nn.Module):
        def __init__(self):
            super().__init__()
            self.token, self.segment = nn.Embedding(vocabulary_size, width), nn.Embedding(2, width)

        def forward(self, tokens, types):
            return self.token(tokens) + self.segment(types)

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.own, self.others = nn.Linear(width, width), nn.Linear(width, width, bias=False)
            self.others.requires_grad_(
                False
            )  # its gradient would tell the mask, also where the mask changes nothing

        def forward(self, x, mask):
            seen = x.masked_fill(~mask.unsqueeze(-1), 0.0).sum(dim=1, keepdim=True)  # (B, 1, D)
            mean = seen / mask.sum(dim=1).clamp(min=1).view(-1, 1, 1)
            return torch.tanh(self.own(x)) + torch.tanh(self.others(mean))

    return getattr(student, kind)(Embeddings(), Encoder(), width, **settings)


def make_classifiers(
    student, rng: torch.Generator, reference: ModuleType, kind: str, width: int, *, mixing: bool, **settings
) -> tuple:
    """The student's classifier and the reference's in evaluation mode, with the same weights.

    Args:
        student: the student's side.
        rng: source of the weights.
        reference: the module of the reference.
        kind: name of the class.
        width: D.
        mixing: whether a position sees those that the mask allows; if not, the mask changes nothing in the encoder.
        settings: what the class takes beside its parts and D.
    """
    theirs = student.probe(make, kind, VOCABULARY_SIZE, width, settings)
    ours = make(reference, kind, VOCABULARY_SIZE, width, settings)
    state = ours.state_dict()  # the classifier's own tensors
    for name, value in state.items():
        spread = 1.0 if name.startswith("embeddings") else value.shape[-1] ** -0.5
        value.normal_(0.0, spread if value.ndim == 2 else 0.5, generator=rng)
    if not mixing:
        state["encoder.others.weight"].zero_()
    theirs.load_state(state)
    theirs.eval()
    return theirs, ours.eval()


def draw_texts(
    rng: torch.Generator, batch: int, length: int, *, two: bool = False, padded: bool = False
) -> Texts:
    """Random texts; `two`: a second sentence begins somewhere; `padded`: all but the first text end early."""
    places = torch.arange(length)
    tokens = torch.randint(VOCABULARY_SIZE, (batch, length), generator=rng)
    mask = torch.ones(batch, length, dtype=torch.bool)
    types = torch.zeros(batch, length, dtype=torch.long)
    if padded:
        mask[1:] = places < torch.randint(1, length, (batch - 1, 1), generator=rng)
    if two:
        types = (places >= torch.randint(1, length, (batch, 1), generator=rng)).long()
    return tokens, types, mask


def assert_dropout(
    student, rng: torch.Generator, reference: ModuleType, kind: str, texts: Texts, share: float, **settings
) -> None:
    """Each entry of what the last layer reads is kept or dropped by itself in training, and nothing else is.

    The last layer turns its input and adds something, so that the input can be told from the logits.

    Args:
        student, rng, reference, kind: as for `make_classifiers`.
        texts: many, since entries are counted.
        share: how likely an entry is to be dropped.
        settings: `dropout`, or nothing where `share` is what a classifier has by itself.
    """
    width = 8
    theirs, ours = make_classifiers(
        student, rng, reference, kind, width, mixing=False, num_classes=width, **settings
    )
    state = ours.state_dict()
    state["classifier.weight"].copy_(torch.linalg.qr(torch.randn(width, width, generator=rng)).Q)
    theirs.load_state(state)
    weight, bias = state["classifier.weight"], state["classifier.bias"]
    evaluated = ours(*texts).detach()
    theirs.train()
    trained = theirs(*texts)
    assert_same(trained * 0, evaluated * 0)
    found = ((trained - bias) @ weight).double() * (1 - share)
    whole = ((evaluated - bias) @ weight).double()
    kept = found / whole > 0.5
    assert_same(found, whole * kept)
    assert_each_by_itself(kept, 1 - share)
    theirs.eval()
    assert_same(theirs(*texts), evaluated)


def assert_each_by_itself(kept: Tensor, probability: float) -> None:
    """A share of `probability` of the entries is True, and in no dimension do neighbours share a draw."""
    assert_count(kept, probability)
    for dim in range(kept.ndim):
        entries = kept.movedim(dim, 0)
        pairs = len(entries) // 2
        agree = entries[: 2 * pairs : 2] == entries[1 : 2 * pairs : 2]
        assert_count(agree, probability**2 + (1 - probability) ** 2)


def assert_count(happened: Tensor, probability: float) -> None:
    """About a share of `probability` of the entries is True."""
    spread = (happened.numel() * probability * (1 - probability)) ** 0.5
    assert abs(happened.sum().item() - happened.numel() * probability) <= ALMOST_NEVER * spread


def assert_gradients(theirs, ours: nn.Module, weighing: Tensor | tuple[Tensor, Tensor], texts: Texts) -> None:
    """The gradients of all parameters are the reference's, and there are no other parameters."""
    gradients = theirs.grads(*texts, cotangent=weighing)
    parameters = {name: each for name, each in ours.named_parameters() if each.requires_grad}
    result = ours(*texts)
    expected = torch.autograd.grad(result, list(parameters.values()), weighing)
    assert gradients.keys() == parameters.keys()
    for name, wanted in zip(parameters, expected, strict=True):
        assert_same(gradients[name], wanted)
