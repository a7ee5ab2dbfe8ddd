"""Tokenizers trained on a corpus, and its tokens in the cache."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from nlpcourse.errors import CourseError
from solutions.training import tokens as module
from solutions.training.tokenizer import train_bpe, train_wordpiece
from solutions.training.tokens import Tokens, tokenized

TEXTS = [
    "The array is copied, and the copy is returned.",
    "Return the sum of the elements of an array.",
    "Raise an error when the arrays have different shapes!",
    "Unbelievable: the shape of the returned array is that of the elements.",
] * 3
SPECIAL = ["<pad>", "<s>"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NLPCOURSE_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def tokenizer() -> Tokenizer:
    return train_bpe(TEXTS, vocabulary=300, special=SPECIAL)


# --- Tokenizers ---------------------------------------------------------------------------------------------------


def test_bpe_gives_every_text_back(tokenizer: Tokenizer) -> None:
    for text in (*TEXTS, "Größe 词\n\x00 🙂 "):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert [tokenizer.token_to_id(each) for each in SPECIAL] == [0, 1]
    assert tokenizer.get_vocab_size() == 300
    assert len(tokenizer.encode(TEXTS[0]).ids) < len(TEXTS[0]) / 1.5, "pairs were merged"


def test_wordpiece_cuts_words_into_pieces() -> None:
    special = ["[PAD]", "[UNK]", "[MASK]"]
    tokenizer = train_wordpiece(iter(TEXTS), vocabulary=120, special=special)
    assert [tokenizer.id_to_token(number) for number in range(3)] == special
    ids = sorted(tokenizer.get_vocab().values())
    assert ids == list(range(len(ids))) and len(ids) <= 120
    assert tokenizer.encode("The ARRAY").tokens == ["the", "array"]
    assert tokenizer.encode("shapely").tokens[0] == "shape"
    assert tokenizer.encode("shapely").tokens[1].startswith("##")
    assert tokenizer.decode(tokenizer.encode("unbelievable shapes").ids) == "unbelievable shapes"
    assert tokenizer.encode("词").tokens == ["[UNK]"]
    assert tokenizer.encode("[MASK]").ids == [2]


def test_two_trainings_give_the_same_json() -> None:
    """In processes of their own: the library's hash maps have another order in each."""
    code = (
        "from solutions.training.tokenizer import *;"
        f"texts = {TEXTS!r};"
        "print(train_wordpiece(texts, vocabulary=90, special=['[UNK]']).to_str());"
        "print(train_bpe(texts, vocabulary=300, special=['<pad>']).to_str())"
    )
    found = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(4)
    }
    assert len(found) == 1


def test_a_saved_tokenizer_is_the_same(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(str(tmp_path / "t.json"))
    again = Tokenizer.from_file(str(tmp_path / "t.json"))
    assert again.encode(TEXTS[0]).ids == tokenizer.encode(TEXTS[0]).ids


def test_vocabularies_that_cannot_be() -> None:
    with pytest.raises(CourseError, match="the vocabulary has 65537 tokens, expected 258 to 65536"):
        train_bpe(TEXTS, vocabulary=65537, special=SPECIAL)
    with pytest.raises(CourseError, match="expected 258 to 65536"):
        train_bpe(TEXTS, vocabulary=257, special=SPECIAL)
    with pytest.raises(CourseError, match=r"\[UNK\] is not among the special tokens"):
        train_wordpiece(TEXTS, vocabulary=100, special=["[PAD]"])


# --- Tokens -------------------------------------------------------------------------------------------------------


def test_tokens_are_those_of_the_tokenizer(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TEXTS_AT_ONCE", 5)
    texts = ["", *TEXTS, ""]
    tokens = tokenized("corpus", texts, tokenizer)
    assert len(tokens.offsets) == len(texts) + 1
    for number, text in enumerate(texts):
        assert tokens.text(number).tolist() == tokenizer.encode(text).ids
    everything = torch.cat([tokens.text(number) for number in range(len(texts))])
    assert len(tokens) == len(everything)
    assert torch.equal(
        tokens.windows(torch.tensor([0, 7]), 9), torch.stack([everything[:9], everything[7:16]])
    )


def test_all_numbers_of_two_bytes_come_back() -> None:
    values = np.array([0, 1, 32767, 32768, 65535], np.uint16)
    tokens = Tokens(values, np.array([0, 5]))
    assert tokens.text(0).tolist() == values.tolist()
    assert tokens.windows(torch.tensor([3]), 2).tolist() == [[32768, 65535]]


def test_a_second_use_reads_the_cache(
    tokenizer: Tokenizer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tokenized("corpus", TEXTS, tokenizer)
    monkeypatch.setattr(module, "_write", lambda *_: pytest.fail("written again"))
    second = tokenized("corpus", TEXTS, tokenizer)
    assert torch.equal(first.text(3), second.text(3))
    assert sorted(each.name for each in next((cache / "tokens").iterdir()).iterdir()) == [
        "offsets.npy",
        "tokens.bin",
    ]


def test_other_texts_borders_or_tokenizers_are_other_tokens(tokenizer: Tokenizer, cache: Path) -> None:
    other = train_bpe(TEXTS, vocabulary=299, special=SPECIAL)
    for texts, by in [
        (["ab", "c"], tokenizer),
        (["a", "bc"], tokenizer),
        (["abc"], tokenizer),
        (["abc"], other),
    ]:
        found = tokenized("corpus", texts, by)
        assert [found.text(number).tolist() for number in range(len(texts))] == [
            by.encode(text).ids for text in texts
        ]
    assert len(list((cache / "tokens").iterdir())) == 4


def test_no_text_at_all(tokenizer: Tokenizer) -> None:
    assert len(tokenized("corpus", [], tokenizer)) == 0


def test_a_full_disk_leaves_nothing(
    tokenizer: Tokenizer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CourseError, match=r"cannot write .*: No space left on device"):
            tokenized("corpus", TEXTS, tokenizer)
    assert list((cache / "tokens").iterdir()) == []
    assert len(tokenized("corpus", TEXTS, tokenizer)) > 0


def test_a_writer_that_comes_second_takes_what_is_there(
    tokenizer: Tokenizer, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = tokenized("corpus", TEXTS, tokenizer).text(2)
    (folder,) = (cache / "tokens").iterdir()
    module._write(folder, TEXTS, tokenizer)
    assert list((cache / "tokens").iterdir()) == [folder]
    assert torch.equal(tokenized("corpus", TEXTS, tokenizer).text(2), expected)


def test_a_tokenizer_too_large_for_two_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = train_bpe(TEXTS, vocabulary=300, special=SPECIAL)
    tokenizer.add_tokens([f"<{number}>" for number in range(65300)])
    with pytest.raises(CourseError, match="two bytes tell 65536 apart"):
        tokenized("corpus", TEXTS, tokenizer)
