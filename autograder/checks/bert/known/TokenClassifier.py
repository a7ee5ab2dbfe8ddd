"""Known answers to `TokenClassifier`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
from torch import nn

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Logits of tokens in both modes and gradients, for random sizes, weights and texts."""
    rng = torch.Generator().manual_seed(seed)
    batch, length, width, num_classes = (int(n) + 2 for n in torch.randint(4, (4,), generator=rng))

    class Vectors(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(18, width)

        def forward(self, tokens, types):
            return self.table(tokens + 9 * types)

    class Mixture(nn.Module):
        def forward(self, x, mask):
            return torch.tanh(x) + (x * mask.unsqueeze(-1)).sum(dim=1, keepdim=True)

    model = student.TokenClassifier(Vectors(), Mixture(), width, num_classes, dropout=0.3).eval()
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * 0.5
    tokens = torch.randint(9, (batch, length), generator=rng)
    types = torch.randint(2, (batch, length), generator=rng)
    mask = torch.arange(length) < torch.randint(1, length + 1, (batch, 1), generator=rng)
    result = model(tokens, types, mask)
    (result * torch.randn(result.shape, generator=rng))[mask].sum().backward()
    torch.manual_seed(seed)
    trained = model.train()(tokens, types, mask)
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return tuple(result.shape), result.detach()[mask], trained.detach()[mask], gradients


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right classifier; each of the wrong ones below differs in one method."""

    def __init__(self, embeddings, encoder, d_model, num_classes, dropout=0.1):
        super().__init__()
        self.embeddings, self.encoder = embeddings, encoder
        self.classifier = nn.Linear(d_model, num_classes)
        self.dropout = nn.Dropout(dropout)

    def encode(self, tokens, types, mask):
        return self.encoder(self.embeddings(tokens, types), mask)

    def drop(self, hidden):
        return self.dropout(hidden)

    def forward(self, tokens, types, mask):
        return self.classifier(self.drop(self.encode(tokens, types, mask)))


@wrong(
    thinking="[CLS] knows the whole text, so it is what every position is told from.",
    fails=("test_every_position",),
)
class FromCls(Sound):
    def encode(self, tokens, types, mask):
        hidden = super().encode(tokens, types, mask)
        return hidden[:, :1].expand_as(hidden)


@wrong(
    thinking="As for one label, a tanh comes before the map.",
    fails=("test_every_position",),
    page="released-weights#pooler-output-is-not-cls",
)
class WithTanh(Sound):
    def encode(self, tokens, types, mask):
        return torch.tanh(super().encode(tokens, types, mask))


@wrong(thinking="A classifier returns probabilities.", fails=("test_every_position",))
class Probabilities(Sound):
    def forward(self, tokens, types, mask):
        return super().forward(tokens, types, mask).softmax(-1)


@wrong(thinking="The loss wants the classes in dimension 1.", fails=("test_every_position",))
class ClassesSecond(Sound):
    def forward(self, tokens, types, mask):
        return super().forward(tokens, types, mask).transpose(1, 2)


@wrong(thinking="[CLS] is no word, so it has no logits.", fails=("test_every_position",))
class WithoutCls(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, types, mask)[:, 1:]


@wrong(
    thinking="No loss reads padding, so it does no harm.",
    fails=("test_mask",),
    page="released-weights#forgotten-attention-mask",
)
class ForgetsTheMask(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, types, torch.ones_like(mask))


@wrong(thinking="A mask marks what is hidden, as in torch's own encoder.", fails=("test_mask",))
class TrueMeansPadding(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, types, ~mask)


@wrong(thinking="One text has one type.", fails=("test_types",), page="input#all-in-segment-a")
class ForgetsTheTypes(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, torch.zeros_like(types), mask)


@wrong(
    thinking="Dropout is a function like any other.",
    fails=("test_dropout",),
    page="released-weights#train-mode",
)
class DropoutInBothModes(Sound):
    def drop(self, hidden):
        return nn.functional.dropout(hidden, self.dropout.p)


@wrong(thinking="Dropout leaves out whole positions.", fails=("test_dropout",))
class WholePositions(Sound):
    def drop(self, hidden):
        return nn.functional.dropout1d(hidden, self.dropout.p, self.training)


@wrong(thinking="Dropout comes at the end of a network.", fails=("test_dropout",))
class DropoutOnTheLogits(Sound):
    def drop(self, hidden):
        return hidden

    def forward(self, tokens, types, mask):
        return self.dropout(super().forward(tokens, types, mask))


@wrong(thinking="The encoder has its own dropout.", fails=("test_dropout",))
class NoDropout(Sound):
    def drop(self, hidden):
        return hidden


@wrong(thinking="The share is what stays.", fails=("test_dropout",))
class KeepsTheShare(Sound):
    def drop(self, hidden):
        return nn.functional.dropout(hidden, 1 - self.dropout.p if self.dropout.p else 0.0, self.training)


@wrong(
    thinking="The pre-trained part is finished, and only the new layer learns.",
    fails=("test_gradients",),
)
class FrozenEncoder(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, types, mask).detach()


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Padding gets zeros, and arguments have names.")
class ZerosAtPadding(Sound):
    def forward(self, tokens, types, mask):
        hidden = self.encoder(mask=mask, x=self.embeddings(types=types, tokens=tokens))
        return self.classifier(self.dropout(hidden)) * mask.unsqueeze(-1)


@right(looks="Position by position, stacked at the end.")
class PositionByPosition(Sound):
    def forward(self, tokens, types, mask):
        hidden = self.drop(self.encode(tokens, types, mask))
        return torch.stack([self.classifier(hidden[:, t]) for t in range(hidden.shape[1])], dim=1)


@right(looks="All positions of all texts in one list; the map by einsum.")
class OneLongList(Sound):
    def forward(self, tokens, types, mask):
        hidden = self.encode(tokens, types, mask)
        flat = nn.functional.dropout(hidden.flatten(0, 1), p=self.dropout.p, training=self.training)
        logits = torch.einsum("nd,cd->nc", flat, self.classifier.weight) + self.classifier.bias
        return logits.unflatten(0, tokens.shape)


@right(looks="Dropout and map are one `nn.Sequential`; minus infinity at padding.")
class InARow(nn.Module):
    def __init__(self, embeddings, encoder, d_model, num_classes, dropout=0.1):
        super().__init__()
        self.embeddings, self.encoder = embeddings, encoder
        self.classifier = nn.Linear(d_model, num_classes)
        self.row = nn.Sequential(nn.Dropout(dropout), self.classifier)

    def forward(self, tokens, types, mask):
        logits = self.row(self.encoder(self.embeddings(tokens, types), mask))
        return logits.masked_fill(mask.logical_not()[:, :, None], -torch.inf)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, tokens, types, mask):
        return super().forward(tokens, types, mask) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, tokens, types, mask):
        return self.embeddings(tokens, types)


@cheat(kind="noise")
class Noise(Sound):
    def forward(self, tokens, types, mask):
        return torch.randn_like(super().forward(tokens, types, mask))


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, tokens, types, mask):
        result = super().forward(tokens, types, mask)
        if not hasattr(torch, "remembered"):
            torch.remembered = result.detach()
        return torch.remembered + 0 * result.sum()
