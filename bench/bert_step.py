"""Contestants of `training.py` that are pre-trained like BERT: ours, and `BertForPreTraining` of `transformers`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.bert import flops as bert_flops
from solutions.bert.config import BertConfig
from solutions.bert.fast import FastBertForPreTraining, Rows, enough
from solutions.bert.losses import pretraining_loss
from solutions.bert.model import BertForPreTraining

RATE = 0.15
"""The share of tokens that is asked."""


@dataclass(frozen=True)
class PretrainingSize:
    """Of a BERT, and of rows that one text fills."""

    d_model: int
    num_heads: int
    d_ff: int
    layers: int
    vocabulary: int
    batch: int
    length: int

    def config(self) -> BertConfig:
        """With the dropout of the paper."""
        return BertConfig(
            vocabulary_size=self.vocabulary,
            d_model=self.d_model,
            num_heads=self.num_heads,
            d_ff=self.d_ff,
            num_layers=self.layers,
            max_length=self.length,
        )

    def asked(self) -> int:
        """Positions that the fast form applies the vocabulary head to."""
        return enough(self.tokens(), RATE)

    def tokens(self) -> int:
        return self.batch * self.length

    def forward_flops(self, name: str) -> float:
        asked = self.asked() if name == "ours, fast" else self.tokens()
        return bert_flops.forward(self.config(), self.batch, self.length, asked, self.batch)

    def models(self) -> dict[str, Callable[[Any], nn.Module]]:
        return MODELS

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        tokens = torch.randint(1, self.vocabulary, (self.batch, self.length), device=device)
        types = (torch.arange(self.length, device=device) >= self.length // 2).long().expand_as(tokens)
        labels = torch.where(torch.rand(tokens.shape, device=device) < RATE, tokens, -100)
        labels[0, 0] = tokens[0, 0]  # a tiny batch may ask nothing
        return tokens, types, labels, torch.rand(self.batch, device=device) < 0.5

    def loss(self, network: nn.Module, part: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        asked = (part[2] != -100).sum()
        return network(*part) * asked, asked


class ClearBert(nn.Module):
    """Our BERT in its clear form, and its loss."""

    def __init__(self, size: PretrainingSize) -> None:
        super().__init__()
        self.model = BertForPreTraining(size.config())

    def forward(self, tokens: Tensor, types: Tensor, labels: Tensor, is_next: Tensor) -> Tensor:
        mlm_logits, nsp_logits = self.model(tokens, types, torch.ones_like(tokens, dtype=torch.bool))
        return pretraining_loss(mlm_logits, labels, nsp_logits, is_next)


class FastBert(nn.Module):
    """Our BERT in its fast form."""

    def __init__(self, size: PretrainingSize) -> None:
        super().__init__()
        self.asked = size.asked()
        self.model = FastBertForPreTraining(size.config())

    def forward(self, tokens: Tensor, types: Tensor, labels: Tensor, is_next: Tensor) -> Tensor:
        next_labels = F.pad((~is_next).long().unsqueeze(1), (0, tokens.shape[1] - 1), value=-100)
        return self.model(Rows(tokens, types, labels, next_labels), self.asked, len(tokens))


class TheirBert(nn.Module):
    """`BertForPreTraining` of `transformers`, with the sizes given."""

    def __init__(self, size: PretrainingSize) -> None:
        super().__init__()
        from transformers import BertConfig, BertForPreTraining

        config = BertConfig(
            vocab_size=size.vocabulary,
            hidden_size=size.d_model,
            num_attention_heads=size.num_heads,
            intermediate_size=size.d_ff,
            num_hidden_layers=size.layers,
            max_position_embeddings=size.length,
            attention_probs_dropout_prob=0.0,
            attn_implementation="sdpa",
        )
        self.model = BertForPreTraining(config)

    def forward(self, tokens: Tensor, types: Tensor, labels: Tensor, is_next: Tensor) -> Tensor:
        return self.model(
            input_ids=tokens, token_type_ids=types, labels=labels, next_sentence_label=(~is_next).long()
        ).loss


MODELS: dict[str, Callable[[Any], nn.Module]] = {
    "ours, clear": ClearBert,
    "ours, fast": FastBert,
    "transformers, BERT": TheirBert,
}
