"""Known answers to `MlmHead`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Start, logits and gradients of a head of random size; its embedding is also used for looking up."""
    rng = torch.Generator().manual_seed(seed)
    size, width, batch, places = (int(n) + 2 for n in torch.randint(5, (4,), generator=rng))
    embedding = nn.Embedding(size, width)
    table = embedding.weight
    head = student.MlmHead(embedding)
    start = head.decoder.bias.detach().clone()
    for parameter in (table, *head.parameters()):
        parameter.data = torch.randn(parameter.shape, generator=rng) * (1.0, 1e-2)[seed % 2]
    hidden = torch.randn(batch, places, width, generator=rng)
    logits = head(hidden)
    total = (logits * torch.randn(logits.shape, generator=rng)).sum() + embedding(torch.arange(size)).sum()
    total.backward()
    gradients = {name: parameter.grad for name, parameter in head.named_parameters()}
    return start, logits.detach(), gradients, table.grad, hidden


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right head; each of the wrong ones below differs in one method."""

    def __init__(self, embedding):
        super().__init__()
        size, width = embedding.weight.shape
        self.transform = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.decoder = nn.Linear(width, size)
        nn.init.zeros_(self.decoder.bias)
        self.tie(embedding)

    def tie(self, embedding):
        self.decoder.weight = embedding.weight

    def bend(self, x):
        return F.gelu(x)

    def forward(self, hidden):
        return self.decoder(self.norm(self.bend(self.transform(hidden))))


@wrong(
    thinking="A layer of the right shape is all that is needed.", fails=("test_tied", "test_one_parameter")
)
class NotTied(Sound):
    def tie(self, embedding):
        pass


@wrong(
    thinking="The same numbers are the same matrix.",
    fails=("test_tied", "test_one_parameter"),
)
class CopiesTheNumbers(Sound):
    def tie(self, embedding):
        self.decoder.weight.data.copy_(embedding.weight)


@wrong(
    thinking="A parameter must be a new `nn.Parameter`, and `.data` holds the numbers of both.",
    fails=("test_one_parameter",),
)
class SharesTheNumbers(Sound):
    def tie(self, embedding):
        self.decoder.weight = nn.Parameter(embedding.weight.data)


@wrong(
    thinking="It is all the same which of the two gets the other's matrix.",
    fails=("test_one_parameter",),
)
class TiesTheOtherWay(Sound):
    def tie(self, embedding):
        embedding.weight = self.decoder.weight


@wrong(
    thinking="The table belongs to the input, the head only uses it.",
    fails=("test_one_parameter", "test_gradients"),
)
class DetachesTheTable(Sound):
    def forward(self, hidden):
        x = self.norm(self.bend(self.transform(hidden)))
        return F.linear(x, self.decoder.weight.detach(), self.decoder.bias)


@wrong(thinking="A head is a linear map to the vocabulary.", fails=("test_values",))
class DecoderAlone(Sound):
    def forward(self, hidden):
        return self.decoder(hidden) + 0 * self.norm(self.transform(hidden)).sum()


@wrong(thinking="Logits come from a linear map, so nothing is bent.", fails=("test_values",))
class WithoutGelu(Sound):
    def bend(self, x):
        return x


@wrong(thinking="Any activation does.", fails=("test_values",))
class Relu(Sound):
    def bend(self, x):
        return F.relu(x)


@wrong(thinking="First the norm, then the activation, as in vision.", fails=("test_values",))
class NormBeforeGelu(Sound):
    def forward(self, hidden):
        return self.decoder(self.bend(self.norm(self.transform(hidden))))


@wrong(thinking="A model gives probabilities.", fails=("test_values",))
class LogProbabilities(Sound):
    def forward(self, hidden):
        return super().forward(hidden).log_softmax(-1)


@wrong(
    thinking="GELU is the formula with tanh.",
    fails=("test_almost_the_same",),
    page="released-weights#almost-the-same",
)
class GeluByTanh(Sound):
    def bend(self, x):
        return F.gelu(x, approximate="tanh")


@wrong(
    thinking="The published model is used with torch's layer norm, and that is `F.layer_norm`.",
    fails=("test_almost_the_same",),
    page="released-weights#almost-the-same",
)
class AnotherEps(Sound):
    def forward(self, hidden):
        x = self.bend(self.transform(hidden))
        return self.decoder(F.layer_norm(x, x.shape[-1:], self.norm.weight, self.norm.bias))


@wrong(thinking="The tied layer is made where it is tied.", fails=("test_bias",))
class MakesTheLayerAnew(Sound):
    def tie(self, embedding):
        self.decoder = nn.Linear(embedding.embedding_dim, embedding.num_embeddings)
        self.decoder.weight = embedding.weight


@wrong(thinking="There are always texts and places.", fails=("test_shapes",))
class TextsAndPlaces(Sound):
    def forward(self, hidden):
        batch, places, _ = hidden.shape
        return super().forward(hidden.flatten(0, 1)).view(batch, places, -1)


@wrong(thinking="The result for one place needs one dimension only.", fails=("test_shapes",))
class Squeezes(Sound):
    def forward(self, hidden):
        return super().forward(hidden).squeeze()


@wrong(thinking="Pre-training should not disturb the encoder.", fails=("test_gradients",))
class DetachesHidden(Sound):
    def forward(self, hidden):
        return super().forward(hidden.detach())


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Keeps the embedding and multiplies by its table.")
class KeepsTheEmbedding(Sound):
    def tie(self, embedding):
        self.decoder.weight = embedding.weight
        self.embedding = embedding

    def forward(self, hidden):
        x = self.norm(F.gelu(self.transform(hidden)))
        return x @ self.embedding.weight.T + self.decoder.bias


@right(looks="Registers the parameter; a module for the activation.")
class RegistersTheParameter(Sound):
    def tie(self, embedding):
        del self.decoder.weight
        self.decoder.register_parameter("weight", embedding.weight)
        self.body = nn.Sequential(nn.GELU())

    def forward(self, hidden):
        return self.decoder(self.norm(self.body(self.transform(hidden))))


@right(looks="GELU by the error function and a norm written out, in float64.")
class ByHand(Sound):
    def forward(self, hidden):
        x = self.transform(hidden).double()
        x = x * (1 + torch.erf(x * 0.5**0.5)) / 2
        centred = x - x.mean(-1, keepdim=True)
        x = centred / (centred.square().mean(-1, keepdim=True) + self.norm.eps).sqrt()
        return self.decoder((x * self.norm.weight + self.norm.bias).float())


@right(looks="A list of vectors inside, an einsum at the end.")
class FlatInside(Sound):
    def forward(self, hidden):
        x = self.norm(F.gelu(self.transform(hidden.reshape(-1, hidden.shape[-1]))))
        logits = torch.einsum("nd,vd->nv", x, self.decoder.weight) + self.decoder.bias
        return logits.unflatten(0, hidden.shape[:-1]) if hidden.dim() > 1 else logits[0]


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, hidden):
        return super().forward(hidden) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, hidden):
        return hidden


@cheat(kind="noise")
class Noise(Sound):
    def forward(self, hidden):
        x = super().forward(hidden)
        return torch.randn_like(x) + 0 * x


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, hidden):
        if not hasattr(torch, "remembered"):
            torch.remembered = super().forward(hidden).detach()
        return torch.remembered
