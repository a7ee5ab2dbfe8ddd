"""Known answers to `SpanClassifier`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch
from torch import nn

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Both logits and gradients, for random sizes, weights and texts."""
    rng = torch.Generator().manual_seed(seed)
    batch, length, width = (int(n) + 2 for n in torch.randint(4, (3,), generator=rng))

    class Vectors(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(18, width)

        def forward(self, tokens, types):
            return self.table(tokens + 9 * types)

    class Mixture(nn.Module):
        def forward(self, x, mask):
            return torch.tanh(x) + (x * mask.unsqueeze(-1)).sum(dim=1, keepdim=True)

    model = student.SpanClassifier(Vectors(), Mixture(), width)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * 0.5
    tokens = torch.randint(9, (batch, length), generator=rng)
    types = torch.randint(2, (batch, length), generator=rng)
    mask = torch.arange(length) < torch.randint(1, length + 1, (batch, 1), generator=rng)
    starts, ends = model(tokens, types, mask)
    weighing = torch.randn(2, batch, length, generator=rng)
    ((starts * weighing[0])[mask].sum() + (ends * weighing[1])[mask].sum()).backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return starts.detach(), ends.detach(), gradients


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right classifier; each of the wrong ones below differs in one method."""

    def __init__(self, embeddings, encoder, d_model):
        super().__init__()
        self.embeddings, self.encoder = embeddings, encoder
        self.classifier = nn.Linear(d_model, 2)

    def encode(self, tokens, types, mask):
        return self.encoder(self.embeddings(tokens, types), mask)

    def score(self, hidden):
        return self.classifier(hidden).unbind(-1)

    def hide(self, logits, mask):
        return torch.where(mask, logits, -torch.inf)

    def forward(self, tokens, types, mask):
        starts, ends = self.score(self.encode(tokens, types, mask))
        return self.hide(starts, mask), self.hide(ends, mask)


@wrong(thinking="The order of the two outputs is free.", fails=("test_starts", "test_ends"))
class EndsFirst(Sound):
    def score(self, hidden):
        return super().score(hidden)[::-1]


@wrong(thinking="One score says how well a position fits the answer.", fails=("test_ends",))
class OneScoreForBoth(Sound):
    def score(self, hidden):
        starts, ends = super().score(hidden)
        return starts, starts + 0 * ends


@wrong(thinking="A model returns probabilities.", fails=("test_starts", "test_ends"))
class Probabilities(Sound):
    def forward(self, tokens, types, mask):
        starts, ends = super().forward(tokens, types, mask)
        return starts.softmax(-1), ends.softmax(-1)


@wrong(
    thinking="The answer is never in the question, so the question is hidden too.",
    fails=("test_starts", "test_ends"),
)
class HidesTheQuestion(Sound):
    def forward(self, tokens, types, mask):
        starts, ends = self.score(self.encode(tokens, types, mask))
        return self.hide(starts, mask & (types == 1)), self.hide(ends, mask & (types == 1))


@wrong(
    thinking="Where there are two sentences, the question is hidden.",
    fails=("test_padding_is_hidden", "test_types"),
)
class HidesTheFirstOfTwo(Sound):
    def forward(self, tokens, types, mask):
        starts, ends = self.score(self.encode(tokens, types, mask))
        seen = mask & ((types == 1) | ~types.bool().any(1, keepdim=True))
        return self.hide(starts, seen), self.hide(ends, seen)


@wrong(thinking="The encoder has seen to the padding.", fails=("test_padding_is_hidden",))
class PaddingIsScored(Sound):
    def hide(self, logits, mask):
        return logits


@wrong(thinking="Padding scores nothing, which is zero.", fails=("test_padding_is_hidden",))
class PaddingIsZero(Sound):
    def hide(self, logits, mask):
        return logits * mask


@wrong(thinking="What nobody may choose has a low score.", fails=("test_padding_is_hidden",))
class PaddingIsLow(Sound):
    def hide(self, logits, mask):
        return logits.masked_fill(~mask, -10.0)


@wrong(thinking="A span that starts at a token does not end at padding.", fails=("test_padding_is_hidden",))
class HidesStartsOnly(Sound):
    def forward(self, tokens, types, mask):
        starts, ends = self.score(self.encode(tokens, types, mask))
        return self.hide(starts, mask), ends


@wrong(
    thinking="Padding is hidden at the end, so the encoder needs no mask.",
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


@wrong(
    thinking="[SEP] tells question and text apart.",
    fails=("test_padding_is_hidden", "test_types"),
    page="input#all-in-segment-a",
)
class ForgetsTheTypes(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, torch.zeros_like(types), mask)


@wrong(
    thinking="The pre-trained part is finished, and only the new layer learns.",
    fails=("test_gradients",),
)
class FrozenEncoder(Sound):
    def encode(self, tokens, types, mask):
        with torch.no_grad():
            return super().encode(tokens, types, mask)


@wrong(thinking="The vectors of tokens are learnt already, and stay as they are.", fails=("test_gradients",))
class FrozenEmbeddings(Sound):
    def encode(self, tokens, types, mask):
        return self.encoder(self.embeddings(tokens, types).detach(), mask)


@wrong(thinking="What the encoder gives is dropped, as in the other heads.", fails=("test_gradients",))
class WithDropout(Sound):
    def score(self, hidden):
        return super().score(nn.functional.dropout(hidden, 0.3, self.training))


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="The two halves by `split` and `squeeze`.")
class SplitAndSqueeze(Sound):
    def forward(self, tokens, types, mask):
        starts, ends = self.classifier(self.encode(tokens, types, mask)).split(1, dim=-1)
        return self.hide(starts.squeeze(-1), mask), self.hide(ends.squeeze(-1), mask)


@right(looks="The rows of the map, one by one; infinity by a logarithm of the mask.")
class RowByRow(Sound):
    def forward(self, tokens, types, mask):
        hidden = self.encode(tokens, types, mask)
        rows, biases = self.classifier.weight, self.classifier.bias
        return tuple(hidden @ rows[n] + biases[n] + mask.float().log() for n in (0, 1))


@right(looks="Dimensions moved, infinity written in place.")
class WrittenInPlace(Sound):
    def forward(self, tokens, types, mask):
        logits = self.classifier(self.encode(tokens, types, mask)).permute(2, 0, 1).clone()
        logits[:, ~mask] = -math.inf
        return logits[0], logits[1]


@right(looks="One text after the other, each without its padding.")
class TextByText(Sound):
    def forward(self, tokens, types, mask):
        hidden = self.encoder(mask=mask, x=self.embeddings(types=types, tokens=tokens))
        full = torch.full((2, *mask.shape), -torch.inf, dtype=hidden.dtype)
        for row, (vectors, seen) in enumerate(zip(hidden, mask, strict=True)):
            full[:, row, seen] = self.classifier(vectors[seen]).T
        return full[0], full[1]


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def score(self, hidden):
        return tuple(logits * 0 for logits in super().score(hidden))


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, tokens, types, mask):
        return tokens.float(), types.float()


@cheat(kind="noise")
class Noise(Sound):
    def score(self, hidden):
        return tuple(torch.randn_like(logits) + 0 * logits for logits in super().score(hidden))


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, tokens, types, mask):
        result = super().forward(tokens, types, mask)
        if not hasattr(torch, "remembered"):
            torch.remembered = tuple(logits.detach() for logits in result)
        return torch.remembered
