"""FastText (Bojanowski et al., 2017): a word is the bag of its character n-grams."""


def character_ngrams(word: str, *, smallest: int = 3, largest: int = 6) -> list[str]:
    """The pieces of a word from which its vector is made.

    Args:
        word: at least one character.
        smallest: the fewest characters of a piece, at least 2.
        largest: the most characters of a piece.

    Returns:
        Every run of `smallest` to `largest` characters of "<word>", shorter ones first, from left to right, each as
        often as it occurs. Last comes "<word>" itself, once, whether its length lies in this range or not.
    """
    ### BEGIN SOLUTION
    marked = f"<{word}>"
    lengths = range(smallest, largest + 1)
    pieces = [marked[start : start + n] for n in lengths for start in range(len(marked) - n + 1)]
    return pieces if marked in pieces else [*pieces, marked]
    ### END SOLUTION
