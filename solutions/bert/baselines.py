"""What the fine-tuned models are held against: the trivial answer, and what counting words reaches."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from nlpcourse.data.published import Tagged
from solutions.bert.examples import Examples
from solutions.bert.tasks import Classified


def majority(train: Sequence[Classified], test: Sequence[Classified]) -> dict[str, float]:
    """The most frequent class of `train` for everything."""
    frequent, _ = Counter(each.label for each in train).most_common(1)[0]
    return {"accuracy": sum(each.label == frequent for each in test) / len(test)}


def tfidf_classes(train: Sequence[Classified], test: Sequence[Classified]) -> dict[str, float]:
    """TF-IDF of words and pairs of words, and logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2)
    inputs = vectorizer.fit_transform([each.first for each in train])
    model = LogisticRegression(C=10, max_iter=1000).fit(inputs, [each.label for each in train])
    right = model.predict(vectorizer.transform([each.first for each in test]))
    return {"accuracy": float((right == [each.label for each in test]).mean())}


def tfidf_pairs(train: Sequence[Classified], test: Sequence[Classified]) -> dict[str, float]:
    """The cosine of two texts as TF-IDF vectors, and logistic regression on this one number."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(sublinear_tf=True).fit([side for each in train for side in each[:2]])

    def cosines(pairs: Sequence[Classified]) -> Any:
        first, second = (vectorizer.transform([each[side] for each in pairs]) for side in (0, 1))
        return np.asarray(first.multiply(second).sum(axis=1)).reshape(-1, 1)

    model = LogisticRegression().fit(cosines(train), [each.label for each in train])
    return {"accuracy": float((model.predict(cosines(test)) == [each.label for each in test]).mean())}


def first_sentences(examples: Examples, stops: set[int]) -> list[tuple[int, int]]:
    """For each question the first sentence of its text; `stops` are the tokens that end one."""
    return [_sentence(tokens.tolist(), types.tolist().index(1), stops) for tokens, types in _texts(examples)]


def sentences_behind(examples: Examples, stops: set[int]) -> list[tuple[int, int]]:
    """For each question the sentence behind the place where its words first stand in the text, or the first one."""
    found = []
    for tokens, types in _texts(examples):
        row, begin = tokens.tolist(), types.tolist().index(1)
        question = row[1 : begin - 1]
        places = [n for n in range(begin, len(row) - len(question)) if row[n : n + len(question)] == question]
        start = places[0] + len(question) if places else begin
        found.append(_sentence(row, min(start, len(row) - 2), stops))
    return found


def frequent_tags(train: Sequence[Tagged], words: Sequence[Sequence[str]]) -> list[list[str]]:
    """For each word the tag that it has most often in `train`; O for one that never stands there."""
    counts: dict[str, Counter[str]] = {}
    for each in train:
        for word, tag in zip(each.tokens, each.tags, strict=True):
            counts.setdefault(word.lower(), Counter())[tag] += 1
    usual = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    return [[usual.get(word.lower(), "O") for word in text] for text in words]


def _texts(examples: Examples) -> Any:
    return zip(examples.tokens, examples.types, strict=True)


def _sentence(row: list[int], start: int, stops: set[int]) -> tuple[int, int]:
    """From `start` to the first stop, or to the last token before `[SEP]`."""
    return start, next((n for n in range(start, len(row) - 1) if row[n] in stops), len(row) - 2)
