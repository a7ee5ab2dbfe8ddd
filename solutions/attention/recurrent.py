"""The baseline: a translation model of LSTMs with additive attention (Bahdanau et al., 2015).

A bidirectional LSTM reads; an LSTM writes, and before each token it looks at what was read. It is trained and it
writes through the same methods as the Transformer.

Letters: `B` batch, `S` places of the source, `T` of the target, `D` width of the model, `V` tokens in the vocabulary.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from solutions.attention.additive import additive_attention
from solutions.attention.decoding import State
from solutions.attention.masks import padding_mask


@dataclass(frozen=True, kw_only=True)
class RecurrentConfig:
    """Sizes of the recurrent model."""

    vocabulary_size: int
    """V, the tokens of source and target together."""
    pad: int = 0
    """The token that stands for padding."""
    d_model: int = 512
    """D, the width of embeddings and states; even, because reading goes both ways with half of it each."""
    encoder_layers: int = 1
    """Layers of the LSTM that reads; the one that writes has a single layer."""
    dropout: float = 0.1
    """How likely an entry of the embeddings and of the features before the output is set to zero."""

    def __post_init__(self) -> None:
        if self.d_model < 2 or self.d_model % 2:
            raise ValueError(f"d_model is {self.d_model}, expected an even number from 2 up")
        if self.encoder_layers < 1:
            raise ValueError(f"encoder_layers is {self.encoder_layers}, expected at least 1")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is {self.dropout}, expected 0 or more, and less than 1")
        if not 0 <= self.pad < self.vocabulary_size:
            raise ValueError(f"pad is {self.pad}, expected a token from 0 to {self.vocabulary_size - 1}")


class RecurrentSeq2Seq(nn.Module):
    """Reads a source and writes a target, place after place.

    Args:
        config: sizes.
    """

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        width, size = config.d_model, config.vocabulary_size
        self.source_embedding = nn.Embedding(size, width)
        self.target_embedding = nn.Embedding(size, width)
        self.encoder = nn.LSTM(
            width,
            width // 2,
            num_layers=config.encoder_layers,
            dropout=config.dropout if config.encoder_layers > 1 else 0.0,
            bidirectional=True,
            batch_first=True,
        )
        self.bridge = nn.Linear(width, width)
        self.cell = nn.LSTMCell(2 * width, width)
        self.w_query = nn.Parameter(nn.init.xavier_uniform_(torch.empty(width, width)))
        self.w_key = nn.Parameter(nn.init.xavier_uniform_(torch.empty(width, width)))
        self.v = nn.Parameter(torch.randn(width) * width**-0.5)
        self.features = nn.Linear(3 * width, width)
        self.output = nn.Linear(width, size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, source: Tensor, inputs: Tensor, source_mask: Tensor, target_mask: Tensor) -> Tensor:
        """Logits (B, T, V) for teacher forcing.

        Args:
            source: (B, S) long.
            inputs: (B, T) long, the target without its last token.
            source_mask: (B, 1, 1, S) bool, True where there is no padding.
            target_mask: not needed, because a recurrent model cannot look ahead; taken so that both models are
                called alike.
        """
        state = self._read(source, source_mask.flatten(start_dim=1))
        logits = []
        for tokens in inputs.unbind(dim=1):
            after, state = self.step(tokens, state)
            logits.append(after)
        return torch.stack(logits, dim=1)

    def begin(self, source: Tensor) -> State:
        """The state before anything is written."""
        return self._read(source, padding_mask(source, self.config.pad).flatten(start_dim=1))

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """One token further: logits (N, V) after `tokens` (N,) long, and the new state."""
        memory, mask, hidden, cell = state  # (N, S, D), (N, S), (N, D), (N, D)
        embedded = self.dropout(self.target_embedding(tokens))  # (N, D)
        context, _ = additive_attention(hidden, memory, memory, self.w_query, self.w_key, self.v, mask)
        hidden, cell = self.cell(torch.cat([embedded, context], dim=1), (hidden, cell))
        features = torch.tanh(self.features(torch.cat([hidden, context, embedded], dim=1)))  # (N, D)
        return self.output(self.dropout(features)), (memory, mask, hidden, cell)

    def _read(self, source: Tensor, mask: Tensor) -> State:
        """Memory, its mask (B, S), and the state of a decoder that has written nothing."""
        lengths = mask.sum(dim=1).cpu()  # padding stands on the right
        packed = pack_padded_sequence(
            self.dropout(self.source_embedding(source)), lengths, batch_first=True, enforce_sorted=False
        )
        states, (last, _) = self.encoder(packed)
        memory, _ = pad_packed_sequence(states, batch_first=True, total_length=source.shape[1])  # (B, S, D)
        hidden = torch.tanh(self.bridge(torch.cat([last[-2], last[-1]], dim=1)))  # (B, D)
        return memory, mask, hidden, torch.zeros_like(hidden)
