"""A label for every word, by a model that reads pieces of words (Devlin et al., 2019).

Letters: `B` texts, `T` positions, `D` width of the model, `C` classes.
"""

from collections.abc import Sequence

from torch import Tensor, nn


def align_labels(labels: Sequence[int], word_ids: Sequence[int | None]) -> list[int]:
    """The labels of words as labels of pieces: a word's label stands at its first piece.

    All further pieces and all special tokens have -100, which a loss leaves out, so that a word counts once, however
    many pieces it has. A word that has no piece (a tokenizer drops some characters) has its label nowhere.

    Args:
        labels: one for each word of a text.
        word_ids: for each piece the number of its word, from 0, rising; None for a special token or padding.

    Returns:
        As many labels as there are pieces.
    """
    ### BEGIN SOLUTION
    aligned, previous = [], None
    for word in word_ids:
        aligned.append(-100 if word is None or word == previous else labels[word])
        previous = word
    return aligned
    ### END SOLUTION


class TokenClassifier(nn.Module):
    """Scores of the classes at every position.

    Args:
        embeddings: from tokens (B, T) long and types (B, T) long to (B, T, D).
        encoder: from (B, T, D) and a mask (B, T) bool to (B, T, D).
        d_model: D.
        num_classes: C.
        dropout: how likely an entry of what the encoder gives is set to zero.

    Attributes:
        embeddings, encoder: as given.
        dropout: `nn.Dropout`.
        classifier: `nn.Linear` from D to C.
    """

    def __init__(
        self, embeddings: nn.Module, encoder: nn.Module, d_model: int, num_classes: int, dropout: float = 0.1
    ) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.embeddings, self.encoder = embeddings, encoder
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(d_model, num_classes)
        ### END SOLUTION

    def forward(self, tokens: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Logits of the classes.

        Args:
            tokens: (B, T) long.
            types: (B, T) long, 0 for sentence A, 1 for sentence B.
            mask: (B, T) bool, False where padding stands.

        Returns:
            (B, T, C) float; those of further pieces and of padding mean nothing, and no loss reads them.
        """
        ### BEGIN SOLUTION
        hidden = self.encoder(self.embeddings(tokens, types), mask)  # (B, T, D)
        return self.classifier(self.dropout(hidden))
        ### END SOLUTION
