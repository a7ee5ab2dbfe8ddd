"""BERT as it is trained: no padding, the vocabulary head on asked positions alone, fused kernels.

The numbers are those of the clear forms, and a test holds the two together, values and gradients; the state has the
same names, so that either form loads what the other has saved. What makes it fast:

* query, key and value are one matrix product, attention is torch's fused kernel;
* several texts stand in one row (`solutions.training.batches.pack`) and do not see each other, or a row is filled by
  one text and there is no mask at all;
* of the positions about one in seven is asked. The head is applied to a fixed number of them, so that its shape stays
  the same from step to step, as compiled code and CUDA graphs want it. A label of -100 fills up what is too many;
* `forward` gives the loss, so that what `torch.compile` fuses and DDP wraps is the whole objective.

Letters: `R` rows, `T` positions of a row, `D` width, `H` heads, `V` tokens in the vocabulary, `M` positions that the
vocabulary head is applied to, `N` texts.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.attention.fast import split_in_state
from solutions.bert.config import BertConfig
from solutions.bert.embeddings import BertEmbeddings
from solutions.bert.encoder import BertLayer
from solutions.bert.heads import MlmHead, NspHead
from solutions.bert.model import Bert, start
from solutions.training.batches import document_mask, pack


class Rows(NamedTuple):
    """Texts in rows, and what is asked about them."""

    tokens: Tensor
    """(R, T) long, with some hidden."""
    types: Tensor
    """(R, T) long, 0 for sentence A, 1 for sentence B."""
    labels: Tensor
    """(R, T) long, the token that stood there; -100 where nothing is asked."""
    next_labels: Tensor
    """(R, T) long: at a text's first position 0 when its sentence B is next, 1 when it is not; -100 elsewhere."""
    documents: Tensor | None = None
    """(R, T) long, the number of the text in its row; -1 where nothing is. None: each row is one text, and full."""
    positions: Tensor | None = None
    """(R, T) long, the position in the text. None: each row is one text."""

    def take(self, rows: Tensor) -> "Rows":
        """Some of the rows, by their numbers (R',) long."""
        return Rows(*(None if each is None else each[rows] for each in self))  # type: ignore[arg-type]


def pack_texts(
    tokens: Sequence[Tensor], types: Sequence[Tensor], is_next: Tensor | None, *, size: int, pad: int
) -> Rows:
    """Texts one after the other in rows; nothing is hidden and no token is asked yet.

    Args:
        tokens: of each text, (length,) long.
        types: of each text, (length,) long.
        is_next: (number of texts,) bool, whether sentence B truly follows; None when it is not asked.
        size: T, positions of a row.
        pad: what stands where no text is.

    Returns:
        On the CPU, as many rows as first-fit packing needs.

    Raises:
        CourseError: a text is longer than a row.
    """
    answers = [torch.full((len(each),), -100) for each in tokens]
    if is_next is not None:
        for answer, follows in zip(answers, is_next.tolist(), strict=True):
            answer[0] = 0 if follows else 1
    packed = pack(tokens, size=size, fill=pad)
    return Rows(
        tokens=packed.tokens,
        types=pack(types, size=size, fill=0).tokens,
        labels=torch.full_like(packed.tokens, -100),
        next_labels=pack(answers, size=size, fill=-100).tokens,
        documents=packed.documents,
        positions=packed.positions,
    )


class FastBertEmbeddings(BertEmbeddings):
    """`BertEmbeddings` of rows that may hold several texts."""

    def forward(self, tokens: Tensor, types: Tensor, positions: Tensor | None = None) -> Tensor:
        """(R, T, D) float, from (R, T) long each; without positions they count from 0 in every row."""
        if positions is None:
            return super().forward(tokens, types)
        x = self.token(tokens) + self.position(positions) + self.token_type(types)
        return self.dropout(self.norm(x))


