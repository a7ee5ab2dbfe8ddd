"""Known answers to `EncoderLayer`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong
from solutions.attention.multi_head import MultiHeadAttention


def observe(student, seed):
    """Result and gradients of a layer of random size and order, in evaluation mode and in training mode."""
    rng = torch.Generator().manual_seed(seed)
    batch, places, heads, each, inner = (int(n) + 1 for n in torch.randint(4, (5,), generator=rng))
    layer = student.EncoderLayer(
        heads * each * 2, heads, inner, dropout=0.3, norm_first=bool(seed % 2)
    ).eval()
    for parameter in layer.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * 0.5
    x = torch.randn(batch, places, heads * each * 2, generator=rng)
    mask = torch.rand(batch, 1, places, places, generator=rng) < 0.7 if seed % 3 else None
    result = layer(x, mask)
    (result * torch.randn(result.shape, generator=rng)).sum().backward()
    torch.manual_seed(seed)
    trained = layer.train()(x, mask)
    gradients = {name: parameter.grad for name, parameter in layer.named_parameters()}
    return result.detach(), trained.detach(), gradients, x


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right layer; each of the wrong ones below differs in one method."""

    def __init__(self, d_model, num_heads, d_ff, dropout=0.0, norm_first=False):
        super().__init__()
        self.norm_first = norm_first
        self.self_attention = MultiHeadAttention(d_model, num_heads)
        self.linear_1, self.linear_2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.norm_1, self.norm_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def residual(self, x, norm, sublayer):
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        return norm(x + self.dropout(sublayer(x)))

    def attend(self, x, mask):
        return self.self_attention(x, x, x, mask)

    def think(self, x):
        return self.linear_2(F.relu(self.linear_1(x)))

    def forward(self, x, mask=None):
        x = self.residual(x, self.norm_1, lambda y: self.attend(y, mask))
        return self.residual(x, self.norm_2, self.think)


@wrong(
    thinking="The norm stands first, as in all newer models.",
    fails=("test_self_attention", "test_feed_forward"),
    page="layers#two-orders",
)
class AlwaysNormFirst(Sound):
    def residual(self, x, norm, sublayer):
        return x + self.dropout(sublayer(norm(x)))


@wrong(thinking="The norm stands last, as in the paper.", fails=("test_norm_first",))
class AlwaysNormLast(Sound):
    def residual(self, x, norm, sublayer):
        return norm(x + self.dropout(sublayer(x)))


@wrong(
    thinking="The sub-layer has seen x, so nothing has to be added.",
    fails=("test_self_attention", "test_feed_forward", "test_norm_first"),
)
class NoResidual(Sound):
    def residual(self, x, norm, sublayer):
        if self.norm_first:
            return self.dropout(sublayer(norm(x)))
        return norm(self.dropout(sublayer(x)))


@wrong(
    thinking="With the norm first, x is what the norm gives.",
    fails=("test_norm_first",),
    page="layers#two-orders",
)
class AddsTheNormed(Sound):
    def residual(self, x, norm, sublayer):
        if self.norm_first:
            x = norm(x)
            return x + self.dropout(sublayer(x))
        return norm(x + self.dropout(sublayer(x)))


@wrong(
    thinking="Only the result of the sub-layer is brought to one size.",
    fails=("test_self_attention", "test_feed_forward"),
    page="layers#two-orders",
)
class NormOfTheSublayer(Sound):
    def residual(self, x, norm, sublayer):
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        return x + norm(self.dropout(sublayer(x)))


@wrong(
    thinking="One norm is like the other.",
    fails=("test_norm_last", "test_norm_first"),
)
class OneNormForBoth(Sound):
    def forward(self, x, mask=None):
        x = self.residual(x, self.norm_1, lambda y: self.attend(y, mask))
        return self.residual(x, self.norm_1, self.think)


@wrong(
    thinking="Two linear maps in a row are a network.",
    fails=("test_feed_forward", "test_norm_last", "test_norm_first"),
)
class WithoutAReLU(Sound):
    def think(self, x):
        return self.linear_2(self.linear_1(x))


@wrong(thinking="Newer models use GELU.", fails=("test_feed_forward", "test_norm_last", "test_norm_first"))
class Gelu(Sound):
    def think(self, x):
        return self.linear_2(F.gelu(self.linear_1(x)))


@wrong(thinking="Both sub-layers look at the same x.", fails=("test_norm_last", "test_norm_first"))
class BothFromTheInput(Sound):
    def forward(self, x, mask=None):
        first = self.residual(x, self.norm_1, lambda y: self.attend(y, mask))
        if self.norm_first:
            return first + self.dropout(self.think(self.norm_2(x)))
        return self.norm_2(first + self.dropout(self.think(self.norm_1(x))))


@wrong(thinking="The mask is for the decoder.", fails=("test_mask",))
class ForgetsTheMask(Sound):
    def attend(self, x, mask):
        return self.self_attention(x, x, x)


@wrong(
    thinking="The query is normed, and keys and values are what they were.",
    fails=("test_norm_first",),
)
class NormsTheQueryOnly(Sound):
    def forward(self, x, mask=None):
        before = x
        x = self.residual(x, self.norm_1, lambda y: self.self_attention(y, before, before, mask))
        return self.residual(x, self.norm_2, self.think)


