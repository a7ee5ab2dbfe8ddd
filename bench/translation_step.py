"""Contestants of `training.py` that translate: our Transformer, torch's, and MarianMT of `transformers`."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.attention.fast import FastDecoderLayer, FastEncoderLayer
from solutions.attention.masks import causal_mask
from solutions.attention.positions import sinusoidal_positions
from solutions.attention.transformer import Transformer, TransformerConfig
from solutions.training import flops


@dataclass(frozen=True)
class TranslationSize:
    """Of a Transformer, and of pairs of texts."""

    d_model: int
    num_heads: int
    d_ff: int
    layers: int
    """Of the encoder, and as many of the decoder."""
    vocabulary: int
    batch: int
    length: int
    """Tokens of each source and each target."""

    def tokens(self) -> int:
        return 2 * self.batch * self.length

    def forward_flops(self, name: str) -> float:
        B, T, D, d_ff = self.batch, self.length, self.d_model, self.d_ff
        layer = flops.encoder_layer(B, T, D, d_ff) + flops.decoder_layer(B, T, T, D, d_ff)
        return self.layers * layer + flops.vocabulary_head(B * T, D, self.vocabulary)

    def models(self) -> dict[str, Callable[[Any], nn.Module]]:
        return MODELS

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        return torch.randint(1, self.vocabulary, (3, self.batch, self.length), device=device).unbind()

    def loss(self, network: nn.Module, part: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        source, inputs, targets = part
        logits = network(source, inputs)
        summed = F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="sum")
        return summed, torch.tensor(targets.numel(), device=targets.device)


class Ours(nn.Module):
    """Our Transformer, its masks made anew in each step."""

    def __init__(self, size: TranslationSize, **layers: Any) -> None:
        super().__init__()
        config = TransformerConfig(
            vocabulary_size=size.vocabulary,
            d_model=size.d_model,
            num_heads=size.num_heads,
            d_ff=size.d_ff,
            encoder_layers=size.layers,
            decoder_layers=size.layers,
            max_length=size.length,
        )
        self.transformer = Transformer(config, **layers)

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        everywhere = source.new_ones(len(source), 1, 1, source.shape[1], dtype=torch.bool)
        return self.transformer(source, inputs, everywhere, causal_mask(inputs.shape[1]).to(source.device))


class Torch(nn.Module):
    """`nn.Transformer` between the same embeddings, positions and output."""

    def __init__(self, size: TranslationSize) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size.vocabulary, size.d_model)
        self.register_buffer("waves", sinusoidal_positions(size.length, size.d_model))
        self.transformer = nn.Transformer(
            size.d_model, size.num_heads, size.layers, size.layers, size.d_ff, 0.1, batch_first=True
        )
        self.dropout = nn.Dropout(0.1)

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        embedded = [self._embed(tokens) for tokens in (source, inputs)]
        hidden = ~causal_mask(inputs.shape[1]).to(source.device)
        return F.linear(
            self.transformer(*embedded, tgt_mask=hidden, tgt_is_causal=True), self.embedding.weight
        )

    def _embed(self, tokens: Tensor) -> Tensor:
        scaled = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        return self.dropout(scaled + self.get_buffer("waves")[: tokens.shape[1]])


class Marian(nn.Module):
    """MarianMT of `transformers`, with the sizes given."""

    def __init__(self, size: TranslationSize) -> None:
        super().__init__()
        from transformers import MarianConfig, MarianMTModel

        self.model = MarianMTModel(
            MarianConfig(
                vocab_size=size.vocabulary,
                d_model=size.d_model,
                encoder_layers=size.layers,
                decoder_layers=size.layers,
                encoder_attention_heads=size.num_heads,
                decoder_attention_heads=size.num_heads,
                encoder_ffn_dim=size.d_ff,
                decoder_ffn_dim=size.d_ff,
                activation_function="relu",
                dropout=0.1,
                attention_dropout=0.0,
                max_position_embeddings=size.length,
                scale_embedding=True,
                pad_token_id=0,
                use_cache=False,
            )
        )

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        return self.model(input_ids=source, decoder_input_ids=inputs).logits


MODELS: dict[str, Callable[[Any], nn.Module]] = {
    "ours, clear": Ours,
    "ours, fast": lambda size: Ours(size, encoder_layer=FastEncoderLayer, decoder_layer=FastDecoderLayer),
    "torch.nn.Transformer": Torch,
    "transformers, MarianMT": Marian,
}