class FastBertLayer(BertLayer):
    """`BertLayer` with query, key and value in one; arguments and state are the same, but for the mask."""

    def __init__(self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.1) -> None:
        super().__init__(d_model, num_heads, d_ff, dropout)
        del self.query, self.key, self.value
        self.in_proj = nn.Linear(d_model, 3 * d_model)
        split_in_state(self, "in_proj", ("query", "key", "value"))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(R, T, D) float from the same; the mask is broadcastable to (R, H, T, T), bool or what is added to scores."""
        projected = self.in_proj(x).chunk(3, dim=-1)  # (R, T, D) each
        q, k, v = (self.split(each) for each in projected)  # (R, H, T, D / H) each
        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (R, H, T, D / H)
        x = self.attention_norm(x + self.dropout(self.output(heads.transpose(1, 2).flatten(2))))
        return self.output_norm(x + self.dropout(self.outer(F.gelu(self.inner(x)))))


class FastBertEncoder(nn.Module):
    """`BertEncoder` of fast layers; arguments and state are the same, but there are more kinds of masks."""

    def __init__(
        self, d_model: int, num_heads: int, d_ff: int, num_layers: int, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            FastBertLayer(d_model, num_heads, d_ff, dropout) for _ in range(num_layers)
        )

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """All layers.

        Args:
            x: (R, T, D) float.
            mask: (R, T) bool, False at padding; or (R, 1, T, T) bool, True where a position may look at another; or
                None: everywhere.

        Returns:
            (R, T, D) float.
        """
        if mask is not None and mask.ndim == 2:
            mask = mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return x


class FastBertForPreTraining(nn.Module):
    """`BertForPreTraining` of fast parts; the state is the same.

    Args:
        config: sizes.
    """

    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config, FastBertEmbeddings, FastBertEncoder)
        self.mlm = MlmHead(self.bert.embeddings.get_submodule("token"))  # type: ignore[arg-type]
        self.nsp = NspHead(config.d_model)
        start(self.mlm, config)
        start(self.nsp, config)

    def forward(self, rows: Rows, asked: int, texts: int) -> Tensor:
        """The pre-training loss, `pretraining_loss` of all that is asked in the rows.

        Args:
            rows: a batch.
            asked: M, how many positions the vocabulary head is applied to; `enough` gives a number that will do.
                Positions that are asked beyond it, the last ones of the batch, are left out of the loss.
            texts: N, the same for texts; 0 for masked language modelling alone.

        Returns:
            () float32, in nats.
        """
        mlm_logits, labels, nsp_logits, next_labels = self.predict(rows, asked, texts)
        return _mean(mlm_logits, labels) + _mean(nsp_logits, next_labels)

    def predict(self, rows: Rows, asked: int, texts: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits (M, V) and labels (M,) of the asked positions, logits (N, 2) and labels (N,) of the texts.

        Arguments as for `forward`. A label of -100 stands where less is asked than is answered.
        """
        mask = None if rows.documents is None else document_mask(rows.documents)
        x = self.bert.embeddings(rows.tokens, rows.types, rows.positions)
        hidden = self.bert.encoder(x, mask).flatten(0, 1)  # (R * T, D)
        places, starts = asked_places(rows.labels, asked), asked_places(rows.next_labels, texts)
        return (
            self.mlm(hidden[places]),
            rows.labels.flatten()[places],
            self.nsp(hidden[starts].unsqueeze(1)),
            rows.next_labels.flatten()[starts],
        )


def asked_places(labels: Tensor, count: int) -> Tensor:
    """The places of the first `count` labels that ask something, in order; when there are fewer, others after them.

    Args:
        labels: (R, T) long, -100 where nothing is asked.
        count: at most R * T.

    Returns:
        (count,) long, places in the rows laid one after the other.
    """
    silent = (labels.flatten() == -100).to(torch.uint8)
    return silent.argsort(stable=True)[:count]


def enough(positions: int, rate: float, multiple: int = 64) -> int:
    """How many places are enough for what masking asks.

    Each position is asked with probability `rate`, so their number is binomial: the mean and five standard deviations,
    rounded up. More are asked in less than one of a million batches.

    Args:
        positions: of a batch.
        rate: the probability that one is asked.
        multiple: what the number is a multiple of, unless it is all positions.
    """
    most = positions * rate + 5 * math.sqrt(positions * rate * (1 - rate))
    return min(positions, multiple * math.ceil(most / multiple))


def _mean(logits: Tensor, labels: Tensor) -> Tensor:
    """The mean cross-entropy of what is asked; 0 when nothing is."""
    total = F.cross_entropy(logits, labels, ignore_index=-100, reduction="sum")
    return total / (labels != -100).sum().clamp(min=1)
