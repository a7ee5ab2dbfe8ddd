"""Words and their numbers: the table that stands between a text and every model."""

from collections import Counter
from collections.abc import Iterable


class Vocabulary:
    """The words of a corpus, numbered from the most frequent on; number 0 stands for every other word.

    Attributes:
        words: list of V words; `words[0]` is "<unk>", the rest stand by falling count, equal counts in the order of
            the alphabet.
        counts: list of V whole numbers, how often each word stands in the texts; `counts[0]` is how many words of the
            texts were too rare to get a number.
        numbers: the number of each word, as a dictionary.

    Args:
        texts: each a list of words; "<unk>" is not among them.
        smallest_count: a word that stands in the texts less often gets no number.
    """

    def __init__(self, texts: Iterable[list[str]], *, smallest_count: int = 1) -> None:
        ### BEGIN SOLUTION
        occurrences = Counter(word for text in texts for word in text)
        kept = [word for word, count in occurrences.items() if count >= smallest_count]
        self.words = ["<unk>", *sorted(kept, key=lambda word: (-occurrences[word], word))]
        counts = [occurrences[word] for word in self.words[1:]]
        self.counts = [occurrences.total() - sum(counts), *counts]
        ### END SOLUTION
        self.numbers = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        """V, the number of words, "<unk>" among them."""
        return len(self.words)

    def encode(self, text: list[str]) -> list[int]:
        """The number of each word of `text`; 0 for a word without one."""
        ### BEGIN SOLUTION
        return [self.numbers.get(word, 0) for word in text]
        ### END SOLUTION

    def decode(self, numbers: list[int]) -> list[str]:
        """The word of each number; "<unk>" for 0.

        Raises:
            IndexError: a number is negative, or V or more.
        """
        ### BEGIN SOLUTION
        if any(number < 0 for number in numbers):
            raise IndexError(f"the numbers of words begin at 0, but one of {numbers} is below")
        return [self.words[number] for number in numbers]
        ### END SOLUTION
