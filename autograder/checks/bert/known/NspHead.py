"""Known answers to `NspHead`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Logits and gradients of a head of random size."""
    rng = torch.Generator().manual_seed(seed)
    batch, places, width = (int(n) + 1 for n in torch.randint(5, (3,), generator=rng))
    head = student.NspHead(width)
    for parameter in head.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng)
    hidden = torch.randn(batch, places, width, generator=rng)
    logits = head(hidden)
    (logits * torch.randn(logits.shape, generator=rng)).sum().backward()
    return logits.detach(), {name: parameter.grad for name, parameter in head.named_parameters()}, hidden


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right head; each of the wrong ones below differs in one method."""

    def __init__(self, d_model):
        super().__init__()
        self.pooler, self.classifier = nn.Linear(d_model, d_model), nn.Linear(d_model, 2)

    def pick(self, hidden):
        return hidden[:, 0]

    def pool(self, x):
        return torch.tanh(self.pooler(x))

    def forward(self, hidden):
        return self.classifier(self.pool(self.pick(hidden)))


@wrong(
    thinking="The vector at [CLS] is the pooled vector.",
    fails=("test_one_place",),
    page="released-weights#pooler-output-is-not-cls",
)
class WithoutThePooler(Sound):
    def pool(self, x):
        return x + 0 * self.pooler(x)


@wrong(thinking="Two linear maps are a head.", fails=("test_one_place",))
class WithoutTanh(Sound):
    def pool(self, x):
        return self.pooler(x)


@wrong(thinking="GELU is BERT's activation.", fails=("test_one_place",))
class Gelu(Sound):
    def pool(self, x):
        return F.gelu(self.pooler(x))


@wrong(thinking="The tanh keeps what goes into the pooler small.", fails=("test_one_place",))
class TanhFirst(Sound):
    def pool(self, x):
        return self.pooler(torch.tanh(x))


@wrong(thinking="Two classes, so a softmax.", fails=("test_one_place",))
class Probabilities(Sound):
    def forward(self, hidden):
        return super().forward(hidden).softmax(-1)


@wrong(thinking="A text is the mean of its places.", fails=("test_first_place",))
class MeanOfAll(Sound):
    def pick(self, hidden):
        return hidden.mean(dim=1)


@wrong(thinking="The last place has seen everything.", fails=("test_first_place",))
class LastPlace(Sound):
    def pick(self, hidden):
        return hidden[:, -1]


@wrong(thinking="Pooling is taking the largest.", fails=("test_first_place",))
class LargestOfAll(Sound):
    def pick(self, hidden):
        return hidden.amax(dim=1)


@wrong(thinking="Index zero is the first place.", fails=("test_one_place",))
class FirstText(Sound):
    def pick(self, hidden):
        return hidden[0]


@wrong(
    thinking="Yes is one and no is zero.",
    fails=("test_class_order",),
    page="sentence-pairs#class-order",
)
class IsNextIsOne(Sound):
    def forward(self, hidden):
        return super().forward(hidden).flip(-1)


@wrong(thinking="Dimensions of size one are superfluous.", fails=("test_class_order",))
class Squeezes(Sound):
    def forward(self, hidden):
        return super().forward(hidden).squeeze(0)


@wrong(thinking="The head must not disturb the encoder.", fails=("test_gradients",))
class DetachesHidden(Sound):
    def pick(self, hidden):
        return hidden[:, 0].detach()


@wrong(thinking="`tanh_` saves memory, and what is read is read only once.", fails=("test_gradients",))
class ChangesHidden(Sound):
    def forward(self, hidden):
        result = super().forward(hidden)
        hidden.detach().tanh_()
        return result


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="The pooler at all places, then the first one is picked.")
class PoolsEverywhere(Sound):
    def forward(self, hidden):
        return self.classifier(torch.tanh(self.pooler(hidden)))[:, 0, :]


@right(looks="tanh by exponentials, in float64.")
class TanhByHand(Sound):
    def pool(self, x):
        return (2 / (1 + torch.exp(-2 * self.pooler(x).double())) - 1).float()


@right(looks="One text at a time.")
class TextByText(Sound):
    def forward(self, hidden):
        return torch.stack([self.classifier(self.pooler(text[0]).tanh()) for text in hidden])


@right(looks="`select` and matrix products.")
class MatrixProducts(Sound):
    def forward(self, hidden):
        x = nn.Tanh()(hidden.select(1, 0) @ self.pooler.weight.T + self.pooler.bias)
        return torch.addmm(self.classifier.bias, x, self.classifier.weight.T)


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
