"""`align_labels` at sub-words by hand and with a real tokenizer; `TokenClassifier` on parts whose values are known."""

import torch
from test_bert_spans import Scale, Sum
from torch import nn

from solutions.bert.tagging import TokenClassifier, align_labels
from solutions.training.tokenizer import train_wordpiece

torch.set_num_threads(1)


def test_the_label_stands_at_the_first_piece() -> None:
    pieces = [None, 0, 1, 1, 1, 2, 2, 3, None, None]
    assert align_labels([7, 0, 2, 9], pieces) == [-100, 7, 0, -100, -100, 2, -100, 9, -100, -100]


def test_labels_follow_numbers_of_words_not_places() -> None:
    """The second word has no piece; the last two were cut off; two words in a row have the same label."""
    assert align_labels([4, 5, 6, 6, 8, 9], [None, 0, 2, 2, 3, 3, None]) == [-100, 4, 6, -100, 6, -100, -100]
    assert align_labels([], [None, None]) == [-100, -100]
    assert align_labels([3], []) == []


def test_words_of_a_tokenizer() -> None:
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    tokenizer = train_wordpiece(["a tensor of floats", "the tensor", "sing"], vocabulary=40, special=special)
    words = ["a", "\u200b", "floating", "tensor"]  # the second is a character that the tokenizer drops
    encoding = tokenizer.encode(words, is_pretokenized=True)
    aligned = align_labels([1, 2, 3, 4], encoding.word_ids)
    assert encoding.ids.count(special.index("[UNK]")) == 0
    assert len(encoding.ids) > 3
    assert [label for label in aligned if label != -100] == [1, 3, 4]
    assert [place for place, label in enumerate(aligned) if label != -100] == [
        encoding.word_ids.index(word) for word in (0, 2, 3)
    ]


def test_every_position_is_classified_from_what_the_encoder_gives() -> None:
    torch.manual_seed(0)
    model = TokenClassifier(Sum(), Scale(), 4, 5, dropout=0.5)
    tokens, types = torch.tensor([[3, 5, 7]]), torch.tensor([[0, 0, 1]])
    mask = torch.tensor([[True, True, True]])
    expected = 2 * Sum()(tokens, types) @ model.classifier.weight.T + model.classifier.bias
    torch.testing.assert_close(model.eval()(tokens, types, mask), expected)
    assert isinstance(model.dropout, nn.Dropout)
    drawn = {tuple(model.train()(tokens, types, mask).flatten().tolist()) for _ in range(20)}
    assert len(drawn) > 1
