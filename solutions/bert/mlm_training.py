"""Training an encoder to find hidden tokens.

Letters: `N` texts in the training set, `b` of them in a batch, `T` positions, `V` tokens in the vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.bert.masking import mask_tokens


def train_mlm(
    model: nn.Module,
    tokens: Tensor,
    *,
    special_ids: Tensor,
    pad: int,
    mask_id: int,
    vocabulary_size: int,
    epochs: int,
    batch_size: int,
    lr: float,
    generator: torch.Generator,
) -> list[float]:
    """Train a model to find hidden tokens, with Adam; every epoch visits every text once, in a fresh random order.

    What is hidden is drawn again each time that a text is visited. The loss of a batch is the mean over its chosen
    positions, and 0 when none was chosen.

    Args:
        model: trained in place; `model(inputs, mask)` gives logits (b, T, V) for inputs (b, T) long and a mask (b, T)
            bool, False where padding stands.
        tokens: (N, T) long, filled up with `pad` on the right.
        special_ids: (K,) long, the numbers of the tokens that are never hidden, `pad` among them.
        pad: the number that stands for padding.
        mask_id: the number of `[MASK]`.
        vocabulary_size: V.
        epochs: how many times all texts are visited.
        batch_size: texts in a batch; the last batch of an epoch may be shorter.
        lr: learning rate of Adam.
        generator: the source of the order and of what is hidden.

    Returns:
        The mean loss per chosen position of each epoch, as it was when each batch was visited.
    """
    was_training = model.training
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history: list[float] = []
    numbers = mask_id, vocabulary_size  # for `mask_tokens(texts, special, *numbers, generator)`
    for _ in range(epochs):
        total, count = 0.0, 0  # the loss, summed over the chosen positions of this epoch, and their number
        for batch in torch.randperm(len(tokens), generator=generator).split(batch_size):  # (b,)
            texts = tokens[batch]  # (b, T)
            # The labels of this visit, (b, T) with -100 where nothing was chosen, and the loss of the batch
            ### BEGIN SOLUTION
            inputs, labels = mask_tokens(texts, torch.isin(texts, special_ids), *numbers, generator)
            logits = model(inputs, texts != pad).mT  # (b, V, T)
            loss = F.cross_entropy(logits, labels, reduction="sum") / (labels != -100).sum().clamp(min=1)
            ### END SOLUTION
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            chosen = int((labels != -100).sum())
            total, count = total + loss.item() * chosen, count + chosen
        history.append(total / max(count, 1))
    model.train(was_training)
    return history
