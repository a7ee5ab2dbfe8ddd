"""Skip-gram with negative sampling (Mikolov et al., 2013): its loss, its model, its training loop.

Letters: `B` pairs in a batch, `K` negatives of one pair, `D` width of a vector, `V` words in the vocabulary,
`N` pairs in the training set.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sgns_loss(center: Tensor, context: Tensor, negatives: Tensor) -> Tensor:
    """Mean negative-sampling loss of a batch of (center, context) pairs.

    loss = mean over B of [-log sigmoid(center . context) - sum over K of log sigmoid(-center . negative)]

    Args:
        center: (B, D) float, the vectors of the center words.
        context: (B, D) float, the vectors of the words seen near them.
        negatives: (B, K, D) float, the vectors of K noise words for each pair.

    Returns:
        () float, the mean over the batch. Gradients flow to all three arguments.
    """
    ### BEGIN SOLUTION
    positive_scores = (center * context).sum(dim=-1)  # (B,)
    negative_scores = torch.einsum("bd,bkd->bk", center, negatives)  # (B, K)
    return -(F.logsigmoid(positive_scores) + F.logsigmoid(-negative_scores).sum(dim=-1)).mean()
    ### END SOLUTION


def sgns_gradient(center: Tensor, context: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The gradient of `sgns_loss`, written out: what training adds to each vector, with the sign turned.

    Args:
        center: (B, D) float.
        context: (B, D) float.
        negatives: (B, K, D) float.

    Returns:
        The gradients for center (B, D), context (B, D) and negatives (B, K, D), without autograd.
    """
    ### BEGIN SOLUTION
    batch = len(center)
    positive = (torch.sigmoid((center * context).sum(dim=-1)) - 1) / batch  # (B,)
    negative = torch.sigmoid(torch.einsum("bd,bkd->bk", center, negatives)) / batch  # (B, K)
    for_center = positive[:, None] * context + torch.einsum("bk,bkd->bd", negative, negatives)
    return for_center, positive[:, None] * center, torch.einsum("bk,bd->bkd", negative, center)
    ### END SOLUTION


class SkipGram(nn.Module):
    """Two tables of word vectors, trained so that a word predicts the words near it.

    Parameters (the names are fixed):
        center_vectors.weight: (V, D), a word's vector as a center word; starts uniform in [-0.5/D, 0.5/D).
        context_vectors.weight: (V, D), a word's vector as a context or noise word; starts as zeros.

    Args:
        vocabulary_size: V, the number of words.
        dimension: D, the width of a vector.
    """

    def __init__(self, *, vocabulary_size: int, dimension: int) -> None:
        super().__init__()
        self.center_vectors = nn.Embedding(vocabulary_size, dimension)
        self.context_vectors = nn.Embedding(vocabulary_size, dimension)
        ### BEGIN SOLUTION
        nn.init.uniform_(self.center_vectors.weight, -0.5 / dimension, 0.5 / dimension)
        nn.init.zeros_(self.context_vectors.weight)
        ### END SOLUTION

    def forward(self, centers: Tensor, contexts: Tensor, negatives: Tensor) -> Tensor:
        """The loss of a batch of word numbers.

        Args:
            centers: (B,) long, the center words.
            contexts: (B,) long, the words seen near them.
            negatives: (B, K) long, K noise words for each pair.

        Returns:
            () float, `sgns_loss` of the vectors of these words.
        """
        ### BEGIN SOLUTION
        center, context = self.center_vectors(centers), self.context_vectors(contexts)  # (B, D), (B, D)
        return sgns_loss(center, context, self.context_vectors(negatives))
        ### END SOLUTION


def train_skipgram(
    model: nn.Module,
    pairs: Tensor,
    noise: Tensor,
    *,
    epochs: int,
    batch_size: int,
    lr: float,
    num_negatives: int,
    generator: torch.Generator,
) -> list[float]:
    """Train a skip-gram model with Adam; every epoch visits every pair once, in a fresh random order.

    Args:
        model: trained in place; `model(centers, contexts, negatives)` is the mean loss of the batch.
        pairs: (N, 2) long, one (center, context) pair a row.
        noise: (V,) float, the weight of each word in the noise distribution; the sum need not be 1.
        epochs: how many times all pairs are visited.
        batch_size: pairs in a batch; the last batch of an epoch may be shorter.
        lr: learning rate of Adam.
        num_negatives: K, the noise words drawn for each pair.
        generator: the only source of randomness (order of the pairs, noise words).

    Returns:
        The mean loss per pair of each epoch, as it was when each batch was visited.
    """
    was_training = model.training
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history: list[float] = []
    for _ in range(epochs):
        total = 0.0  # the loss, summed over the pairs of this epoch
        for batch in torch.randperm(len(pairs), generator=generator).split(batch_size):  # (b,)
            centers, contexts = pairs[batch].unbind(dim=1)  # (b,), (b,)
            ### BEGIN SOLUTION
            flat = torch.multinomial(noise, len(batch) * num_negatives, replacement=True, generator=generator)
            loss = model(centers, contexts, flat.view(len(batch), num_negatives))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ### END SOLUTION
            total += loss.item() * len(batch)
        history.append(total / len(pairs))
    model.train(was_training)
    return history
