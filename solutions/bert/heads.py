"""The two heads of pre-training (Devlin et al., 2019): which token stood here, and does B follow A?

Letters: `B` texts, `T` positions, `D` width of the model, `V` tokens in the vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class MlmHead(nn.Module):
    """From a hidden vector to a logit for each token of the vocabulary.

        logits = decoder(norm(gelu(transform(hidden))))

    Parameters (the names are fixed): `transform`, an `nn.Linear` from D to D; `norm`, an `nn.LayerNorm` of width D with
    eps 1e-12; `decoder`, an `nn.Linear` from D to V. The weight of `decoder` is tied: it IS the parameter
    `embedding.weight`, so that a step on one is a step on both. Its bias (V,) is the head's own and starts as zeros.
    The GELU is the exact one.

    Args:
        embedding: of the tokens, with V vectors of width D.
    """

    def __init__(self, embedding: nn.Embedding) -> None:
        super().__init__()
        size, width = embedding.weight.shape
        self.transform = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.decoder = nn.Linear(width, size)
        nn.init.zeros_(self.decoder.bias)
        ### BEGIN SOLUTION
        self.decoder.weight = embedding.weight
        ### END SOLUTION

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits of what stands, or stood, at each position.

        Args:
            hidden: (..., D) float, the encoder's result at any positions.

        Returns:
            (..., V) float.
        """
        ### BEGIN SOLUTION
        return self.decoder(self.norm(F.gelu(self.transform(hidden))))
        ### END SOLUTION


class NspHead(nn.Module):
    """From the vector at `[CLS]`, which is position 0, to two logits: B is the next sentence, or it is not.

        logits = classifier(tanh(pooler(hidden at [CLS])))

    Class 0 stands for "is next" and class 1 for "is not", as in the published models.

    Parameters (the names are fixed): `pooler`, an `nn.Linear` from D to D; `classifier`, an `nn.Linear` from D to 2.

    Args:
        d_model: D, the width of the model.
    """

    def __init__(self, d_model: int) -> None:
        super().__init__()
        self.pooler = nn.Linear(d_model, d_model)
        self.classifier = nn.Linear(d_model, 2)

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits of the two classes.

        Args:
            hidden: (B, T, D) float, the encoder's result.

        Returns:
            (B, 2) float.
        """
        ### BEGIN SOLUTION
        return self.classifier(torch.tanh(self.pooler(hidden[:, 0])))
        ### END SOLUTION
