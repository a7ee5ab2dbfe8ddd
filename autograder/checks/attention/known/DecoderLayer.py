"""Known answers to `DecoderLayer`: wrong, right and cheating ones, and what can be seen of an answer."""

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
    layer = student.DecoderLayer(
        heads * each * 2, heads, inner, dropout=0.3, norm_first=bool(seed % 2)
    ).eval()
    for parameter in layer.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * 0.5
    x = torch.randn(batch, places, heads * each * 2, generator=rng)
    memory = torch.randn(batch, inner, heads * each * 2, generator=rng)
    masks = (None, None)
    if seed % 3:
        masks = tuple(torch.rand(batch, 1, places, n, generator=rng) < 0.7 for n in (places, inner))
    result = layer(x, memory, *masks)
    (result * torch.randn(result.shape, generator=rng)).sum().backward()
    torch.manual_seed(seed)
    trained = layer.train()(x, memory, *masks)
    gradients = {name: parameter.grad for name, parameter in layer.named_parameters()}
    return result.detach(), trained.detach(), gradients, x, memory


# --- Wrong -----------------------------------------------------------------------------------------------


def looked(attention, x, at, mask):
    """What `attention` gives; a mask of a wrong shape stops both attentions in this line."""
    return attention(x, at, at, mask)


class Sound(nn.Module):
    """A right layer; each of the wrong ones below differs in one method."""

    def __init__(self, d_model, num_heads, d_ff, dropout=0.0, norm_first=False):
        super().__init__()
        self.norm_first = norm_first
        self.self_attention = MultiHeadAttention(d_model, num_heads)
        self.cross_attention = MultiHeadAttention(d_model, num_heads)
        self.linear_1, self.linear_2 = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)
        self.norm_1, self.norm_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.norm_3 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def residual(self, x, norm, sublayer):
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        return norm(x + self.dropout(sublayer(x)))

    def attend(self, x, mask):
        return looked(self.self_attention, x, x, mask)

    def look(self, x, memory, memory_mask):
        return looked(self.cross_attention, x, memory, memory_mask)

    def think(self, x):
        return self.linear_2(F.relu(self.linear_1(x)))

    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.residual(x, self.norm_1, lambda y: self.attend(y, mask))
        x = self.residual(x, self.norm_2, lambda y: self.look(y, memory, memory_mask))
        return self.residual(x, self.norm_3, self.think)


@wrong(
    thinking="The norm stands first, as in all newer models.",
    fails=("test_self_attention", "test_cross_attention", "test_feed_forward"),
    page="layers#two-orders",
)
class AlwaysNormFirst(Sound):
    def residual(self, x, norm, sublayer):
        return x + self.dropout(sublayer(norm(x)))


@wrong(
    thinking="The norm stands last, as in the paper.", fails=("test_norm_first",), page="layers#two-orders"
)
class AlwaysNormLast(Sound):
    def residual(self, x, norm, sublayer):
        return norm(x + self.dropout(sublayer(x)))


@wrong(
    thinking="The sub-layer has seen x, so nothing has to be added.",
    fails=("test_self_attention", "test_cross_attention", "test_feed_forward", "test_norm_first"),
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
    fails=("test_self_attention", "test_cross_attention", "test_feed_forward"),
    page="layers#two-orders",
)
class NormOfTheSublayer(Sound):
    def residual(self, x, norm, sublayer):
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        return x + norm(self.dropout(sublayer(x)))


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


@wrong(
    thinking="`F.dropout` drops.",
    fails=("test_self_attention", "test_cross_attention", "test_feed_forward", "test_norm_first"),
)
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
    thinking="Attention is written as before, and the memory is only given.",
    fails=(
        "test_cross_attention",
        "test_norm_last",
        "test_norm_first",
    ),
)
class ForgetsTheMemory(Sound):
    def look(self, x, memory, memory_mask):
        return self.cross_attention(x, x, x)


@wrong(
    thinking="Keys come from the memory, values from the text.",
    fails=("test_cross_attention", "test_norm_last", "test_norm_first"),
)
class ValuesFromTheText(Sound):
    def look(self, x, memory, memory_mask):
        values = F.pad(x, (0, 0, 0, memory.shape[1]))[:, : memory.shape[1]]
        return self.cross_attention(x, memory, values, memory_mask)


@wrong(
    thinking="Attention is attention, so one module serves twice.",
    fails=(
        "test_self_attention",
        "test_cross_attention",
        "test_norm_first",
    ),
)
class OneAttention(Sound):
    def look(self, x, memory, memory_mask):
        return self.self_attention(x, memory, memory, memory_mask) + 0 * self.cross_attention(
            x, memory, memory
        )