@wrong(
    thinking="Dropout is there, and nobody said that it has to be used.",
    fails=("test_dropout", "test_dropout_norm_last"),
)
class NoDropout(Sound):
    def residual(self, x, norm, sublayer):
        return x + sublayer(norm(x)) if self.norm_first else norm(x + sublayer(x))


@wrong(
    thinking="Dropout also falls inside the feed-forward network, as in torch.",
    fails=("test_dropout", "test_dropout_norm_last"),
)
class DropoutInside(Sound):
    def think(self, x):
        return self.linear_2(self.dropout(F.relu(self.linear_1(x))))


@wrong(thinking="Dropout falls on the sum.", fails=("test_dropout", "test_dropout_norm_last"))
class DropoutOnTheSum(Sound):
    def residual(self, x, norm, sublayer):
        if self.norm_first:
            return self.dropout(x + sublayer(norm(x)))
        return norm(self.dropout(x + sublayer(x)))


@wrong(thinking="`F.dropout` drops.", fails=("test_self_attention", "test_feed_forward", "test_norm_first"))
class DropsAlways(Sound):
    def residual(self, x, norm, sublayer):
        p = self.dropout.p or 0.1
        if self.norm_first:
            return x + F.dropout(sublayer(norm(x)), p)
        return norm(x + F.dropout(sublayer(x), p))


@wrong(thinking="Adding in place saves memory.", fails=("test_gradients",))
class AddsInPlace(Sound):
    def residual(self, x, norm, sublayer):
        if self.norm_first:
            x += self.dropout(sublayer(norm(x)))
            return x
        return norm(x + self.dropout(sublayer(x)))


@wrong(
    thinking="With the norm last, the norm takes care of everything, and dropout falls on what goes into it.",
    fails=("test_dropout_norm_last",),
)
class DropoutOnTheSumWhenTheNormIsLast(Sound):
    def residual(self, x, norm, sublayer):
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        return norm(self.dropout(x + sublayer(x)))


@wrong(
    thinking="One draw says for a whole call what is kept.",
    fails=("test_dropout",),
)
class OneDrawForAllSublayers(Sound):
    def residual(self, x, norm, sublayer):
        if norm is self.norm_1:
            self.kept = [self.dropout(torch.ones_like(x))]  # in a list, so that it is no buffer
        if self.norm_first:
            return x + self.kept[0] * sublayer(norm(x))
        return norm(x + self.kept[0] * sublayer(x))


@wrong(
    thinking="What is dropped is dropped in the whole text.",
    fails=("test_dropout", "test_dropout_norm_last"),
)
class OneDrawForAllPlaces(Sound):
    def residual(self, x, norm, sublayer):
        kept = self.dropout(torch.ones_like(x[:, :1]))
        return x + kept * sublayer(norm(x)) if self.norm_first else norm(x + kept * sublayer(x))


@wrong(thinking="With the norm last, x is not needed any more.", fails=("test_gradients",))
class AddsInPlaceWhenTheNormIsLast(Sound):
    def residual(self, x, norm, sublayer):
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        x += self.dropout(sublayer(x))
        return norm(x)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Both orders written out, line by line.")
class WrittenOut(Sound):
    def forward(self, x, mask=None):
        if self.norm_first:
            normed = self.norm_1(x)
            x = x + self.dropout(self.self_attention(normed, normed, normed, mask))
            x = x + self.dropout(self.linear_2(torch.relu(self.linear_1(self.norm_2(x)))))
        else:
            x = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
            x = self.norm_2(x + self.dropout(self.linear_2(torch.relu(self.linear_1(x)))))
        return x


@right(looks="Norm or identity, before and after.")
class BeforeAndAfter(Sound):
    def residual(self, x, norm, sublayer):
        before, after = (norm, nn.Identity()) if self.norm_first else (nn.Identity(), norm)
        return after(self.dropout(sublayer(before(x))) + x)


@right(looks="Keyword arguments, a ReLU by `clamp`, functional dropout.")
class ByKeywords(Sound):
    def residual(self, x, norm, sublayer):
        out = F.dropout(sublayer(norm(x) if self.norm_first else x), p=self.dropout.p, training=self.training)
        return out + x if self.norm_first else norm(out + x)

    def forward(self, x, mask=None):
        x = self.residual(x, self.norm_1, lambda y: self.self_attention(query=y, key=y, value=y, mask=mask))
        return self.residual(x, self.norm_2, lambda y: self.linear_2(self.linear_1(y).clamp(min=0)))


@right(looks="A loop over norms and inner functions.")
class Loop(Sound):
    def forward(self, x, mask=None):
        def look(y):
            return self.self_attention(y, y, y, mask)

        for norm, sublayer in ((self.norm_1, look), (self.norm_2, self.think)):
            y = sublayer(norm(x)) if self.norm_first else sublayer(x)
            x = torch.add(x, self.dropout(y))
            if not self.norm_first:
                x = norm(x)
        return x


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, x, mask=None):
        return super().forward(x, mask) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, x, mask=None):
        return x


@cheat(kind="noise")
class Noise(Sound):
    def forward(self, x, mask=None):
        return torch.randn_like(x) + 0 * super().forward(x, mask)


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, x, mask=None):
        if not hasattr(torch, "remembered"):
            torch.remembered = super().forward(x, mask).detach()
        return torch.remembered
