"""Known answers to `BertEncoder`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong
from solutions.bert.encoder import BertLayer


def observe(student, seed):
    """Start, result and gradients of an encoder of random size, in evaluation mode and in training mode."""
    rng = torch.Generator().manual_seed(seed)
    batch, places, heads, inner, count = (int(n) + 1 for n in torch.randint(3, (5,), generator=rng))
    torch.manual_seed(seed)
    encoder = student.BertEncoder(heads * 4, heads, inner, count, 0.3).eval()
    start = {name: value.clone() for name, value in encoder.state_dict().items()}
    for parameter in encoder.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * 0.5
    x = torch.randn(batch, places, heads * 4, generator=rng)
    mask = torch.rand(batch, places, generator=rng) < 0.7
    mask[:, 0] = True
    result = encoder(x, mask)
    (result * torch.randn(result.shape, generator=rng))[mask].sum().backward()
    torch.manual_seed(seed)
    trained = encoder.train()(x, mask)
    gradients = {name: parameter.grad for name, parameter in encoder.named_parameters()}
    return start, result[mask].detach(), trained[mask].detach(), gradients, x, mask


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right encoder; each of the wrong ones below differs in one method."""

    def __init__(self, d_model, num_heads, d_ff, num_layers, dropout=0.1):
        super().__init__()
        self.layers = self.build((d_model, num_heads, d_ff), num_layers, dropout)

    def build(self, sizes, count, dropout):
        return nn.ModuleList(BertLayer(*sizes, dropout) for _ in range(count))

    def forward(self, x, mask):
        for layer in self.layers:
            x = layer(x, mask)
        return x


@wrong(
    thinking="A list is made longer by multiplying it.",
    fails=("test_several_layers", "test_own_parameters"),
    page="released-weights#layers-do-not-share",
)
class TheSameLayer(Sound):
    def build(self, sizes, count, dropout):
        return nn.ModuleList([BertLayer(*sizes, dropout)] * count)


@wrong(thinking="All layers are alike, so one is copied, as in torch.", fails=("test_own_parameters",))
class CopiesOfOne(Sound):
    def build(self, sizes, count, dropout):
        layers = super().build(sizes, count, dropout)
        for layer in layers:
            layer.load_state_dict(layers[0].state_dict())
        return layers


@wrong(thinking="A list is a list.", fails=("test_layers",))
class PlainList(Sound):
    def build(self, sizes, count, dropout):
        return [BertLayer(*sizes, dropout) for _ in range(count)]


@wrong(thinking="A norm at the end is needed, as in newer models.", fails=("test_layers",))
class LastNorm(Sound):
    def __init__(self, *sizes, **settings):
        super().__init__(*sizes, **settings)
        self.norm = nn.LayerNorm(sizes[0])

    def forward(self, x, mask):
        return self.norm(super().forward(x, mask))


@wrong(thinking="What comes out is normed once more, without parameters.", fails=("test_one_layer",))
class NormsTheResult(Sound):
    def forward(self, x, mask):
        return F.layer_norm(super().forward(x, mask), x.shape[-1:])


@wrong(thinking="Each layer corrects its input, so the input is added.", fails=("test_one_layer",))
class AddsTheInput(Sound):
    def forward(self, x, mask):
        for layer in self.layers:
            x = x + layer(x, mask)
        return x


@wrong(thinking="All layers read the embeddings.", fails=("test_several_layers",))
class AllReadTheInput(Sound):
    def forward(self, x, mask):
        for layer in self.layers:
            result = layer(x, mask)
        return result


@wrong(thinking="The last layer of the list is the lowest.", fails=("test_several_layers",))
class FromTheEnd(Sound):
    def forward(self, x, mask):
        for layer in reversed(self.layers):
            x = layer(x, mask)
        return x


@wrong(thinking="The result is the mean of what all layers say.", fails=("test_several_layers",))
class MeanOfAll(Sound):
    def forward(self, x, mask):
        found = []
        for layer in self.layers:
            x = layer(x, mask)
            found.append(x)
        return torch.stack(found).mean(0)


@wrong(
    thinking="The embeddings of padding are in x anyway, and the model copes with them.",
    fails=("test_padding",),
    page="released-weights#forgotten-attention-mask",
)
class ForgetsTheMask(Sound):
    def forward(self, x, mask):
        return super().forward(x, torch.ones_like(mask))


@wrong(thinking="After the first layer padding has been dealt with.", fails=("test_padding",))
class MaskForTheFirstLayer(Sound):
    def forward(self, x, mask):
        for layer in self.layers:
            x = layer(x, mask)
            mask = torch.ones_like(mask)
        return x


@wrong(thinking="The layers know how much to drop.", fails=("test_dropout",))
class DropoutOfItsOwn(Sound):
    def build(self, sizes, count, dropout):
        return super().build(sizes, count, 0.1)


@wrong(thinking="Dropout also falls on what goes into the stack.", fails=("test_dropout",))
class DropsTheInput(Sound):
    def __init__(self, *sizes, dropout=0.1):
        super().__init__(*sizes, dropout)
        self.dropout = nn.Dropout(0.1)

    def forward(self, x, mask):
        return super().forward(self.dropout(x), mask)


@wrong(thinking="The embeddings are trained by the head.", fails=("test_gradients",))
class DetachesTheInput(Sound):
    def forward(self, x, mask):
        return super().forward(x.detach(), mask)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Appends layers one by one, counts them in `forward`.")
class AppendsLayers(Sound):
    def build(self, sizes, count, dropout):
        layers = nn.ModuleList()
        while len(layers) < count:
            layers.append(BertLayer(d_model=sizes[0], num_heads=sizes[1], d_ff=sizes[2], dropout=dropout))
        return layers

    def forward(self, x, mask):
        for number in range(len(self.layers)):
            x = self.layers[number](x, mask=mask)
        return x


@right(looks="Recursion from the last layer to the first.")
class Recursion(Sound):
    def forward(self, x, mask):
        return self.result_of(len(self.layers), x, mask)

    def result_of(self, number, x, mask):
        return self.layers[number - 1](self.result_of(number - 1, x, mask), mask) if number else x


@right(looks="A `Sequential` that is called layer by layer; all results kept.")
class SequentialOfLayers(Sound):
    def build(self, sizes, count, dropout):
        return nn.Sequential(*(BertLayer(*sizes, dropout=dropout) for _ in range(count)))

    def forward(self, x, mask):
        states = [x]
        for layer in self.layers:
            states.append(layer(states[-1], mask))
        return states[-1]


@right(looks="A list first, which is then extended into the module's; layers taken from the front.")
class ListFirst(Sound):
    def build(self, sizes, count, dropout):
        layers = []
        for _ in range(count):
            layers += [BertLayer(*sizes, dropout)]
        return nn.ModuleList().extend(layers)

    def forward(self, x, mask):
        waiting = list(self.layers)
        while waiting:
            x = waiting.pop(0)(mask=mask, x=x)
        return x


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
