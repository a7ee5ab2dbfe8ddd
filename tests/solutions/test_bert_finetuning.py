"""BERT's fine-tunings: losses, scores and baselines by hand, and what a model says comes back to its example."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from nlpcourse.data.published import Tagged
from solutions.bert import baselines, finetuning
from solutions.bert.examples import Examples
from solutions.bert.finetuning import span_scores, tag_scores
from solutions.bert.tasks import Classified

torch.set_num_threads(1)
CPU = torch.device("cpu")


def examples(labels: list[list[int]], length: int = 9, start: int = 3) -> Examples:
    types = torch.tensor([0] * start + [1] * (length - start))
    size = len(labels)
    tokens = [torch.arange(length)] * size
    return Examples(tokens, [types] * size, [torch.tensor(each) for each in labels])


def test_scores_of_spans_by_hand() -> None:
    found = span_scores([(3, 5), (4, 7), (3, 3), (5, 6)], examples([[3, 5], [6, 8], [4, 4], [4, 7]]))
    assert found["exact match"] == 0.25
    assert found["F1"] == pytest.approx((1 + 2 * 2 / 7 + 0 + 2 * 2 / 6) / 4)


def test_scores_of_tags_are_those_of_whole_spans() -> None:
    tags = ["B-X", "I-X", "B-Y", "O"]
    true = examples([[-100, 0, 1, -100, 3, 2], [-100, 3, 0, 0, -100, -100]])
    # One of four is right, of three that were found
    found = [["B-X", "I-X", "O", "B-X"], ["O", "B-X", "I-X"]]
    scores = tag_scores(found, true, tags)
    assert scores["precision"] == pytest.approx(1 / 3)
    assert scores["recall"] == pytest.approx(1 / 4)
    assert scores["F1"] == pytest.approx(2 / 7)


def test_losses_are_sums_with_their_numbers() -> None:
    torch.manual_seed(3)
    logits = torch.randn(2, 5, 3)
    gold = torch.tensor([[-100, 2, -100, 0, -100], [1, -100, -100, -100, -100]])
    total, count = finetuning.tag_loss(logits, gold)
    log = logits.log_softmax(-1)
    torch.testing.assert_close(total, -(log[0, 1, 2] + log[0, 3, 0] + log[1, 0, 1]))
    assert count == 3
    total, count = finetuning.class_loss(logits[:, 0], torch.tensor([[2], [0]]))
    torch.testing.assert_close(total, -(log[0, 0, 2] + log[1, 0, 0]))
    assert count == 2
    start, end = logits[..., 0], logits[..., 1]
    total, count = finetuning.span_loss((start, end), torch.tensor([[1, 2], [0, 4]]))
    one, other = start.log_softmax(1), end.log_softmax(1)
    torch.testing.assert_close(total, -(one[0, 1] + one[1, 0] + other[0, 2] + other[1, 4]) / 2)
    assert count == 2


class Fixed(nn.Module):
    """Logits made from tokens, so that each example can be told by what comes out."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form = form

    def forward(self, tokens: Tensor, types: Tensor, mask: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        size = mask.sum(1)
        if self.form == "classes":
            return nn.functional.one_hot(size % 3, 3).float()
        at_end = torch.arange(tokens.shape[1]) == (size - 2)[:, None]
        if self.form == "tags":
            return nn.functional.one_hot(tokens % 2, 2).float()
        return torch.where(types == 1, tokens, 99).float(), torch.where(at_end, 1.0, 0.0)


def test_what_the_model_says_comes_back_to_its_example() -> None:
    lengths = [9, 5, 7, 6, 8]
    data = Examples(
        [torch.arange(length) for length in lengths],
        [torch.tensor([0, 0, 0] + [1] * (length - 3)) for length in lengths],
        [torch.tensor([length % 3]) for length in lengths],
    )
    assert finetuning.judge_classes(Fixed("classes"), data, CPU) == {"accuracy": 1.0}
    # The highest start in the text is the last token before [SEP], and so is the end
    spans = replace(data, labels=[torch.tensor([length - 2, length - 2]) for length in lengths])
    assert finetuning.judge_spans(Fixed("spans"), spans, CPU) == {"exact match": 1.0, "F1": 1.0}
    tags = replace(data, labels=[torch.arange(length) % 2 for length in lengths])
    for each in tags.labels:
        each[0] = -100
    assert finetuning.judge_tags(Fixed("tags"), tags, ["O", "B-X"], CPU)["F1"] == 1.0


def test_baselines_by_hand() -> None:
    train = [Classified("red apple", "", 1), Classified("red car", "", 0), Classified("red wine", "", 1)]
    assert baselines.majority(train, [Classified("", "", 1), Classified("", "", 0)]) == {"accuracy": 0.5}
    #        CLS ask SEP |  3  4  ask 6  STOP 8  STOP SEP
    row = torch.tensor([0, 5, 1, 3, 4, 5, 6, 2, 8, 2, 1])
    types = torch.tensor([0] * 3 + [1] * 8)
    one = Examples([row, row.clone()], [types] * 2, [torch.zeros(2)] * 2)
    one.tokens[1][5] = 7  # the question does not stand in the text
    assert baselines.first_sentences(one, {2}) == [(3, 7), (3, 7)]
    assert baselines.sentences_behind(one, {2}) == [(6, 7), (3, 7)]
    assert baselines.first_sentences(one, {99}) == [(3, 9), (3, 9)]  # without a stop, to the end
    text = Tagged(("A", "b", "a", "a"), ("O", "B-X", "B-X", "B-X"))
    assert baselines.frequent_tags([text], [["a", "B", "new"]]) == [["B-X", "B-X", "O"]]


def test_counted_words_tell_what_can_be_told() -> None:
    train = [
        Classified(f"{word} {number}", "", label)
        for label, word in enumerate(["xa", "yb", "zc"])
        for number in range(9)
    ]
    train = [each._replace(first=each.first.replace("x", "xx")) for each in train]
    assert baselines.tfidf_classes(train, train[::4]) == {"accuracy": 1.0}
    words = [f"word{number} text{number} more{number}" for number in range(12)]
    pairs = [Classified(word, word, 1) for word in words]
    pairs += [Classified(word, other, 0) for word, other in zip(words, words[1:] + words[:1], strict=True)]
    assert baselines.tfidf_pairs(pairs, pairs[::2]) == {"accuracy": 1.0}
