"""Known answers to `LayerNorm`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
from torch import nn

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Result and gradients of a layer with random parameters, in both modes."""
    rng = torch.Generator().manual_seed(seed)
    width, eps = 2 + seed % 7, (1e-5, 0.1)[seed % 2]
    layer = student.LayerNorm(width, eps=eps)
    start = {name: value.clone() for name, value in layer.state_dict().items()}
    for parameter in layer.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng)
    x = (torch.randn(*(3, 2, 4)[: seed % 4], width, generator=rng) * 2 + 1).requires_grad_()
    result = layer(x)
    (result * torch.randn(result.shape, generator=rng)).sum().backward()
    gradients = {name: parameter.grad for name, parameter in layer.named_parameters()}
    return start, result.detach(), layer.eval()(x).detach(), gradients, x.grad


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right layer; each of the wrong ones below differs in `forward`."""

    def __init__(self, d_model, eps=1e-5):
        super().__init__()
        self.eps = eps
        self.weight, self.bias = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))

    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong(thinking="`var` is the variance.", fails=("test_each_vector",), page="layers#eps-outside")
class DividesByOneLess(Sound):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong(
    thinking="Each entry is normalised over the batch.",
    fails=("test_each_vector",),
    page="layers#norm-wrong-axis",
)
class OverTheBatch(Sound):
    def forward(self, x):
        mean, variance = x.mean(0, keepdim=True), x.var(0, keepdim=True, unbiased=False)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong(
    thinking="Mean and variance are those of the whole tensor.",
    fails=("test_each_vector",),
    page="layers#norm-wrong-axis",
)
class OverEverything(Sound):
    def forward(self, x):
        return self.weight * (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + self.eps) + self.bias


@wrong(thinking="It is divided by the variance.", fails=("test_each_vector",))
class WithoutARoot(Sound):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return self.weight * (x - mean) / (variance + self.eps) + self.bias


@wrong(thinking="The root of the mean square is enough.", fails=("test_each_vector",))
class WithoutTheMean(Sound):
    def forward(self, x):
        return self.weight * x / torch.sqrt(x.square().mean(-1, keepdim=True) + self.eps) + self.bias


@wrong(
    thinking="To normalise is to bring everything between 0 and 1.",
    fails=("test_each_vector",),
    page="layers#not-normal",
)
class BetweenZeroAndOne(Sound):
    def forward(self, x):
        low, high = x.amin(-1, keepdim=True), x.amax(-1, keepdim=True)
        return self.weight * (x - low) / (high - low + self.eps) + self.bias


@wrong(
    thinking="`eps` is added to what it is divided by.",
    fails=("test_small_spread",),
    page="layers#eps-outside",
)
class EpsBesideTheRoot(Sound):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return self.weight * (x - mean) / (torch.sqrt(variance) + self.eps) + self.bias


@wrong(thinking="`eps` is always the same small number.", fails=("test_small_spread",))
class EpsOfItsOwn(Sound):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return self.weight * (x - mean) / torch.sqrt(variance + 1e-5) + self.bias


@wrong(
    thinking="The bias is scaled like everything else.",
    fails=("test_small_spread", "test_weight_and_bias", "test_gradients"),
)
class BiasInside(Sound):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return self.weight * ((x - mean) / torch.sqrt(variance + self.eps) + self.bias * variance)


@wrong(
    thinking="Scaling is optional.",
    fails=("test_small_spread", "test_weight_and_bias", "test_gradients"),
)
class ForgetsTheWeight(Sound):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong(
    thinking="The entries of a vector stand in dimension 1.",
    fails=("test_dimensions_in_front",),
    page="layers#norm-wrong-axis",
)
class InDimensionOne(Sound):
    def forward(self, x):
        mean, variance = x.mean(1, keepdim=True), x.var(1, keepdim=True, unbiased=False)
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong(thinking="Mean and variance are constants.", fails=("test_gradients",))
class DetachesTheMoments(Sound):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return self.weight * (x - mean.detach()) / torch.sqrt(variance.detach() + self.eps) + self.bias


@wrong(thinking="Taking the mean off in place saves memory.", fails=("test_modes", "test_gradients"))
class TakesOffInPlace(Sound):
    def forward(self, x):
        variance = x.var(-1, keepdim=True, unbiased=False)
        x -= x.mean(-1, keepdim=True)
        return self.weight * x / torch.sqrt(variance + self.eps) + self.bias


@wrong(
    thinking="The variance is the mean of the squares less the square of the mean.",
    fails=("test_small_spread",),
)
class DifferenceOfSquares(Sound):
    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        variance = (x**2).mean(-1, keepdim=True) - mean**2
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias


@wrong(thinking="`eps` is the smallest variance that is allowed.", fails=("test_small_spread",))
class EpsAsAFloor(Sound):
    def forward(self, x):
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
        return self.weight * (x - mean) / variance.clamp(min=self.eps).sqrt() + self.bias


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="`std` with a correction of zero, squared again.")
class ByTheDeviation(Sound):
    def forward(self, x):
        centred = x - x.mean(dim=-1, keepdim=True)
        power = centred.pow(2).sum(-1, keepdim=True) / x.shape[-1]
        return centred * (power + self.eps).rsqrt() * self.weight + self.bias


@right(looks="Mean of the squares less the square of the mean, in float64.")
class MeanOfSquares(Sound):
    def forward(self, x):
        wide = x.double()
        mean = wide.mean(-1, keepdim=True)
        variance = (wide**2).mean(-1, keepdim=True) - mean**2
        return torch.addcmul(
            self.bias.double(), self.weight.double(), (wide - mean) / (variance + self.eps).sqrt()
        )


@right(looks="`var_mean` of torch.")
class VarMean(Sound):
    def forward(self, x):
        variance, mean = torch.var_mean(x, dim=-1, correction=0, keepdim=True)
        return torch.addcmul(self.bias, self.weight, (x - mean).div((variance + self.eps) ** 0.5))


@right(looks="A product with a matrix that takes the mean off.")
class CentringMatrix(Sound):
    def forward(self, x):
        width = x.shape[-1]
        centred = x @ (torch.eye(width) - 1 / width)
        size = torch.sqrt(torch.einsum("...d,...d->...", centred, centred) / width + self.eps)
        return centred / size.unsqueeze(-1) * self.weight + self.bias


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, x):
        return super().forward(x) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, x):
        return x


@cheat(kind="noise")
class Noise(Sound):
    def forward(self, x):
        return torch.randn_like(x) + 0 * super().forward(x)


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, x):
        if not hasattr(torch, "remembered"):
            torch.remembered = super().forward(x).detach()
        return torch.remembered
