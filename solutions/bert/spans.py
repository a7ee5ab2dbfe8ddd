"""Questions answered by a span of the text (Devlin et al., 2019): where it starts and where it ends.

Letters: `B` texts, `T` positions, `D` width of the model.
"""

import torch
from torch import Tensor, nn


class SpanClassifier(nn.Module):
    """Two scores at every position: how likely the answer starts here, and how likely it ends here.

    Args:
        embeddings: from tokens (B, T) long and types (B, T) long to (B, T, D).
        encoder: from (B, T, D) and a mask (B, T) bool to (B, T, D).
        d_model: D.

    Attributes:
        embeddings, encoder: as given.
        classifier: `nn.Linear` from D to 2; its first output is for starts, its second for ends.
    """

    def __init__(self, embeddings: nn.Module, encoder: nn.Module, d_model: int) -> None:
        super().__init__()
        ### BEGIN SOLUTION
        self.embeddings, self.encoder = embeddings, encoder
        self.classifier = nn.Linear(d_model, 2)
        ### END SOLUTION

    def forward(self, tokens: Tensor, types: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of starts and of ends.

        Args:
            tokens: (B, T) long.
            types: (B, T) long, 0 for the question, 1 for the text.
            mask: (B, T) bool, False where padding stands.

        Returns:
            Start logits and end logits, (B, T) float each; -inf at padding, where nothing starts and nothing ends.
        """
        ### BEGIN SOLUTION
        hidden = self.encoder(self.embeddings(tokens, types), mask)  # (B, T, D)
        logits = self.classifier(hidden).masked_fill(~mask[..., None], -torch.inf)  # (B, T, 2)
        return logits[..., 0], logits[..., 1]
        ### END SOLUTION


def best_span(start_logits: Tensor, end_logits: Tensor, max_length: int, context: Tensor) -> tuple[int, int]:
    """The span with the highest sum of its start logit and its end logit, among those that can be an answer.

    A span can be one when its start is not behind its end, both stand in the context, and it has at most `max_length`
    positions. The two best logits alone may make no span at all, so that spans are compared, not ends.

    Args:
        start_logits, end_logits: (T,) float, of one text; finite in the context.
        max_length: positions of the longest span, at least 1.
        context: (T,) bool, True in the text that holds the answer, which is one unbroken stretch; False at the
            question, at special tokens and at padding.

    Returns:
        The first and the last position of the span, both inside it. Of equally good spans the one that starts first,
        and of these the shortest.

    Raises:
        ValueError: no position is in the context.
    """
    ### BEGIN SOLUTION
    if not context.any():
        raise ValueError("no position is in the context, so there is no span; context is False everywhere")
    scores = start_logits[:, None] + end_logits  # (T, T), starts by ends
    valid = torch.ones_like(scores, dtype=torch.bool).triu().tril(max_length - 1)
    valid &= context[:, None] & context
    return divmod(int(scores.masked_fill(~valid, -torch.inf).argmax()), len(scores))
    ### END SOLUTION
