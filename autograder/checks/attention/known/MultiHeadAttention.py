"""Known answers to `MultiHeadAttention`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
from torch import nn

from autograder.checks.variants import cheat, right, wrong
from solutions.attention.dot_product import scaled_dot_product_attention


def observe(student, seed):
    """Result and gradients for random sizes, weights and masks."""
    rng = torch.Generator().manual_seed(seed)
    batch, asking, asked, heads, each = (int(n) + 1 for n in torch.randint(4, (5,), generator=rng))
    model = student.MultiHeadAttention(heads * each, heads)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * 0.5
    query = torch.randn(batch, asking, heads * each, generator=rng)
    key, value = torch.randn(2, batch, asked, heads * each, generator=rng)
    mask = torch.rand(batch, heads, asking, asked, generator=rng) < 0.7 if seed % 2 else None
    result = model(query, key, value, mask)
    (result * torch.randn(result.shape, generator=rng)).sum().backward()
    return result.detach(), {name: parameter.grad for name, parameter in model.named_parameters()}


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right module; each of the wrong ones below differs in one method."""

    def __init__(self, d_model, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj, self.k_proj = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)
        self.v_proj, self.out_proj = nn.Linear(d_model, d_model), nn.Linear(d_model, d_model)

    def split(self, x):
        batch, places, width = x.shape
        return x.view(batch, places, self.num_heads, width // self.num_heads).transpose(1, 2)

    def join(self, x):
        return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)

    def attend(self, query, key, value, mask):
        return scaled_dot_product_attention(query, key, value, mask)[0]

    def forward(self, query, key, value, mask=None):
        query, key, value = self.q_proj(query), self.k_proj(key), self.v_proj(value)
        return self.out_proj(self.join(self.attend(*map(self.split, (query, key, value)), mask)))


@wrong(
    thinking="A view brings the dimensions into the order that is needed.",
    fails=("test_heads",),
    page="heads#view-without-transpose",
)
class SplitsWithAView(Sound):
    def split(self, x):
        return x.view(x.shape[0], self.num_heads, x.shape[1], -1)


@wrong(
    thinking="Heads are put together again with a view.",
    fails=("test_heads",),
    page="heads#view-without-transpose",
)
class JoinsWithAView(Sound):
    def join(self, x):
        return x.reshape(x.shape[0], x.shape[2], -1)


@wrong(thinking="The entries are dealt out to the heads in turn.", fails=("test_heads",))
class DealsTheEntriesOut(Sound):
    def split(self, x):
        return x.unflatten(-1, (-1, self.num_heads)).movedim(-1, 1)


@wrong(thinking="Scores are scaled by the width of the model.", fails=("test_heads",))
class ScaledByTheModel(Sound):
    def attend(self, query, key, value, mask):
        return super().attend(query / self.num_heads**0.5, key, value, mask)


@wrong(thinking="The heads are averaged, so that the width stays the same.", fails=("test_heads",))
class AveragesTheHeads(Sound):
    def join(self, x):
        return x.mean(1).repeat(1, 1, self.num_heads)


@wrong(thinking="The heads attend to each other at one place.", fails=("test_one_head",))
class AttendsAcrossHeads(Sound):
    def split(self, x):
        return x.unflatten(-1, (self.num_heads, -1))

    def join(self, x):
        return x.flatten(2)

    def attend(self, query, key, value, mask):
        return super().attend(query, key, value, None)


@wrong(
    thinking="`out_proj` is one more layer, and the result is complete without it.", fails=("test_one_head",)
)
class WithoutTheLastMap(Sound):
    def forward(self, query, key, value, mask=None):
        query, key, value = self.q_proj(query), self.k_proj(key), self.v_proj(value)
        return self.join(self.attend(*map(self.split, (query, key, value)), mask)) + 0 * self.out_proj(query)


@wrong(
    thinking="Attention of a text to itself needs one tensor only.",
    fails=("test_cross_attention", "test_masks_of_texts_and_heads"),
)
class SelfAttentionOnly(Sound):
    def forward(self, query, key, value, mask=None):
        return super().forward(
            query, query, query, mask if mask is None or mask.shape[-1] == query.shape[1] else None
        )


