"""Known answers to `BertEmbeddings`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {"`types` for `tokens` in `tokens.shape`": "both have the same shape"}


def observe(student, seed):
    """Result and gradients of a module of random size, in evaluation mode and in training mode."""
    rng = torch.Generator().manual_seed(seed)
    size, width, longest, types, batch = (int(n) + 2 for n in torch.randint(5, (5,), generator=rng))
    module = student.BertEmbeddings(size, width, longest, types, 0.3).eval()
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * (1.0, 1e-3)[seed % 2]
    length = int(torch.randint(longest, (), generator=rng)) + 1
    tokens = torch.randint(size, (batch, length), generator=rng)
    arguments = tokens, torch.randint(types, (batch, length), generator=rng)
    result = module(*arguments)
    (result * torch.randn(result.shape, generator=rng)).sum().backward()
    torch.manual_seed(seed)
    trained = module.train()(*arguments)
    gradients = {name: parameter.grad for name, parameter in module.named_parameters()}
    return result.detach(), trained.detach(), gradients, *arguments


# --- Wrong -----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right module; each of the wrong ones below differs in one method."""

    def __init__(self, vocabulary_size, d_model, max_length, num_types=2, dropout=0.1):
        super().__init__()
        self.token = nn.Embedding(vocabulary_size, d_model)
        self.position = nn.Embedding(max_length, d_model)
        self.token_type = nn.Embedding(num_types, d_model)
        self.norm = nn.LayerNorm(d_model, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def places(self, tokens):
        return self.position(torch.arange(tokens.shape[1]))

    def finish(self, x):
        return self.dropout(self.norm(x))

    def forward(self, tokens, types):
        return self.finish(self.token(tokens) + self.places(tokens) + self.token_type(types))


@wrong(thinking="Positions are counted from one, as in speech.", fails=("test_positions",))
class CountsFromOne(Sound):
    def places(self, tokens):
        return self.position((torch.arange(tokens.shape[1]) + 1) % self.position.num_embeddings)


@wrong(thinking="Each text of the batch has a position.", fails=("test_positions",))
class PositionOfTheText(Sound):
    def places(self, tokens):
        return self.position(torch.arange(len(tokens)) % self.position.num_embeddings)[:, None]


@wrong(
    thinking="A text ends at the last position, so that padding stands in front.",
    fails=("test_positions",),
    page="input#left-padding",
)
class CountsFromTheEnd(Sound):
    def places(self, tokens):
        return self.position.weight[-tokens.shape[1] :]


@wrong(
    thinking="Attention needs no positions, and neither does its input.",
    fails=("test_positions",),
)
class ForgetsThePositions(Sound):
    def forward(self, tokens, types):
        return self.finish(self.token(tokens) + self.token_type(types))


@wrong(
    thinking="Most inputs are one text, so every place is of type zero.",
    fails=("test_types",),
    page="input#all-in-segment-a",
)
class AllOfTypeZero(Sound):
    def forward(self, tokens, types):
        return super().forward(tokens, types * 0)


@wrong(thinking="Which sentence it is, is known from [SEP].", fails=("test_types",))
class ForgetsTheTypes(Sound):
    def forward(self, tokens, types):
        return self.finish(self.token(tokens) + self.places(tokens))


@wrong(thinking="All texts of a batch are divided at the same place.", fails=("test_types",))
class TypesOfTheFirstText(Sound):
    def forward(self, tokens, types):
        return super().forward(tokens, types[:1])


@wrong(
    thinking="The published model is used with torch's layer norm, and that is `F.layer_norm`.",
    fails=("test_norm",),
    page="released-weights#almost-the-same",
)
class AnotherEps(Sound):
    def finish(self, x):
        return self.dropout(F.layer_norm(x, x.shape[-1:], self.norm.weight, self.norm.bias))


@wrong(thinking="The encoder's layers have norms of their own.", fails=("test_tokens",))
class ForgetsTheNorm(Sound):
    def finish(self, x):
        return self.dropout(x) + 0 * self.norm(x)


@wrong(
    thinking="Each of the three is normalised, so that none drowns out the others.",
    fails=("test_positions", "test_types"),
)
class NormOfEach(Sound):
    def forward(self, tokens, types):
        zero = self.norm.bias  # what the norm makes of nothing
        x = self.norm(self.token(tokens)) + self.norm(self.places(tokens)) + self.norm(self.token_type(types))
        return self.dropout(x - 2 * zero)


@wrong(
    thinking="Embeddings are multiplied by the root of their width, as in the Transformer.",
    fails=("test_positions", "test_types"),
)
class ScaledTokens(Sound):
    def forward(self, tokens, types):
        x = self.token(tokens) * self.token.embedding_dim**0.5
        return self.finish(x + self.places(tokens) + self.token_type(types))


@wrong(thinking="Dropout falls on the sum, and the norm comes last.", fails=("test_dropout",))
class DropoutBeforeTheNorm(Sound):
    def finish(self, x):
        return self.norm(self.dropout(x))


@wrong(thinking="Dropout is for the encoder.", fails=("test_dropout",))
class NoDropout(Sound):
    def finish(self, x):
        return self.norm(x)


@wrong(
    thinking="`F.dropout` drops.",
    fails=("test_tokens",),
    page="released-weights#train-mode",
)
class DropsAlways(Sound):
    def finish(self, x):
        return F.dropout(self.norm(x), self.dropout.p or 0.1)


@wrong(thinking="What is dropped is dropped in all texts.", fails=("test_dropout",))
class OneDrawForAllTexts(Sound):
    def finish(self, x):
        return self.dropout(torch.ones_like(x[:1])) * self.norm(x)


@wrong(thinking="A look-up is indexing, and `.data` holds the numbers.", fails=("test_gradients",))
class RowsOfTheData(Sound):
    def places(self, tokens):
        return self.position.weight.data[: tokens.shape[1]]


@wrong(thinking="Types are counted from one in the paper's figure.", fails=("test_gradients",))
class ChangesTheTypes(Sound):
    def forward(self, tokens, types):
        result = super().forward(tokens, types)
        types += 1
        return result


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Position numbers for every text, all three look-ups alike.")
class NumbersForEveryText(Sound):
    def forward(self, tokens, types):
        positions = torch.arange(tokens.size(1)).unsqueeze(0).expand_as(tokens)
        tables = ((self.token, tokens), (self.position, positions), (self.token_type, types))
        return self.dropout(self.norm(sum(table(numbers) for table, numbers in tables)))


@right(looks="One-hot products for the look-ups, a norm written out in float64.")
class OneHotAndByHand(Sound):
    def forward(self, tokens, types):
        def rows(table, numbers):
            return F.one_hot(numbers, table.num_embeddings).double() @ table.weight.double()

        places = self.position.weight[None, : tokens.shape[1]].double()
        x = rows(self.token, tokens) + places + rows(self.token_type, types)
        centred = x - x.mean(-1, keepdim=True)
        x = centred / (centred.square().mean(-1, keepdim=True) + self.norm.eps).sqrt()
        return self.dropout((x * self.norm.weight + self.norm.bias).float())


@right(looks="A loop over places; functional dropout.")
class PlaceByPlace(Sound):
    def forward(self, tokens, types):
        found = []
        for place in range(tokens.shape[1]):
            x = self.token.weight[tokens[:, place]] + self.token_type.weight[types[:, place]]
            found.append(self.norm(self.position.weight[place] + x))
        return F.dropout(torch.stack(found, dim=1), p=self.dropout.p, training=self.training)


@right(looks="Positions kept in a buffer from the start.")
class PositionsInABuffer(Sound):
    def __init__(self, *sizes, **settings):
        super().__init__(*sizes, **settings)
        self.register_buffer("numbers", torch.arange(self.position.num_embeddings)[None])

    def forward(self, tokens, types):
        x = self.token(tokens)
        x += self.position(self.numbers[:, : x.shape[1]])
        x += self.token_type(types)
        return self.dropout(self.norm(x))


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
class Zeros(Sound):
    def forward(self, tokens, types):
        return super().forward(tokens, types) * 0


@cheat(kind="input")
class ItsOwnInput(Sound):
    def forward(self, tokens, types):
        return tokens[..., None].float().expand(-1, -1, self.token.embedding_dim) + 0 * self.norm.weight


@cheat(kind="noise")
class Noise(Sound):
    def forward(self, tokens, types):
        x = super().forward(tokens, types)
        return torch.randn_like(x) + 0 * x


@cheat(kind="remembered")
class Remembered(Sound):
    def forward(self, tokens, types):
        if not hasattr(torch, "remembered"):
            torch.remembered = super().forward(tokens, types).detach()
        return torch.remembered + 0 * self.norm.weight.sum()
