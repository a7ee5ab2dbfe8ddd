"""What a trained BERT guesses after each of its layers: its vocabulary head on the vectors of every layer.

Letters: `B` texts, `T` positions, `L` layers, `D` width, `V` tokens in the vocabulary.
"""

from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from solutions.bert.corpus import CLS, MASK, SEP
from solutions.bert.model import Bert, BertForPreTraining

TEXTS = (
    "Return a new list with the items in reverse order.",
    "If the file does not exist, an error is raised.",
    "The default value of this parameter is None.",
    "Return True if the two arrays are equal, and False otherwise.",
    "This function is called when the window is closed.",
    "The first argument must be a string or a list of strings.",
    "Set the color of the text in the legend.",
    "Compute the mean of the input along the given axis.",
    "Write the bytes to the file and return the number of bytes written.",
    "The input tensor must have the same shape as the output tensor.",
)
"""Sentences of our own, such as stand in documentation; their words are tokens of the `laptop` vocabulary."""


def states(bert: Bert, tokens: Tensor, types: Tensor, mask: Tensor) -> list[Tensor]:
    """The vectors (B, T, D) after 0, 1, ..., L layers, of a BERT with clear layers; arguments as those of `Bert`."""
    found = [bert.embeddings(tokens, types)]
    for layer in bert.encoder.get_submodule("layers").children():
        found.append(layer(found[-1], mask))
    return found


@torch.no_grad()
def guesses(model: BertForPreTraining, tokenizer: Tokenizer, text: str, *, count: int = 5) -> dict[str, Any]:
    """Hide each token of a text in turn, and let the model's head guess it from the vector after each layer.

    The head was trained on vectors of the last layer alone. On earlier ones it tells what the model would say if the
    layers behind were left out: the "logit lens" (nostalgebraist, 2020).

    Args:
        model: with clear layers, in evaluation mode.
        tokenizer: of the model.
        text: one or several sentences.
        count: guesses to keep, the most probable ones first.

    Returns:
        `tokens`: of the text; `guesses`: for each token, after each of 0 to L layers, [token, probability] of each
        guess; `truth`: for each token, after each of 0 to L layers, the probability of the token that was hidden.
    """
    encoding = tokenizer.encode(text, add_special_tokens=False)
    true = torch.tensor(encoding.ids)
    place = torch.arange(len(true))
    inputs = torch.tensor([CLS, *encoding.ids, SEP]).repeat(len(true), 1)
    inputs[place, place + 1] = MASK
    after = states(model.bert, inputs, torch.zeros_like(inputs), torch.ones_like(inputs, dtype=torch.bool))
    hidden = torch.stack([each[place, place + 1] for each in after], dim=1)  # (tokens, L + 1, D)
    shares = model.mlm(hidden).softmax(dim=-1)  # (tokens, L + 1, V)
    best, numbers = shares.topk(count, dim=-1)
    named = [
        [
            [[tokenizer.id_to_token(number), round(share, 4)] for number, share in zip(*layer, strict=True)]
            for layer in zip(*token, strict=True)
        ]
        for token in zip(numbers.tolist(), best.tolist(), strict=True)
    ]
    truth = shares.gather(2, true[:, None, None].expand(-1, len(after), 1)).squeeze(2)  # (tokens, L + 1)
    return {
        "tokens": encoding.tokens,
        "guesses": named,
        "truth": [[round(share, 4) for share in layers] for layers in truth.tolist()],
    }
