"""Training a sequence-to-sequence model with teacher forcing.

Letters: `N` pairs in the training set, `b` of them in a batch, `S` places of a source, `T` of a target, `V` tokens in
the vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.attention.masks import causal_mask, padding_mask


def train_seq2seq(
    model: nn.Module,
    source: Tensor,
    target: Tensor,
    *,
    pad: int,
    epochs: int,
    batch_size: int,
    lr: float,
    generator: torch.Generator,
) -> list[float]:
    """Train a model to write targets, with Adam; every epoch visits every pair once, in a fresh random order.

    At each place of a target the model is given what truly stands before it (teacher forcing), and has to give the next
    token a high probability. Padding is no token: it is not looked at and not predicted.

    Args:
        model: trained in place; `model(source, inputs, source_mask, target_mask)` gives logits (b, T', V) for inputs
            (b, T').
        source: (N, S) long, filled up with `pad` on the right.
        target: (N, T) long, each with a start token in front and an end token behind, filled up with `pad`.
        pad: the number that stands for padding.
        epochs: how many times all pairs are visited.
        batch_size: pairs in a batch; the last batch of an epoch may be shorter.
        lr: learning rate of Adam.
        generator: the source of the order of the pairs.

    Returns:
        The mean loss per predicted token of each epoch, as it was when each batch was visited.
    """
    was_training = model.training
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history: list[float] = []
    for _ in range(epochs):
        total, count = 0.0, 0  # the loss, summed over the tokens of this epoch, and their number
        for batch in torch.randperm(len(source), generator=generator).split(batch_size):  # (b,)
            asked, answer = source[batch], target[batch]  # (b, S), (b, T)
            ### BEGIN SOLUTION
            inputs, labels = answer[:, :-1], answer[:, 1:]  # (b, T - 1) each
            mask = padding_mask(inputs, pad) & causal_mask(inputs.shape[1])  # (b, 1, T - 1, T - 1)
            logits = model(asked, inputs, padding_mask(asked, pad), mask)  # (b, T - 1, V)
            loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=pad)
            ### END SOLUTION
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tokens = int((answer != pad).sum()) - len(answer)  # every token but the first of each row
            total, count = total + loss.item() * tokens, count + tokens
        history.append(total / count)
    model.train(was_training)
    return history
