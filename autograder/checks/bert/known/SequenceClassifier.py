"""Known answers to `SequenceClassifier`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
from torch import nn

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Logits in both modes and gradients, for random sizes, weights and texts."""
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

    model = student.SequenceClassifier(Vectors(), Mixture(), width, num_classes, dropout=0.3).eval()
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * 0.5
    tokens = torch.randint(9, (batch, length), generator=rng)
    types = torch.randint(2, (batch, length), generator=rng)
    mask = torch.arange(length) < torch.randint(1, length + 1, (batch, 1), generator=rng)
    result = model(tokens, types, mask)
    (result * torch.randn(result.shape, generator=rng)).sum().backward()
    torch.manual_seed(seed)
    trained = model.train()(tokens, types, mask)
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return result.detach(), trained.detach(), gradients


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right classifier; each of the wrong ones below differs in one method."""

    def __init__(self, embeddings, encoder, d_model, num_classes, dropout=0.1):
        super().__init__()
        self.embeddings, self.encoder = embeddings, encoder
        self.pooler, self.classifier = nn.Linear(d_model, d_model), nn.Linear(d_model, num_classes)
        self.dropout = nn.Dropout(dropout)

    def encode(self, tokens, types, mask):
        return self.encoder(self.embeddings(tokens, types), mask)

    def pick(self, hidden, mask):
        return hidden[:, 0]

    def pool(self, vector):
        return self.dropout(torch.tanh(self.pooler(vector)))

    def forward(self, tokens, types, mask):
        return self.classifier(self.pool(self.pick(self.encode(tokens, types, mask), mask)))


@wrong(
    thinking="Where [CLS] was, the vector means the whole text; a pooler is one more layer.",
    fails=("test_cls_is_read",),
    page="released-weights#pooler-output-is-not-cls",
)
class WithoutThePooler(Sound):
    def pool(self, vector):
        return self.dropout(vector) + 0 * self.pooler(vector)


@wrong(
    thinking="A text is the mean of its tokens.",
    fails=("test_cls_is_read",),
)
class MeanOfTheTokens(Sound):
    def pick(self, hidden, mask):
        seen = mask.unsqueeze(-1)
        return (hidden * seen).sum(1) / seen.sum(1)


@wrong(
    thinking="The last position has read the whole text, as in a language model.",
    fails=("test_cls_is_read",),
)
class LastToken(Sound):
    def pick(self, hidden, mask):
        return hidden[torch.arange(len(hidden)), mask.sum(1) - 1]


@wrong(thinking="A classifier returns probabilities.", fails=("test_cls_is_read",))
class Probabilities(Sound):
    def forward(self, tokens, types, mask):
        return super().forward(tokens, types, mask).softmax(-1)


@wrong(thinking="Two linear maps in a row are a network.", fails=("test_tanh",))
class NoTanh(Sound):
    def pool(self, vector):
        return self.dropout(self.pooler(vector))


@wrong(
    thinking="The pooled vector has a standard size, so that it is comparable.",
    fails=("test_cls_is_read",),
)
class NormAfterTheTanh(Sound):
    def pool(self, vector):
        return self.dropout(nn.functional.layer_norm(torch.tanh(self.pooler(vector)), vector.shape[-1:]))


@wrong(
    thinking="Padding has a token of its own, which the encoder knows.",
    fails=("test_mask",),
    page="released-weights#forgotten-attention-mask",
)
class ForgetsTheMask(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, types, torch.ones_like(mask))


@wrong(
    thinking="A mask marks what is hidden, as in torch's own encoder.",
    fails=("test_mask", "test_types"),
)
class TrueMeansPadding(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, types, ~mask)


@wrong(
    thinking="One text needs no types, and [SEP] tells two apart.",
    fails=("test_types",),
    page="input#all-in-segment-a",
)
class ForgetsTheTypes(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, torch.zeros_like(types), mask)


@wrong(
    thinking="Dropout is a function like any other.",
    fails=("test_dropout",),
    page="released-weights#train-mode",
)
class DropoutInBothModes(Sound):
    def pool(self, vector):
        return nn.functional.dropout(torch.tanh(self.pooler(vector)), self.dropout.p)


@wrong(thinking="Dropout falls on what the encoder gives.", fails=("test_dropout",))
class DropoutBeforeThePooler(Sound):
    def pool(self, vector):
        return torch.tanh(self.pooler(self.dropout(vector)))


@wrong(thinking="Dropout comes at the end of a network.", fails=("test_dropout",))
class DropoutOnTheLogits(Sound):
    def pool(self, vector):
        return torch.tanh(self.pooler(vector))

    def forward(self, tokens, types, mask):
        return self.dropout(super().forward(tokens, types, mask))


@wrong(thinking="Few examples need no dropout.", fails=("test_dropout",))
class NoDropout(Sound):
    def pool(self, vector):
        return torch.tanh(self.pooler(vector))


@wrong(
    thinking="The pre-trained part is finished, and only the new layers learn.",
    fails=("test_gradients",),
)
class FrozenEncoder(Sound):
    def encode(self, tokens, types, mask):
        return super().encode(tokens, types, mask).detach()


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Pools every position, and picks the first at the end.")
class PicksAtTheEnd(Sound):
    def forward(self, tokens, types, mask):
        hidden = self.encoder(x=self.embeddings(tokens=tokens, types=types), mask=mask)
        return self.classifier(self.dropout(self.pooler(hidden).tanh()[:, 0, :]))


@right(looks="The new layers are one `nn.Sequential`, each beside a name of its own.")
class InARow(nn.Module):
    def __init__(self, embeddings, encoder, d_model, num_classes, dropout=0.1):
        super().__init__()
        self.embeddings = embeddings
        self.encoder = encoder
        self.pooler = nn.Linear(d_model, d_model)
        self.classifier = nn.Linear(d_model, num_classes)
        self.row = nn.Sequential(self.pooler, nn.Tanh(), nn.Dropout(dropout), self.classifier)

    def forward(self, tokens, types, mask):
        return self.row(self.encoder(self.embeddings(tokens, types), mask).select(1, 0))


@right(looks="Dropout as a function that knows the mode; matrix products by hand.")
class ByHand(Sound):
    def __init__(self, embeddings, encoder, d_model, num_classes, dropout=0.1):
        super().__init__(embeddings, encoder, d_model, num_classes)
        self.share = dropout

    def forward(self, tokens, types, mask):
        first = self.encode(tokens, types, mask)[:, 0]
        pooled = torch.tanh(first @ self.pooler.weight.T + self.pooler.bias)
        pooled = nn.functional.dropout(pooled, self.share, self.training)
        return torch.einsum("bd,cd->bc", pooled, self.classifier.weight) + self.classifier.bias


@right(looks="tanh by its formula, and one text at a time at the end.")
class TextByText(Sound):
    def forward(self, tokens, types, mask):
        pooled = [2 * torch.sigmoid(2 * self.pooler(h[0])) - 1 for h in self.encode(tokens, types, mask)]
        return torch.stack([self.classifier(self.dropout(each)) for each in pooled])


@right(looks="The embeddings and the encoder have a second name, under which they are called.")
class SecondNames(Sound):
    def __init__(self, embeddings, encoder, d_model, num_classes, dropout=0.1):
        super().__init__(embeddings, encoder, d_model, num_classes, dropout)
        self.bert = nn.ModuleList([embeddings, encoder])

    def encode(self, tokens, types, mask):
        return self.bert[1](self.bert[0](tokens, types), mask)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, tokens, types, mask):
        return super().forward(tokens, types, mask) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, tokens, types, mask):
        return self.pick(self.embeddings(tokens, types), mask)


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
