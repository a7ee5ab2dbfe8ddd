"""A corpus as tokens: a memory-mapped file of uint16 in the cache, on the device when it fits there.

A token is two bytes, so a billion of them are two gigabytes; a run reads only what it needs.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from nlpcourse.errors import CourseError
from nlpcourse.settings import cache_directory
from nlpcourse.terminal import say

_TEXTS_AT_ONCE = 1000


class Tokens:
    """The tokens of all texts, one after the other; `N` tokens, `D` texts.

    Attributes:
        offsets: (D + 1,) long, where each text begins, and where the last one ends.

    Args:
        values: (N,) uint16.
        offsets: (D + 1,) int64.
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray) -> None:
        self.offsets = torch.from_numpy(offsets)
        # int16 has the same bits, and unlike uint16 all that torch can do with an index
        self._values = torch.from_numpy(values.view(np.int16))

    def __len__(self) -> int:
        return len(self._values)

    @property
    def device(self) -> torch.device:
        """Where the tokens lie."""
        return self._values.device

    def text(self, number: int) -> Tensor:
        """(length,) long, the tokens of one text."""
        start, end = self.offsets[number : number + 2].tolist()
        return _widen(self._values[start:end])

    def windows(self, starts: Tensor, length: int) -> Tensor:
        """(B, length) long, stretches of tokens; `starts` is (B,) long."""
        places = starts.to(self.device).unsqueeze(1) + torch.arange(length, device=self.device)
        return _widen(self._values[places])

    def to(self, device: torch.device) -> "Tokens":
        """Move to a GPU, where the tokens take at most a quarter of the free memory; else they stay, and it is said."""
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if 4 * self._values.nbytes <= free:
                self._values = self._values.to(device)
            else:
                say(
                    f"{len(self):,} tokens stay in the processor's memory: the GPU has {free / 2**30:.1f} GiB free"
                )
        return self


def tokenized(name: str, texts: Sequence[str], tokenizer: Tokenizer) -> Tokens:
    """The tokens of a corpus, from the cache when these texts were cut by this tokenizer before.

    Args:
        name: of the corpus, for the folder in the cache.
        texts: the corpus.
        tokenizer: with at most 65,536 tokens.

    Raises:
        CourseError: the tokenizer has more tokens, or the cache cannot be written.
    """
    if (size := tokenizer.get_vocab_size()) > 1 << 16:
        raise CourseError(f"the tokenizer has {size} tokens, two bytes tell 65536 apart; train a smaller one")
    folder = cache_directory() / "tokens" / f"{name}-{_key(texts, tokenizer)}"
    if not folder.is_dir():
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            _write(folder, texts, tokenizer)
        except OSError as error:
            raise CourseError(f"cannot write {folder}: {error.strerror or error}") from error
    offsets = np.load(folder / "offsets.npy")
    if offsets[-1] == 0:
        return Tokens(np.zeros(0, np.uint16), offsets)
    return Tokens(
        np.memmap(folder / "tokens.bin", np.uint16, "c"), offsets
    )  # "c": torch wants to be able to write


def _write(folder: Path, texts: Sequence[str], tokenizer: Tokenizer) -> None:
    """Write the folder aside and move it to its place in one step; the first of several writers wins."""
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        offsets = [0]
        with (aside / "tokens.bin").open("wb") as file:
            for start in range(0, len(texts), _TEXTS_AT_ONCE):
                for each in tokenizer.encode_batch(list(texts[start : start + _TEXTS_AT_ONCE])):
                    file.write(np.array(each.ids, np.uint16).tobytes())
                    offsets.append(offsets[-1] + len(each.ids))
            file.flush()
            os.fsync(file.fileno())
        np.save(aside / "offsets.npy", np.array(offsets))
        try:
            aside.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _key(texts: Iterable[str], tokenizer: Tokenizer) -> str:
    """A hash of the texts, with their borders, and of the tokenizer."""
    digest = hashlib.sha256(tokenizer.to_str().encode())
    for text in texts:
        content = text.encode()
        digest.update(len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()[:16]


def _widen(values: Tensor) -> Tensor:
    """Long from the bits of uint16."""
    return values.long() & 0xFFFF
