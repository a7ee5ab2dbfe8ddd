"""Tokenizers trained on a corpus: BPE on bytes, and WordPiece, by the library `tokenizers`.

What is trained is saved as the library's JSON; two trainings on the same texts give the same JSON.
"""

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from nlpcourse.errors import CourseError

_MOST = 1 << 16
"""Tokens that two bytes can tell apart."""


def train_bpe(texts: Iterable[str], *, vocabulary: int, special: Sequence[str]) -> Tokenizer:
    """Byte-pair encoding on bytes, as in GPT-2 (Radford et al., 2019): no text has an unknown token.

    Args:
        texts: the corpus.
        vocabulary: tokens at most, special ones and the 256 bytes among them.
        special: tokens such as `<pad>`, with the ids from 0 on; a text that spells one out gets it.

    Raises:
        CourseError: the vocabulary is too large for two bytes, or too small for the bytes.
    """
    _check(vocabulary, smallest=256 + len(special))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def train_wordpiece(
    texts: Iterable[str], *, vocabulary: int, special: Sequence[str], unknown: str = "[UNK]"
) -> Tokenizer:
    """WordPiece on lower-case words, as in BERT (Devlin et al., 2019).

    Args:
        texts: the corpus.
        vocabulary: tokens at most, special ones among them.
        special: tokens such as `[PAD]`, with the ids from 0 on, `unknown` among them; a text that spells one out
            gets it.
        unknown: for a word with a character that the corpus has not.

    Raises:
        CourseError: the vocabulary is too large for two bytes, or `unknown` is not special.
    """
    _check(vocabulary, smallest=len(special))
    if unknown not in special:
        raise CourseError(f"{unknown} is not among the special tokens {', '.join(special)}; add it")
    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    normal = [tokenizer.normalizer.normalize_str(text) for text in texts]
    words = {word for text in normal for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)}
    # The library numbers pieces such as "##a" in the order of a hash map, which differs from run to run, and breaks
    # ties by these numbers. Given beforehand, as if they were special, they are in order.
    pieces = [f"##{character}" for character in sorted({each for word in words for each in word[1:]})]
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary, special_tokens=[*special, *pieces], show_progress=False
    )
    tokenizer.train_from_iterator(normal, trainer)
    whole = Tokenizer(models.WordPiece(tokenizer.get_vocab(), unk_token=unknown))
    whole.normalizer, whole.pre_tokenizer = tokenizer.normalizer, tokenizer.pre_tokenizer
    whole.decoder = decoders.WordPiece()
    whole.add_special_tokens(list(special))
    return whole


def _check(vocabulary: int, *, smallest: int) -> None:
    if not smallest <= vocabulary <= _MOST:
        raise CourseError(f"the vocabulary has {vocabulary} tokens, expected {smallest} to {_MOST}")
