"""What BERT is pre-trained for (Devlin et al., 2019): the hidden tokens, and the order of two sentences.

Letters: `B` texts, `T` positions, `V` tokens in the vocabulary.
"""

import torch.nn.functional as F
from torch import Tensor


def pretraining_loss(mlm_logits: Tensor, labels: Tensor, nsp_logits: Tensor, is_next: Tensor) -> Tensor:
    """The sum of two mean cross-entropies, in nats.

    The first is the mean over all positions of the batch that are asked; a position with label -100 is not asked, and
    when none is, the first part is 0. The second is the mean over the texts.

    Args:
        mlm_logits: (B, T, V) float.
        labels: (B, T) long, the token that stood there; -100 where nothing is asked.
        nsp_logits: (B, 2) float; class 0 stands for "is next", class 1 for "is not".
        is_next: (B,) bool, whether sentence B truly follows sentence A.

    Returns:
        () float.
    """
    ### BEGIN SOLUTION
    total = F.cross_entropy(mlm_logits.flatten(0, 1), labels.flatten(), reduction="sum")  # skips -100
    return total / (labels != -100).sum().clamp(min=1) + F.cross_entropy(nsp_logits, (~is_next).long())
    ### END SOLUTION
