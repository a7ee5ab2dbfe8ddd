"""The Transformer (Vaswani et al., 2017): encoder, decoder, and the step by which it writes.

The layers are an argument: the clear ones of `layers.py`, the fast ones of `fast.py`, or what a student wrote.

Letters: `B` batch, `S` places of the source, `T` of the target, `D` width of the model, `V` tokens in the vocabulary.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from solutions.attention.decoding import State
from solutions.attention.layers import DecoderLayer, EncoderLayer
from solutions.attention.masks import causal_mask, padding_mask
from solutions.attention.positions import LearnedPositions, sinusoidal_positions


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Sizes of a Transformer. The defaults are those of the base model of the paper, but for the vocabulary."""

    vocabulary_size: int
    """V, the tokens of source and target together: both use one vocabulary."""
    pad: int = 0
    """The token that stands for padding."""
    d_model: int = 512
    """D, the width of the model; even, and a multiple of `num_heads`."""
    num_heads: int = 8
    """Heads of each attention."""
    d_ff: int = 2048
    """Width inside the feed-forward networks."""
    encoder_layers: int = 6
    """Layers that read."""
    decoder_layers: int = 6
    """Layers that write."""
    dropout: float = 0.1
    """How likely an entry is set to zero, of the embeddings and of each sub-layer's result."""
    norm_first: bool = False
    """Whether norms stand before the sub-layers; then one more stands behind the last layer."""
    positions: str = "sinusoidal"
    """`sinusoidal` (fixed) or `learned`."""
    max_length: int = 512
    """How many places have a position."""
    tie_embeddings: bool = True
    """Whether source embedding, target embedding and output map are one matrix."""

    def __post_init__(self) -> None:
        for name in ("vocabulary_size", "d_model", "num_heads", "d_ff", "max_length"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}, expected at least 1")
        if min(self.encoder_layers, self.decoder_layers) < 0:
            raise ValueError(
                f"there are {self.encoder_layers} encoder and {self.decoder_layers} decoder layers, expected 0 or more"
            )
        if self.d_model % self.num_heads or self.d_model % 2:
            raise ValueError(
                f"d_model is {self.d_model}, expected an even multiple of num_heads, which is {self.num_heads}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}, expected 0 or more, and less than 1")
        if self.positions not in ("sinusoidal", "learned"):
            raise ValueError(f"positions is {self.positions!r}, expected 'sinusoidal' or 'learned'")
        if not 0 <= self.pad < self.vocabulary_size:
            raise ValueError(f"pad is {self.pad}, expected a token from 0 to {self.vocabulary_size - 1}")


class Transformer(nn.Module):
    """Reads a source and writes a target.

    Args:
        config: sizes.
        encoder_layer: makes a layer from (d_model, num_heads, d_ff, dropout, norm_first), as `EncoderLayer` does.
        decoder_layer: the same, as `DecoderLayer` does.
    """

    def __init__(
        self,
        config: TransformerConfig,
        encoder_layer: Callable[..., nn.Module] = EncoderLayer,
        decoder_layer: Callable[..., nn.Module] = DecoderLayer,
    ) -> None:
        super().__init__()
        self.config = config
        width, size = config.d_model, config.vocabulary_size
        sizes = width, config.num_heads, config.d_ff, config.dropout, config.norm_first
        self.source_embedding = nn.Embedding(size, width)
        self.target_embedding = nn.Embedding(size, width)
        self.encoder = nn.ModuleList(encoder_layer(*sizes) for _ in range(config.encoder_layers))
        self.decoder = nn.ModuleList(decoder_layer(*sizes) for _ in range(config.decoder_layers))
        self.encoder_norm = nn.LayerNorm(width) if config.norm_first else nn.Identity()
        self.decoder_norm = nn.LayerNorm(width) if config.norm_first else nn.Identity()
        self.output = nn.Linear(width, size, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        if config.positions == "learned":
            self.source_positions = LearnedPositions(config.max_length, width)
            self.target_positions = LearnedPositions(config.max_length, width)
        else:
            waves = sinusoidal_positions(config.max_length, width)
            self.register_buffer("waves", waves, persistent=False)
        self._start()
        if config.tie_embeddings:
            self.target_embedding.weight = self.source_embedding.weight
            self.output.weight = self.source_embedding.weight

    def _start(self) -> None:
        """Where training starts: matrices after Glorot and Bengio (2010), biases at zero, embeddings of length one.

        The embeddings are multiplied by sqrt(D) when they are looked up, so that positions do not outweigh them.
        """
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Embedding):
                nn.init.normal_(module.weight, std=self.config.d_model**-0.5)

    def encode(self, source: Tensor, source_mask: Tensor) -> Tensor:
        """The memory (B, S, D) of a source (B, S) long, with its mask (B, 1, 1, S)."""
        x = self._embed(source, self.source_embedding, "source")
        for layer in self.encoder:
            x = layer(x, source_mask)
        return self.encoder_norm(x)

    def decode(self, inputs: Tensor, memory: Tensor, mask: Tensor, memory_mask: Tensor) -> Tensor:
        """Logits (B, T, V) of the token after each of `inputs` (B, T) long.

        Args:
            inputs: (B, T) long, the target without its last token.
            memory: (B, S, D) float, from `encode`.
            mask: bool, broadcastable to (B, H, T, T): causal, and no padding.
            memory_mask: bool, broadcastable to (B, H, T, S).
        """
        x = self._embed(inputs, self.target_embedding, "target")
        for layer in self.decoder:
            x = layer(x, memory, mask, memory_mask)
        return self.output(self.decoder_norm(x))

    def forward(self, source: Tensor, inputs: Tensor, source_mask: Tensor, target_mask: Tensor) -> Tensor:
        """Logits (B, T, V) for teacher forcing.

        Args:
            source: (B, S) long.
            inputs: (B, T) long, the target without its last token.
            source_mask: (B, 1, 1, S) bool, True where there is no padding.
            target_mask: bool, broadcastable to (B, H, T, T): causal, and no padding.
        """
        return self.decode(inputs, self.encode(source, source_mask), target_mask, source_mask)

    def begin(self, source: Tensor) -> State:
        """The state before anything is written: memory, its mask, and no token yet."""
        mask = padding_mask(source, self.config.pad)
        return self.encode(source, mask), mask, source.new_empty(len(source), 0)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One token further: logits (N, V) after `tokens` (N,) long, and the new state.

        All that is written is read anew in each step: T steps cost T / 2 times what a cache of keys and values would.
        """
        memory, memory_mask, written = state
        written = torch.cat([written, tokens.unsqueeze(1)], dim=1)  # (N, t)
        mask = causal_mask(written.shape[1]).to(written.device)
        logits = self.decode(written, memory, mask, memory_mask)[:, -1]
        return logits, (memory, memory_mask, written)

    def _embed(self, tokens: Tensor, embedding: nn.Embedding, side: str) -> Tensor:
        """(B, T, D): embeddings and positions, with dropout."""
        length = tokens.shape[1]
        if length > self.config.max_length:
            raise ValueError(f"the {side} has {length} places, expected at most {self.config.max_length}")
        if self.config.positions == "learned":
            places = getattr(self, f"{side}_positions")(length)
        else:
            places = self.get_buffer("waves")[:length]
        return self.dropout(embedding(tokens) * math.sqrt(self.config.d_model) + places)