@wrong(
    thinking="Keys and values come from the same place.",
    fails=("test_cross_attention",),
    page="queries-keys-values#three-roles",
)
class ValuesFromTheKeys(Sound):
    def forward(self, query, key, value, mask=None):
        return super().forward(query, key, key, mask)


@wrong(thinking="The mask is optional.", fails=("test_mask", "test_masks_of_texts_and_heads"))
class ForgetsTheMask(Sound):
    def attend(self, query, key, value, mask):
        return super().attend(query, key, value, None)


@wrong(
    thinking="All texts have the same mask.",
    fails=("test_masks_of_texts_and_heads",),
)
class MaskOfTheFirstText(Sound):
    def attend(self, query, key, value, mask):
        return super().attend(query, key, value, mask if mask is None or mask.dim() < 4 else mask[:1])


@wrong(
    thinking="The heads come before the texts, as in the paper's formula.",
    fails=("test_texts_stay_apart",),
)
class MixesTheTexts(Sound):
    def split(self, x):
        return super().split(x).reshape(self.num_heads, x.shape[0], x.shape[1], -1).transpose(0, 1)


@wrong(thinking="Attention weights need no gradient.", fails=("test_gradients",))
class DetachesTheQuery(Sound):
    def attend(self, query, key, value, mask):
        return super().attend(query.detach(), key, value, mask)


@wrong(
    thinking="Keys and values are only looked up, so nothing goes back to them.", fails=("test_gradients",)
)
class DetachesTheKeys(Sound):
    def forward(self, query, key, value, mask=None):
        return super().forward(query, key.detach(), value, mask)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="One head after the other, with its rows of the weights.")
class OneHeadAtATime(Sound):
    def forward(self, query, key, value, mask=None):
        d = query.shape[-1] // self.num_heads
        pieces = []
        for h in range(self.num_heads):
            rows = slice(h * d, h * d + d)
            q, k, v = (
                nn.functional.linear(x, layer.weight[rows], layer.bias[rows])[:, None]
                for x, layer in zip((query, key, value), (self.q_proj, self.k_proj, self.v_proj), strict=True)
            )
            seen = mask
            if mask is not None and mask.dim() == 4 and mask.shape[1] > 1:
                seen = mask[:, h : h + 1]
            pieces.append(scaled_dot_product_attention(q, k, v, seen)[0][:, 0])
        return self.out_proj(torch.cat(pieces, -1))


@right(looks="Chunks stacked as heads.")
class ChunksStacked(Sound):
    def split(self, x):
        return torch.stack(x.chunk(self.num_heads, dim=-1), dim=1)

    def join(self, x):
        return torch.cat(x.unbind(1), dim=-1)


@right(looks="einsum with a softmax of its own.")
class Einsum(Sound):
    def attend(self, query, key, value, mask):
        scores = torch.einsum("bhqd,bhkd->bhqk", query, key) / query.shape[-1] ** 0.5
        if mask is not None:
            scores = torch.where(mask, scores, torch.full_like(scores, -1e30))
        return torch.einsum("bhqk,bhkd->bhqd", scores.softmax(-1), value)


@right(looks="Texts and heads in one dimension.")
class OneDimensionForBoth(Sound):
    def attend(self, query, key, value, mask):
        batch, heads = query.shape[:2]
        if mask is not None:
            mask = mask.expand(batch, heads, query.shape[2], key.shape[2]).flatten(0, 1)
        output, _ = scaled_dot_product_attention(
            query.flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1), mask
        )
        return output.view(batch, heads, query.shape[2], -1)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, query, key, value, mask=None):
        return super().forward(query, key, value, mask) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, query, key, value, mask=None):
        return query


@cheat(kind="noise")
class Noise(Sound):
    def forward(self, query, key, value, mask=None):
        return torch.randn_like(query) + 0 * self.out_proj(query)


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, query, key, value, mask=None):
        if not hasattr(torch, "remembered"):
            torch.remembered = super().forward(query, key, value, mask).detach()
        return torch.remembered + 0 * self.out_proj(query).sum()
