"""What BERT is trained on: sentences and segments, the four tasks, examples as the model reads them."""

import re
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import pytest
import torch
from tokenizers import Tokenizer

from nlpcourse.data import docstrings
from nlpcourse.data.published import Tagged
from solutions.bert import tasks
from solutions.bert.corpus import CLS, SEP, SPECIAL, Segments, documents, sentences
from solutions.bert.examples import Examples, asked, classified, some, tagged
from solutions.bert.tasks import PACKAGES, Asked, Classified
from solutions.training.tokenizer import train_wordpiece

CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Read the corpus from the machine's cache once; what these tests make goes to another one."""
    with pytest.MonkeyPatch.context() as patch:
        corpus = docstrings.load()
        patch.setattr(docstrings, "load", lambda: corpus)
        patch.setenv("NLPCOURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@cache
def made(task: Callable[[], tasks.Splits]) -> tasks.Splits:
    return task()


def characters() -> Tokenizer:
    """Every character of a word is a token, so that tokens can be counted by hand."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    return train_wordpiece([" ".join(letters), *letters, letters], vocabulary=5 + 36 + 36, special=SPECIAL)


# --- Sentences and segments ----------------------------------------------------------------------------------


def test_sentences_by_hand() -> None:
    text = (
        "Open a file. See e.g. the\nmanual! (It is short.)\n\n"
        "Parameters\n----------\nname : str\n    A path.  2 of them"
    )
    assert sentences(text) == [
        "Open a file.",
        "See e.g. the manual!",
        "(It is short.)",
        "Parameters",
        "name : str A path. 2 of them",
    ]
    assert sentences("\n===\n") == []


def test_documents_are_the_files_of_a_split_in_order() -> None:
    found = documents("dev")
    modules = dict.fromkeys(record.module for record in docstrings.load().split("dev"))
    assert len(modules) - 5 <= len(found) <= len(modules)
    assert documents("dev", 3) == found[:3]
    text = " ".join(sentence for document in found for sentence in document)
    assert not re.search(r"-{20}\s", text)


def test_segments_hold_every_token_once_and_never_two_documents() -> None:
    tokenizer = characters()
    texts = [["abc", "de", "f", "ghijklmnop", "qr"], ["s"], ["tuvw", "xyz", "1234567"], ["hijklmno"]]
    segments = Segments.of(texts, tokenizer, 6, CPU)
    stretches = []
    for start, size in zip(segments.starts, segments.lengths, strict=True):
        tokens = segments.tokens.windows(start[None], int(size))[0].tolist()
        stretches.append("".join(tokenizer.id_to_token(token).removeprefix("##") for token in tokens))
    assert stretches == ["abcdef", "ghijkl", "mnopqr", "s", "tuvw", "xyz", "123456", "7", "hijklm", "no"]
    assert segments.documents == [[0, 1, 2], [3], [4, 5, 6, 7], [8, 9]]
    assert segments.words == 9


def test_a_pair_of_segments_fills_its_text() -> None:
    tokenizer = characters()
    segments = Segments.of([["abc", "defgh"], ["ijk", "lm"]], tokenizer, 5, CPU)
    assert segments.lengths.tolist() == [3, 5, 5]
    tokens, types = segments.texts(torch.tensor([[0, 1], [0, 2], [2, 0], [1, 2]]), 13)
    shown = [
        "".join(tokenizer.id_to_token(token).removeprefix("##") for token in row) for row in tokens.tolist()
    ]
    assert shown == [
        "[CLS]abc[SEP]defghij[SEP]",  # goes on into the next file
        "[CLS]abc[SEP]ijklmmm[SEP]",  # nothing is behind the last one
        "[CLS]ijklm[SEP]abcde[SEP]",
        "[CLS]defgh[SEP]ijklm[SEP]",
    ]
    assert types.tolist() == [[0] * 5 + [1] * 8] * 2 + [[0] * 7 + [1] * 6] * 2
    assert (tokens[:, 0] == CLS).all() and (tokens[:, -1] == SEP).all()


# --- The four tasks ------------------------------------------------------------------------------------------


def test_tasks_are_the_same_every_time_and_no_text_stands_in_two_splits() -> None:
    keys = {
        tasks.packages: lambda each: each.first,
        tasks.summaries: lambda each: (each.first, each.second),
        tasks.questions: lambda each: each[:2],
        tasks.entries: lambda each: each.tokens,
    }
    for task, key in keys.items():
        found = made(task)
        assert list(found) == list(docstrings.SPLITS)
        assert min(map(len, found.values())) > 300
        assert len(found["train"]) > 4 * len(found["test"])
        seen = [{key(each) for each in examples} for examples in found.values()]
        assert not seen[0] & seen[1] and not (seen[0] | seen[1]) & seen[2]
    assert tasks.summaries() == made(tasks.summaries)


def test_packages_are_named_by_their_first_two_parts() -> None:
    records = {" ".join(sentences(record.docstring)): record for record in docstrings.load().split("test")}
    found = made(tasks.packages)["test"]
    assert {each.label for each in found} == set(range(len(PACKAGES)))
    for each in found[::50]:
        module, name = records[each.first].module, PACKAGES[each.label]
        if name == "stdlib":
            assert module.split(".")[0] not in ("numpy", "torch", "matplotlib")
        else:
            assert f"{module}.".startswith(f"{name}.")
            longer = [other for other in PACKAGES if other.startswith(f"{name}.")]
            assert not any(f"{module}.".startswith(f"{other}.") for other in longer)


def test_half_of_the_bodies_are_of_another_docstring_of_the_package() -> None:
    records = [record for record in docstrings.load().split("dev") if record.body]
    true = {(record.summary, " ".join(sentences(record.body))) for record in records}
    package = {" ".join(sentences(record.body)): record.package for record in records}
    of = {record.summary: record.package for record in records if len(record.body) > 100}
    found = made(tasks.summaries)["dev"]
    share = sum(each.label for each in found) / len(found)
    assert abs(share - 0.5) < 0.08  # 1,400 coins: further away less than once in ten million
    for summary, body, label in found:
        if label:
            assert (summary, body) in true
        else:
            assert (summary, body) not in true
            assert package[body] == of[summary]


def test_the_answer_is_a_sentence_that_stands_there_once() -> None:
    for question, text, start, end in made(tasks.questions)["test"][::20]:
        answer = text[start:end]
        assert text.count(answer) == 1
        assert len(answer.split()) >= 1
        assert question in text
        assert answer == answer.strip()


def test_entries_are_names_types_and_words() -> None:
    found = made(tasks.entries)["test"]
    counts = Counter(tag for each in found for tag in each.tags)
    assert counts.keys() == {"B-NAME", "B-TYPE", "I-TYPE", "O"}
    for tokens, tags in found:
        assert len(tokens) == len(tags) > 0
        assert tags[0] == "B-NAME"
        for before, tag in pairwise(tags):
            assert tag != "I-TYPE" or before in ("B-TYPE", "I-TYPE")
            assert tag != "B-TYPE" or before == "B-NAME"
    documented = {p for record in docstrings.load().split("test") for p in record.parameters}
    names = {parameter.name for parameter in documented}
    assert {
        t for each in found for t, tag in zip(each.tokens, each.tags, strict=True) if tag == "B-NAME"
    } <= names


# --- Examples ------------------------------------------------------------------------------------------------


def spelled(tokenizer: Tokenizer, examples: Examples) -> list[str]:
    return [
        " ".join(tokenizer.id_to_token(token).removeprefix("##") for token in row.tolist())
        for row in examples.tokens
    ]


def test_the_longer_of_two_texts_is_cut() -> None:
    tokenizer = characters()
    pairs = [
        ("abc", "de"),
        ("abcdefgh", "xy"),
        ("ab", "stuvwxyz"),
        ("abcdefgh", "stuvwxyz"),
        ("abcdefghijk", ""),
    ]
    found = classified([Classified(*pair, 1) for pair in pairs], tokenizer, 9)
    assert [row.replace(" ", "") for row in spelled(tokenizer, found)] == [
        "[CLS]abc[SEP]de[SEP]",
        "[CLS]abcd[SEP]xy[SEP]",
        "[CLS]ab[SEP]stuv[SEP]",
        "[CLS]abc[SEP]stu[SEP]",
        "[CLS]abcdefg[SEP]",
    ]
    assert found.types[1].tolist() == [0] * 6 + [1] * 3
    assert found.types[4].tolist() == [0] * 9
    tokens, types, mask, labels = found.batch(torch.tensor([0, 4]), CPU)
    assert tokens.shape == types.shape == mask.shape == (2, 9)
    assert mask.tolist() == [[True] * 8 + [False], [True] * 9]
    assert labels.tolist() == [[1], [1]]


def test_the_window_holds_the_answer() -> None:
    tokenizer = characters()
    text = "ab cde fgh ijk lmn opq rst uvw xyz"
    places = [(text.index(word), text.index(word) + 3) for word in ("cde", "lmn", "xyz")]
    examples = [Asked("q", text, *place) for place in places] + [Asked("a" * 6, text, 3, 30)]
    found = asked(examples, tokenizer, 14)
    assert len(found) == 3  # the last answer is longer than the model reads
    rows = [row.split() for row in spelled(tokenizer, found)]
    for row, label, types, word in zip(rows, found.labels, found.types, ("cde", "lmn", "xyz"), strict=True):
        first, last = label.tolist()
        assert "".join(row[first : last + 1]) == word
        assert row[:3] == ["[CLS]", "q", "[SEP]"]
        assert row[-1] == "[SEP]"
        assert types.tolist() == [0, 0, 0] + [1] * (len(row) - 3)
        assert len(row) <= 14
    short = asked([Asked("q", "ab cde", 3, 6)], tokenizer, 14)
    assert spelled(tokenizer, short)[0].replace(" ", "") == "[CLS]q[SEP]abcde[SEP]"
    assert short.labels[0].tolist() == [5, 7]


def test_windows_begin_at_different_places() -> None:
    tokenizer = characters()
    text = " ".join("abcdefghijklmnopqrstuvwxyz")
    found = asked([Asked(name, text, 24, 25) for name in "abcdefghijklmnopqrst"], tokenizer, 14)
    assert len({int(label[0]) for label in found.labels}) > 3


def test_words_that_do_not_fit_have_no_label() -> None:
    tokenizer = characters()
    text = Tagged(("abc", "de", "f"), ("B-X", "O", "B-X"))
    whole = tagged([text], ["B-X", "O"], tokenizer, 20)
    assert whole.labels[0].tolist() == [-100, 0, -100, -100, 1, -100, 0, -100]
    assert whole.words == [["abc", "de", "f"]]
    cut = tagged([text], ["B-X", "O"], tokenizer, 6)
    assert cut.labels[0].tolist() == [-100, 0, -100, -100, 1, -100]
    assert cut.words == [["abc", "de"]]
    *_, labels = tagged([text, text._replace(tokens=("a",), tags=("O",))], ["B-X", "O"], tokenizer, 9).batch(
        torch.tensor([1, 0]), CPU
    )
    assert labels[0].tolist() == [-100, 1, -100] + [-100] * 5


def test_some_examples_are_drawn_once_in_order() -> None:
    numbers = list(range(100))
    chosen = some(numbers, 10)
    assert chosen == sorted(chosen) == some(numbers, 10)
    assert len(set(chosen)) == 10
    assert chosen != numbers[:10]
    assert some(numbers, 0) == some(numbers, 200) == numbers
