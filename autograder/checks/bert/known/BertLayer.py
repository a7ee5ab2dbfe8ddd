"""Known answers to `BertLayer`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Result and gradients of a layer of random size, in evaluation mode and in training mode."""
    rng = torch.Generator().manual_seed(seed)
    batch, places, heads, each, inner = (int(n) + 1 for n in torch.randint(4, (5,), generator=rng))
    layer = student.BertLayer(heads * each * 2, heads, inner, 0.3).eval()
    for parameter in layer.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * (0.5, 1e-2)[seed % 2]
    x = torch.randn(batch, places, heads * each * 2, generator=rng)
    mask = torch.rand(batch, places, generator=rng) < 0.7
    mask[:, 0] = True
    result = layer(x, mask)
    (result * torch.randn(result.shape, generator=rng))[mask].sum().backward()
    torch.manual_seed(seed)
    trained = layer.train()(x, mask)
    gradients = {name: parameter.grad for name, parameter in layer.named_parameters()}
    return result[mask].detach(), trained[mask].detach(), gradients, x, mask


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right layer; each of the wrong ones below differs in one method."""

    def __init__(self, d_model, num_heads, d_ff, dropout=0.1):
        super().__init__()
        self.num_heads = num_heads
        self.query, self.key = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.value, self.output = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.attention_norm = nn.LayerNorm(d_model, eps=1e-12)
        self.inner, self.outer = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.output_norm = nn.LayerNorm(d_model, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def split(self, x):
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def join(self, heads):
        return heads.transpose(1, 2).flatten(2)

    def look(self, q, k, v, mask):
        return F.scaled_dot_product_attention(q, k, v, mask[:, None, None])

    def attend(self, x, mask):
        q, k, v = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return self.output(self.join(self.look(q, k, v, mask)))

    def bend(self, x):
        return F.gelu(x)

    def think(self, x):
        return self.outer(self.bend(self.inner(x)))

    def residual(self, x, norm, sublayer):
        return norm(x + self.dropout(sublayer(x)))

    def forward(self, x, mask):
        x = self.residual(x, self.attention_norm, lambda y: self.attend(y, mask))
        return self.residual(x, self.output_norm, self.think)


@wrong(
    thinking="The norm stands first, as in all newer models.",
    fails=("test_attention", "test_feed_forward"),
)
class NormFirst(Sound):
    def residual(self, x, norm, sublayer):
        return x + self.dropout(sublayer(norm(x)))


@wrong(
    thinking="Only the result of the sub-layer is brought to one size.",
    fails=("test_attention", "test_feed_forward"),
)
class NormOfTheSublayer(Sound):
    def residual(self, x, norm, sublayer):
        return x + norm(self.dropout(sublayer(x)))


@wrong(
    thinking="The sub-layer has seen x, so nothing has to be added.",
    fails=("test_attention", "test_feed_forward"),
)
class NoResidual(Sound):
    def residual(self, x, norm, sublayer):
        return norm(self.dropout(sublayer(x)))


@wrong(
    thinking="The heads are complete without one more map.",
    fails=("test_attention", "test_feed_forward"),
)
class WithoutTheLastMap(Sound):
    def attend(self, x, mask):
        q, k, v = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        return self.join(self.look(q, k, v, mask)) + 0 * self.output(x)


@wrong(
    thinking="A place may not look at what comes after it.",
    fails=("test_attention",),
)
class CausalToo(Sound):
    def look(self, q, k, v, mask):
        seen = mask[:, None, None].expand(-1, -1, q.shape[2], -1).tril()
        return F.scaled_dot_product_attention(q, k, v, seen)


@wrong(thinking="A mask says what is hidden.", fails=("test_attention",))
class MaskUpsideDown(Sound):
    def look(self, q, k, v, mask):
        return super().look(q, k, v, ~mask)


@wrong(thinking="A dot product is a score.", fails=("test_attention",))
class WithoutTheRoot(Sound):
    def look(self, q, k, v, mask):
        return super().look(q * q.shape[-1] ** 0.5, k, v, mask)


@wrong(thinking="Heads are put together again with a view.", fails=("test_heads",))
class JoinsWithAView(Sound):
    def join(self, heads):
        return heads.reshape(len(heads), heads.shape[2], -1)


@wrong(thinking="Scores are scaled by the width of the model.", fails=("test_heads",))
class ScaledByTheModel(Sound):
    def look(self, q, k, v, mask):
        return super().look(q / self.num_heads**0.5, k, v, mask)


@wrong(
    thinking="The model learns by itself that padding means nothing.",
    fails=("test_padding",),
    page="released-weights#forgotten-attention-mask",
)
class ForgetsTheMask(Sound):
    def look(self, q, k, v, mask):
        return F.scaled_dot_product_attention(q, k, v)


@wrong(thinking="A mask of zeros and ones is added to the scores.", fails=("test_padding",))
class AddsTheMask(Sound):
    def look(self, q, k, v, mask):
        return F.scaled_dot_product_attention(q, k, v, mask[:, None, None].float())


@wrong(thinking="Padding must not look at anything.", fails=("test_padding",))
class HidesTheRows(Sound):
    def look(self, q, k, v, mask):
        scores = q @ k.mT / q.shape[-1] ** 0.5
        return scores.masked_fill(~mask[:, None, :, None], -torch.inf).softmax(-1) @ v


@wrong(thinking="Padding is zero, and zeros add nothing.", fails=("test_padding",))
class ZerosInsteadOfAMask(Sound):
    def look(self, q, k, v, mask):
        return F.scaled_dot_product_attention(q, k, v * mask[:, None, :, None])


@wrong(thinking="All texts have the same mask.", fails=("test_padding",))
class MaskOfTheFirstText(Sound):
    def look(self, q, k, v, mask):
        return super().look(q, k, v, mask[:1])


@wrong(thinking="A feed-forward network has a ReLU.", fails=("test_feed_forward",))
class Relu(Sound):
    def bend(self, x):
        return F.relu(x)


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
    def residual(self, x, norm, sublayer):
        return F.layer_norm(x + self.dropout(sublayer(x)), x.shape[-1:], norm.weight, norm.bias)


@wrong(thinking="One norm is like the other.", fails=("test_together",))
class OneNormForBoth(Sound):
    def forward(self, x, mask):
        x = self.residual(x, self.attention_norm, lambda y: self.attend(y, mask))
        return self.residual(x, self.attention_norm, self.think)


@wrong(thinking="Both sub-layers look at the same x.", fails=("test_together",))
class BothFromTheInput(Sound):
    def forward(self, x, mask):
        first = self.residual(x, self.attention_norm, lambda y: self.attend(y, mask))
        return self.output_norm(first + self.dropout(self.think(self.attention_norm(x))))


@wrong(thinking="Dropout is there, and nobody said that it has to be used.", fails=("test_dropout",))
class NoDropout(Sound):
    def residual(self, x, norm, sublayer):
        return norm(x + sublayer(x))


@wrong(thinking="Attention weights are dropped too, as in the published model.", fails=("test_dropout",))
class DropsWeights(Sound):
    def look(self, q, k, v, mask):
        rate = self.dropout.p if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, mask[:, None, None], dropout_p=rate)


@wrong(thinking="Dropout also falls inside the feed-forward network, as in torch.", fails=("test_dropout",))
class DropoutInside(Sound):
    def bend(self, x):
        return self.dropout(F.gelu(x))


@wrong(thinking="Dropout falls on the sum.", fails=("test_dropout",))
class DropoutOnTheSum(Sound):
    def residual(self, x, norm, sublayer):
        return norm(self.dropout(x + sublayer(x)))


@wrong(thinking="The norm belongs to the sum, so dropout comes last.", fails=("test_dropout",))
class DropoutBehindTheNorm(Sound):
    def residual(self, x, norm, sublayer):
        return self.dropout(norm(x + sublayer(x)))


@wrong(thinking="What is dropped is dropped in the whole text.", fails=("test_dropout",))
class OneDrawForAllPlaces(Sound):
    def residual(self, x, norm, sublayer):
        return norm(x + self.dropout(torch.ones_like(x[:, :1])) * sublayer(x))


@wrong(
    thinking="`F.dropout` drops.",
    fails=("test_attention", "test_feed_forward"),
    page="released-weights#train-mode",
)
class DropsAlways(Sound):
    def residual(self, x, norm, sublayer):
        return norm(x + F.dropout(sublayer(x), self.dropout.p or 0.1))


@wrong(thinking="Adding in place saves memory.", fails=("test_gradients",))
class AddsInPlace(Sound):
    def forward(self, x, mask):
        found = self.dropout(self.attend(x, mask))
        x += found
        return self.residual(self.attention_norm(x), self.output_norm, self.think)


@wrong(thinking="Attention weights need no gradient.", fails=("test_gradients",))
class DetachesTheQuery(Sound):
    def look(self, q, k, v, mask):
        return super().look(q.detach(), k, v, mask)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Scores, a large negative number and a softmax written out.")
class WrittenOut(Sound):
    def look(self, q, k, v, mask):
        scores = torch.einsum("bhqd,bhkd->bhqk", q, k) / q.shape[-1] ** 0.5
        scores = scores + (1.0 - mask[:, None, None].float()) * -1e9
        return torch.einsum("bhqk,bhkd->bhqd", scores.softmax(-1), v)


@right(looks="One head after the other, with minus infinity; heads concatenated.")
class HeadByHead(Sound):
    def attend(self, x, mask):
        width, found = x.shape[-1] // self.num_heads, []
        for start in range(0, x.shape[-1], width):
            q, k, v = (layer(x)[..., start : start + width] for layer in (self.query, self.key, self.value))
            scores = (q @ k.mT / width**0.5).masked_fill(~mask[:, None], -torch.inf)
            found.append(scores.softmax(-1) @ v)
        return self.output(torch.cat(found, dim=-1))


@right(looks="GELU by the error function, both norms written out in float64.")
class NormsAndGeluByHand(Sound):
    def bend(self, x):
        return x * (1 + torch.erf(x / 2**0.5)) / 2

    def residual(self, x, norm, sublayer):
        total = (x + self.dropout(sublayer(x))).double()
        centred = total - total.mean(-1, keepdim=True)
        normed = centred / (centred.pow(2).mean(-1, keepdim=True) + norm.eps).sqrt()
        return (normed * norm.weight + norm.bias).float()


@right(looks="Torch's own function of many heads, functional dropout.")
class TorchsHeads(Sound):
    def attend(self, x, mask):
        maps = self.query, self.key, self.value
        weights = {f"{name}_proj_weight": layer.weight for name, layer in zip("qkv", maps, strict=True)}
        y = x.transpose(0, 1)
        found, _ = F.multi_head_attention_forward(
            y, y, y, x.shape[-1], self.num_heads, None, torch.cat([layer.bias for layer in maps]), None, None, False,
            0.0, self.output.weight, self.output.bias, training=False, key_padding_mask=~mask, need_weights=False,
            use_separate_proj_weight=True, **weights,
        )  # fmt: skip
        return found.transpose(0, 1)

    def residual(self, x, norm, sublayer):
        return norm(F.dropout(sublayer(x), self.dropout.p, self.training) + x)


@right(looks="One text at a time, without its padding.")
class TextByText(Sound):
    def attend(self, x, mask):
        found = torch.zeros_like(x)
        for b in range(len(x)):
            tokens = x[b : b + 1, mask[b]]
            seen = torch.ones(tokens.shape[:2], dtype=torch.bool)
            found[b, mask[b]] = super().attend(tokens, seen)[0]
        return found


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, x, mask):
        return super().forward(x, mask) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, x, mask):
        return x


@cheat(kind="noise")
class Noise(Sound):
    def forward(self, x, mask):
        return torch.randn_like(x) + 0 * super().forward(x, mask)


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, x, mask):
        if not hasattr(torch, "remembered"):
            torch.remembered = super().forward(x, mask).detach()
        return torch.remembered
