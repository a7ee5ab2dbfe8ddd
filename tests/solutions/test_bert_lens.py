"""Looking into BERT: guesses of hidden words layer by layer, and probes with their control task."""

import pytest
import torch
from torch import Tensor

from solutions.bert import lens, probing
from solutions.bert.config import BertConfig
from solutions.bert.corpus import CLS, MASK, SEP, tokenizer_of
from solutions.bert.examples import Examples
from solutions.bert.model import BertForPreTraining
from solutions.bert.probing import ProbeConfig
from tests.solutions.tiny_bert import randomise

torch.set_num_threads(1)
TEXT = "the list of items is sorted"


def model(vocabulary: int) -> BertForPreTraining:
    config = BertConfig(
        vocabulary_size=vocabulary, d_model=16, num_heads=2, d_ff=32, num_layers=3, max_length=24
    )
    found = BertForPreTraining(config).eval()
    randomise(found)
    return found


def test_guesses_are_those_of_the_head_after_each_layer() -> None:
    tokenizer = tokenizer_of([[TEXT, "a word of it"]], 60)
    bert = model(tokenizer.get_vocab_size())
    found = lens.guesses(bert, tokenizer, TEXT, count=3)
    ids = tokenizer.encode(TEXT, add_special_tokens=False).ids
    assert found["tokens"] == [tokenizer.id_to_token(number) for number in ids]
    for place, true in enumerate(ids):
        row = torch.tensor([[CLS, *ids, SEP]])
        row[0, place + 1] = MASK
        mask = torch.ones_like(row, dtype=torch.bool)
        x = bert.bert.embeddings(row, torch.zeros_like(row))
        for layer in range(4):
            shares = bert.mlm(x[0, place + 1]).softmax(0)
            best = [tokenizer.token_to_id(token) for token, _ in found["guesses"][place][layer]]
            assert best == shares.topk(3).indices.tolist()
            given = [share for _, share in found["guesses"][place][layer]]
            assert given == pytest.approx(shares[best].tolist(), abs=6e-5)
            assert found["truth"][place][layer] == pytest.approx(shares[true].item(), abs=6e-5)
            if layer < 3:
                x = bert.bert.encoder.layers[layer](x, mask)
        whole = bert(row, torch.zeros_like(row), mask)[0][0, place + 1].softmax(0)
        assert found["truth"][place][3] == pytest.approx(whole[true].item(), abs=6e-5)


def test_vectors_of_words_come_with_their_labels() -> None:
    bert = model(40).bert
    tokens = [torch.tensor([CLS, 7, 8, SEP]), torch.tensor([CLS, 9, SEP])]
    labels = [torch.tensor([-100, 5, -100, -100]), torch.tensor([-100, 6, -100])]
    layers, gold = probing.word_vectors(
        bert, Examples(tokens, [torch.zeros_like(each) for each in tokens], labels)
    )
    assert gold.tolist() == [5, 6]
    assert len(layers) == 4
    for number, row in enumerate(tokens):
        mask = torch.ones(1, len(row), dtype=torch.bool)
        alone = bert(row[None], torch.zeros_like(row[None]), mask)[0, 1]
        torch.testing.assert_close(layers[3][number], alone)
        assert not torch.allclose(layers[2][number], alone)


def drawn(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Three classes around three points."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=generator)
    return 4 * torch.eye(3)[labels] + torch.randn(count, 3, generator=generator), labels


def test_a_probe_finds_what_is_there_and_nothing_else() -> None:
    config = ProbeConfig(steps=100)
    seen, new = drawn(500, 1), drawn(500, 2)
    assert probing.probe(seen, new, config, 3) > 0.97
    shuffled = seen[1][torch.randperm(500, generator=torch.Generator().manual_seed(3))]
    assert probing.probe((seen[0], shuffled), new, config, 3) < 0.6


def test_a_word_of_the_control_task_has_one_label() -> None:
    words = [f"word{number}" for number in range(300)]
    labels = [0] * 30 + [1] * 10
    first, again = (probing.control_labels(each, labels, 7) for each in (words, words[::-1]))
    assert torch.equal(first, again.flip(0))
    assert 30 < int(first.sum()) < 130  # 75 are expected; 45 away has a chance below 1e-8
    assert not torch.equal(first, probing.control_labels(words, labels, 8))


def test_the_control_task_is_asked_about_words_of_both_splits() -> None:
    """Labels that belong to words are learned from the words' own vectors, true ones that do not are not."""
    tokens = torch.randint(5, 17, (80, 12), generator=torch.Generator().manual_seed(4))
    gold = torch.randint(2, (80, 10), generator=torch.Generator().manual_seed(5))

    def split(rows: slice) -> Examples:
        texts, labels = [], []
        for row, true in zip(tokens[rows], gold[rows], strict=True):
            texts.append(torch.cat([torch.tensor([CLS]), row[1:-1], torch.tensor([SEP])]))
            labels.append(torch.cat([torch.tensor([-100]), true, torch.tensor([-100])]))
        words = [[str(number) for number in text[1:-1].tolist()] for text in texts]
        return Examples(texts, [torch.zeros_like(text) for text in texts], labels, words)

    examples = {"train": split(slice(0, 60)), "test": split(slice(60, 80))}
    config = ProbeConfig(steps=100, decay=0.0)
    asked = probing.by_layer(model(40).bert, examples, config, 2, control=0)
    true = probing.by_layer(model(40).bert, examples, config, 2)
    assert list(asked) == list(true) == ["layer 0", "layer 1", "layer 2", "layer 3"]
    assert asked["layer 0"] > 0.8
    assert true["layer 0"] < 0.7
