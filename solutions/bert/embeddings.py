"""What BERT reads (Devlin et al., 2019): a vector for the token, one for its position, one for its sentence.

Letters: `B` texts, `T` positions, `D` width of the model, `V` tokens in the vocabulary.
"""

from torch import Tensor, nn


class BertEmbeddings(nn.Module):
    """The sum of three embeddings, then a layer norm, then dropout.

    Parameters (the names are fixed): `token` (V vectors), `position` (`max_length` vectors, learned like those of
    tokens) and `token_type` (`num_types` vectors, one for each sentence of a pair), each an `nn.Embedding` of width D;
    `norm`, an `nn.LayerNorm` of width D with eps 1e-12.

    Args:
        vocabulary_size: V.
        d_model: D, the width of the model.
        max_length: how many positions have a vector.
        num_types: how many kinds of sentences have a vector; 2 for pairs.
        dropout: how likely an entry of the result is set to zero in training.
    """

    def __init__(
        self, vocabulary_size: int, d_model: int, max_length: int, num_types: int = 2, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.token = nn.Embedding(vocabulary_size, d_model)
        self.position = nn.Embedding(max_length, d_model)
        self.token_type = nn.Embedding(num_types, d_model)
        self.norm = nn.LayerNorm(d_model, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor, types: Tensor) -> Tensor:
        """Embed texts; their first token has position 0.

        Args:
            tokens: (B, T) long, token numbers.
            types: (B, T) long, 0 for sentence A, 1 for sentence B.

        Returns:
            (B, T, D) float.

        Raises:
            ValueError: T is over `max_length`.
        """
        length, longest = tokens.shape[1], self.position.num_embeddings
        if length > longest:
            raise ValueError(f"the texts have {length} tokens, expected at most {longest}; cut them")
        ### BEGIN SOLUTION
        x = self.token(tokens) + self.position.weight[:length] + self.token_type(types)  # (B, T, D)
        return self.dropout(self.norm(x))
        ### END SOLUTION