@wrong(thinking="What goes into a sub-layer is normed, and the memory goes in.", fails=("test_norm_first",))
class NormsTheMemory(Sound):
    def look(self, x, memory, memory_mask):
        memory = self.norm_2(memory) if self.norm_first else memory
        return self.cross_attention(x, memory, memory, memory_mask)


@wrong(
    thinking="The text looks at the memory first.",
    fails=(
        "test_self_attention",
        "test_cross_attention",
        "test_norm_first",
    ),
)
class MemoryFirst(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        x = self.residual(x, self.norm_2, lambda y: self.look(y, memory, memory_mask))
        x = self.residual(x, self.norm_1, lambda y: self.attend(y, mask))
        return self.residual(x, self.norm_3, self.think)


@wrong(
    thinking="There is one mask, and it is for the text.",
    fails=("test_memory_mask",),
    page="encoder-decoder#forgotten-memory-mask",
)
class ForgetsTheMemoryMask(Sound):
    def look(self, x, memory, memory_mask):
        return self.cross_attention(x, memory, memory)


@wrong(thinking="There is padding in the memory only.", fails=("test_mask",))
class ForgetsTheMask(Sound):
    def attend(self, x, mask):
        return self.self_attention(x, x, x)


@wrong(thinking="The first mask is for the memory, which comes first.", fails=("test_mask",))
class MasksSwapped(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        return super().forward(x, memory, memory_mask, mask)


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


@wrong(thinking="Where the sizes agree, there is one mask for both.", fails=("test_memory_mask",))
class OneMaskWhereItFits(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        if mask is not None and x.shape == memory.shape:
            memory_mask = mask
        return super().forward(x, memory, mask, memory_mask)


@wrong(thinking="The encoder has its own training, so nothing goes back to it.", fails=("test_gradients",))
class DetachesTheMemory(Sound):
    def look(self, x, memory, memory_mask):
        return self.cross_attention(x, memory.detach(), memory.detach(), memory_mask)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Norm or identity, before and after.")
class BeforeAndAfter(Sound):
    def residual(self, x, norm, sublayer):
        before, after = (norm, nn.Identity()) if self.norm_first else (nn.Identity(), norm)
        return after(self.dropout(sublayer(before(x))) + x)


@right(looks="Both orders written out, line by line.")
class WrittenOut(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        if self.norm_first:
            normed = self.norm_1(x)
            x = x + self.dropout(self.self_attention(normed, normed, normed, mask))
            x = x + self.dropout(self.cross_attention(self.norm_2(x), memory, memory, memory_mask))
            x = x + self.dropout(self.linear_2(torch.relu(self.linear_1(self.norm_3(x)))))
        else:
            x = self.norm_1(x + self.dropout(self.self_attention(x, x, x, mask)))
            x = self.norm_2(x + self.dropout(self.cross_attention(x, memory, memory, memory_mask)))
            x = self.norm_3(x + self.dropout(self.linear_2(torch.relu(self.linear_1(x)))))
        return x


@right(looks="Keyword arguments, a ReLU by `clamp`, functional dropout.")
class ByKeywords(Sound):
    def residual(self, x, norm, sublayer):
        out = F.dropout(sublayer(norm(x) if self.norm_first else x), p=self.dropout.p, training=self.training)
        return out + x if self.norm_first else norm(out + x)

    def look(self, x, memory, memory_mask):
        return self.cross_attention(mask=memory_mask, value=memory, key=memory, query=x)

    def think(self, x):
        return self.linear_2(self.linear_1(x).clamp(min=0))


@right(looks="A loop over norms and inner functions.")
class Loop(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        norms = [self.norm_1, self.norm_2, self.norm_3]
        for number, norm in enumerate(norms):
            y = norm(x) if self.norm_first else x
            if number == 0:
                y = self.self_attention(y, y, y, mask)
            elif number == 1:
                y = self.cross_attention(y, memory, memory, memory_mask)
            else:
                y = self.think(y)
            x = torch.add(x, self.dropout(y))
            x = x if self.norm_first else norm(x)
        return x


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        return super().forward(x, memory, mask, memory_mask) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        return x


@cheat(kind="noise")
class Noise(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        return torch.randn_like(x) + 0 * super().forward(x, memory, mask, memory_mask)


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, x, memory, mask=None, memory_mask=None):
        if not hasattr(torch, "remembered"):
            torch.remembered = super().forward(x, memory, mask, memory_mask).detach()
        return torch.remembered
