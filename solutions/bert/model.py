"""BERT (Devlin et al., 2019), assembled: embeddings, encoder, and the heads of pre-training.

The encoder is an argument: the clear one of `encoder.py`, or what a student wrote. `fast.py` has the fast forms.

Letters: `B` texts, `T` positions, `D` width of the model, `V` tokens in the vocabulary.
"""

import math
from collections.abc import Callable

from torch import Tensor, nn

from solutions.bert.config import BertConfig
from solutions.bert.embeddings import BertEmbeddings
from solutions.bert.encoder import BertEncoder
from solutions.bert.heads import MlmHead, NspHead


class Bert(nn.Module):
    """Embeddings and encoder.

    Args:
        config: sizes.
        embeddings: makes them from (vocabulary_size, d_model, max_length, num_types, dropout), as `BertEmbeddings`.
        encoder: makes it from (d_model, num_heads, d_ff, num_layers, dropout), as `BertEncoder`.
    """

    def __init__(
        self,
        config: BertConfig,
        embeddings: Callable[..., nn.Module] = BertEmbeddings,
        encoder: Callable[..., nn.Module] = BertEncoder,
    ) -> None:
        super().__init__()
        self.config = config
        width, dropout = config.d_model, config.dropout
        self.embeddings = embeddings(
            config.vocabulary_size, width, config.max_length, config.num_types, dropout
        )
        self.encoder = encoder(width, config.num_heads, config.d_ff, config.num_layers, dropout)
        start(self, config)

    def forward(self, tokens: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """The last layer's vectors (B, T, D).

        Args:
            tokens: (B, T) long.
            types: (B, T) long, 0 for sentence A, 1 for sentence B.
            mask: (B, T) bool, True at tokens, False at padding.
        """
        return self.encoder(self.embeddings(tokens, types), mask)


class BertForPreTraining(nn.Module):
    """A BERT with the two heads of pre-training; the token embedding and the decoder are one matrix.

    Args:
        config: sizes.
        embeddings: as for `Bert`.
        encoder: as for `Bert`.
    """

    def __init__(
        self,
        config: BertConfig,
        embeddings: Callable[..., nn.Module] = BertEmbeddings,
        encoder: Callable[..., nn.Module] = BertEncoder,
    ) -> None:
        super().__init__()
        self.config = config
        self.bert = Bert(config, embeddings, encoder)
        self.mlm = MlmHead(self.bert.embeddings.get_submodule("token"))  # type: ignore[arg-type]
        self.nsp = NspHead(config.d_model)
        start(self.mlm, config)
        start(self.nsp, config)

    def forward(self, tokens: Tensor, types: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of the tokens (B, T, V), and of "is next" and "is not" (B, 2); arguments as those of `Bert`."""
        hidden = self.bert(tokens, types, mask)
        return self.mlm(hidden), self.nsp(hidden)


def start(module: nn.Module, config: BertConfig) -> None:
    """Where training starts: matrices and embeddings normal, biases at zero; the norms' eps.

    The published model, of width 768, draws from a normal distribution with deviation 0.02, cut at two deviations. In a
    narrow model numbers of this size say too little to each other, and attention is slow to begin: here they grow with
    the inverse root of the width, so that a product with a vector keeps its size.
    """
    deviation = 0.02 * math.sqrt(768 / config.d_model)
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Embedding):
            nn.init.trunc_normal_(part.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
        if isinstance(part, nn.Linear):
            nn.init.zeros_(part.bias)
        if isinstance(part, nn.LayerNorm):
            part.eps = config.eps
