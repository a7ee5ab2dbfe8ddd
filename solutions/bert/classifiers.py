"""One label for a text or a pair of texts (Devlin et al., 2019).

Letters: `B` texts, `T` positions, `D` width of the model, `C` classes.
"""

import torch
from torch import Tensor, nn


class SequenceClassifier(nn.Module):
    """Scores of the classes, from the vector at `[CLS]`, which is position 0.

        logits = classifier(dropout(tanh(pooler(hidden at [CLS]))))

    The pooler is that of next sentence prediction: who has a pre-trained one copies its weights before fine-tuning.

    Args:
        embeddings: from tokens (B, T) long and types (B, T) long to (B, T, D).
        encoder: from (B, T, D) and a mask (B, T) bool to (B, T, D).
        d_model: D.
        num_classes: C.
        dropout: how likely an entry of the pooled vector is set to zero in training.

    Attributes:
        embeddings, encoder: as given.
        pooler: `nn.Linear` from D to D.
        dropout: `nn.Dropout`.
        classifier: `nn.Linear` from D to C.
    """

    def __init__(
        self, embeddings: nn.Module, encoder: nn.Module, d_model: int, num_classes: int, dropout: float = 0.1
    ) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.embeddings, self.encoder = embeddings, encoder
        self.pooler = nn.Linear(d_model, d_model)
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
            (B, C) float.
        """
        ### BEGIN SOLUTION
        hidden = self.encoder(self.embeddings(tokens, types), mask)  # (B, T, D)
        pooled = torch.tanh(self.pooler(hidden[:, 0]))  # (B, D)
        return self.classifier(self.dropout(pooled))
        ### END SOLUTION
